//! One client's wait: what `secs` says from attempt to attempt.

use crate::exchange::{Kind, Observed};
use crate::units::{CaptureTime, FrameRef, SECOND, Xid};

/// A client that is heard again after this long asks anew: clients back off to
/// 64 seconds between attempts at most (RFC 2131 §4.1).
const SAME_WAIT: i64 = 70 * SECOND;
/// `secs` has whole seconds, and a client may round either end.
pub(super) const SLACK: i64 = 2;
/// A client may begin anew with another xid, as after a restart; one that does
/// so this often in one wait has the habit.
const RESTARTS: u32 = 3;

/// What a client does with `secs` while nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Habit {
    /// It counts, or comes far enough in another way.
    Counts,
    /// It stays at 0.
    Zero,
    /// It stands still or begins again.
    Stuck,
    /// It counts in the high byte.
    Swapped,
    /// It begins high.
    High,
    /// It counts, and came by a multiple of 256 that Kea takes for a swapped value.
    Misread,
}

impl Habit {
    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The attempts of one client that nobody has answered yet.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    kind: Kind,
    begin: CaptureTime,
    last_time: CaptureTime,
    xid: Xid,
    /// Time and `secs` of the attempt with which the client began anew last.
    anew: (CaptureTime, u16),
    restarts: u32,
    /// `secs` of the first and of the last attempt, as sent.
    pub(super) first: u16,
    pub(super) last: u16,
    /// The highest `secs` as Kea reads it.
    pub(super) most: u16,
    /// Whether it went on under one xid for long enough to count.
    went_on: bool,
    swapped: bool,
    stood_still: bool,
    /// The attempt that shows the habit: the first that is late enough.
    pub(super) told: (CaptureTime, FrameRef),
}

impl Wait {
    pub(super) fn new(kind: Kind, query: &Observed) -> Self {
        Self {
            kind,
            begin: query.time,
            last_time: query.time,
            xid: query.xid,
            anew: (query.time, query.secs),
            restarts: 0,
            first: query.secs,
            last: query.secs,
            most: query.secs_kea(),
            went_on: false,
            swapped: query.secs & 0xff == 0,
            stood_still: false,
            told: (query.time, query.at),
        }
    }

    /// Whether a query is a further attempt. Another kind of query begins to
    /// count anew, and so may a client that was quiet for long.
    pub(super) fn goes_on(&self, kind: Kind, time: CaptureTime) -> bool {
        kind == self.kind && time.since(self.last_time).saturating_abs() <= SAME_WAIT
    }

    /// Takes a further attempt; gives its `secs` when it is a genuine multiple
    /// of 256 that Kea takes for a byte-swapped value (kea-ha §3.4).
    pub(super) fn take(&mut self, query: &Observed) -> Option<u16> {
        let passed = query.time.since(self.last_time) / SECOND;
        if passed < 0 {
            return None;
        }
        let (secs, last) = (i64::from(query.secs), i64::from(self.last));
        let tracks = |growth: i64| (growth - passed).abs() <= SLACK;
        if query.xid != self.xid && secs <= last {
            (self.anew, self.restarts) = ((query.time, query.secs), self.restarts + 1);
        } else {
            self.swapped &= secs & 0xff == 0 && tracks((secs >> 8) - (last >> 8));
            self.stood_still |= passed >= SLACK && secs <= last;
        }
        self.went_on |= query.time.since(self.anew.0) >= SLACK * SECOND;
        self.most = self.most.max(query.secs_kea());
        let misread = query.secs != query.secs_kea() && last & 0xff != 0 && tracks(secs - last);
        if self.seconds() < SLACK {
            self.told = (query.time, query.at);
        }
        (self.last_time, self.last, self.xid) = (query.time, query.secs, query.xid);
        misread.then_some(query.secs)
    }

    /// From the first to the last attempt.
    pub(super) fn seconds(&self) -> i64 {
        self.last_time.since(self.begin) / SECOND
    }

    /// Whether the attempts are far enough apart to tell anything.
    pub(super) fn tells(&self) -> bool {
        self.seconds() >= SLACK
    }

    /// The habit; absent while the attempts do not tell.
    /// Where Kea counts it all the same (`max_ack_delay_ms`), beginning anew is no habit to report.
    pub(super) fn habit(&self, max_ack_delay_ms: u32) -> Option<Habit> {
        let (begin, first) = self.anew;
        let seconds = self.last_time.since(begin) / SECOND;
        let grown = i64::from(self.last) - i64::from(first);
        let grown_high = i64::from(self.last >> 8) - i64::from(first >> 8);
        if !self.tells() {
            return None;
        }
        // No value above 0 was ever sent: swapped or not, that stays 0.
        if self.most == 0 && (self.went_on || self.restarts >= RESTARTS) {
            Some(Habit::Zero)
        } else if self.restarts >= RESTARTS && u32::from(self.most) * 1000 <= max_ack_delay_ms {
            Some(Habit::Stuck)
        } else if seconds < SLACK {
            None
        } else if self.swapped && grown_high >= SLACK {
            Some(Habit::Swapped)
        } else if grown * 2 >= seconds {
            Some(Habit::Counts)
        } else {
            self.stood_still.then_some(Habit::Stuck)
        }
    }
}
