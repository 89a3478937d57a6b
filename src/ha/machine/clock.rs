//! The communication clock and the difference between two clocks (kea-ha §3.2, §4.2).

use crate::units::CaptureTime;

const MS: i64 = 1_000_000;

/// When the communication clock started, as far as it is known.
///
/// A good answer to an own heartbeat starts it at that instant. A server's
/// start does too, and is seldom seen itself: then only an earliest and a
/// latest instant are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    earliest: Option<CaptureTime>,
    latest: Option<CaptureTime>,
}

impl Clock {
    /// Started by a good heartbeat at this instant.
    pub const fn at(time: CaptureTime) -> Self {
        Self { earliest: Some(time), latest: Some(time) }
    }

    /// Started somewhere between two instants; `None` is no bound at all.
    pub const fn between(earliest: Option<CaptureTime>, latest: Option<CaptureTime>) -> Self {
        Self { earliest, latest }
    }

    /// Whether nothing bounds it from above, so that it may expire at any time.
    pub const fn is_unknown(&self) -> bool {
        self.latest.is_none()
    }

    /// Whether communication is interrupted: strictly more than
    /// `max-response-delay` since the start (kea-ha §3.1). `None` where the
    /// bounds do not decide it.
    pub fn interrupted(&self, now: CaptureTime, max_response_delay_ms: u32) -> Option<bool> {
        let limit = i64::from(max_response_delay_ms) * MS;
        if self.latest.is_some_and(|latest| now.since(latest) > limit) {
            return Some(true);
        }
        self.earliest.is_some_and(|earliest| now.since(earliest) <= limit).then_some(false)
    }

    /// The instant after which it has certainly expired.
    pub fn expires(&self, max_response_delay_ms: u32) -> Option<CaptureTime> {
        self.latest.map(|latest| latest.plus(i64::from(max_response_delay_ms) * MS))
    }
}

/// What Kea does about the partner's clock (kea-ha §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skew {
    /// Up to 30 s either way.
    Tolerated,
    /// More than 30 s: a warning.
    Warned,
    /// More than 60 s: both servers terminate.
    Fatal,
}

impl Skew {
    /// By the difference in whole seconds; the comparisons are strict.
    pub const fn of(seconds: i64) -> Self {
        match seconds.unsigned_abs() {
            0..=30 => Self::Tolerated,
            31..=60 => Self::Warned,
            _ => Self::Fatal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SECOND;

    #[test]
    fn the_clock_expires_strictly_after_the_delay() {
        let clock = Clock::at(CaptureTime(100 * SECOND));
        for (after, expired) in [(0, false), (6 * SECOND, false), (6 * SECOND + 1, true), (7 * SECOND, true)]
        {
            let now = CaptureTime(100 * SECOND).plus(after);
            assert_eq!(clock.interrupted(now, 6000), Some(expired), "{after}");
        }
        assert_eq!(clock.expires(6000), Some(CaptureTime(106 * SECOND)));
    }

    #[test]
    fn what_bounds_do_not_decide_stays_open() {
        let at = |seconds| CaptureTime(seconds * SECOND);
        let clock = Clock::between(Some(at(100)), Some(at(102)));
        assert_eq!(clock.interrupted(at(106), 6000), Some(false));
        assert_eq!(clock.interrupted(at(107), 6000), None);
        assert_eq!(clock.interrupted(at(109), 6000), Some(true));
        let unseen = Clock::between(None, Some(at(100)));
        assert_eq!(unseen.interrupted(at(101), 6000), None, "it may have run for long already");
        assert_eq!(unseen.interrupted(at(107), 6000), Some(true));
        assert_eq!(Clock::default().interrupted(at(999), 6000), None);
        assert!(Clock::default().is_unknown() && !unseen.is_unknown());
    }

    #[test]
    fn skew_is_compared_strictly_and_either_way() {
        for (seconds, skew) in [
            (0, Skew::Tolerated),
            (30, Skew::Tolerated),
            (-30, Skew::Tolerated),
            (31, Skew::Warned),
            (60, Skew::Warned),
            (-60, Skew::Warned),
            (61, Skew::Fatal),
            (-61, Skew::Fatal),
            (i64::MIN, Skew::Fatal),
        ] {
            assert_eq!(Skew::of(seconds), skew, "{seconds}");
        }
    }
}
