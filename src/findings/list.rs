//! The list of findings while it is made: what one finding is, and how
//! repeated occurrences become one row.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use smallvec::SmallVec;

use crate::ha::catalogue::FindingCode;
pub use crate::ha::severity::Severity;
use crate::units::{CaptureTime, FrameRef, HwAddr, ServerId, ZoneId};

/// Frames kept per finding; the count goes on.
const FRAMES: usize = 16;
/// Findings kept per code; what befalls further clients and servers is counted in one more.
/// Nobody reads so many rows, and a hostile capture makes a client of every frame.
pub(super) const SUBJECTS: usize = 4096;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: FindingCode,
    /// How much it matters.
    pub severity: Severity,
    /// First occurrence.
    pub first: CaptureTime,
    /// Last occurrence.
    pub last: CaptureTime,
    /// Occurrences; what is counted says the sentence.
    pub count: u64,
    /// Where; absent when it concerns no single zone.
    pub zone: Option<ZoneId>,
    /// The server concerned.
    pub server: Option<ServerId>,
    /// The client concerned.
    pub client: Option<HwAddr>,
    /// The finding in a sentence: of its most severe occurrence, the first of them.
    pub text: String,
    /// The first frames, at most sixteen.
    pub frames: Vec<FrameRef>,
}

/// What a finding is about: occurrences that agree in all but the zone are one finding.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    pub(super) code: FindingCode,
    pub(super) severity: Severity,
    pub(super) zone: Option<ZoneId>,
    pub(super) server: Option<ServerId>,
    pub(super) client: Option<HwAddr>,
}

impl About {
    pub(super) const fn new(code: FindingCode, severity: Severity) -> Self {
        Self { code, severity, zone: None, server: None, client: None }
    }

    pub(super) const fn zone(self, zone: ZoneId) -> Self {
        Self { zone: Some(zone), ..self }
    }

    pub(super) const fn server(self, server: Option<ServerId>) -> Self {
        Self { server, ..self }
    }

    pub(super) const fn client(self, client: HwAddr) -> Self {
        Self { client: Some(client), ..self }
    }
}

/// Occurrences of one thing, for findings whose sentence is known only at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    span: Option<Span>,
    pub(super) count: u64,
    /// Most tallies stay with one or two, which then need no allocation.
    frames: SmallVec<[FrameRef; 2]>,
}

impl Tally {
    /// One more occurrence.
    pub(super) fn add(&mut self, time: CaptureTime, at: FrameRef) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
        self.count += 1;
        self.show(at);
    }

    /// A further frame of an occurrence.
    pub(super) fn show(&mut self, at: FrameRef) {
        if self.frames.len() < FRAMES && !self.frames.contains(&at) {
            self.frames.push(at);
        }
    }

    /// First and last occurrence; absent while there is none.
    pub(super) const fn span(&self) -> Option<Span> {
        self.span
    }
}

/// First and last occurrence, and how many.
type Counted = (Span, u64);
type Span = (CaptureTime, CaptureTime);

type Key = (FindingCode, Option<ServerId>, Option<HwAddr>);

/// The findings so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    by_subject: BTreeMap<Key, Finding>,
    whole: Vec<Finding>,
    /// Findings of each code.
    kept: BTreeMap<FindingCode, usize>,
    /// What befell more clients and servers than are kept.
    others: BTreeMap<FindingCode, Finding>,
}

impl Findings {
    /// One occurrence. Those of one code, server and client become one finding
    /// with the highest severity and the sentence that belongs to it.
    pub(super) fn add(
        &mut self,
        about: About,
        time: CaptureTime,
        at: FrameRef,
        text: impl FnOnce() -> String,
    ) {
        self.told(about, time, &[at], text);
    }

    /// One occurrence that any number of frames show.
    pub(super) fn told(
        &mut self,
        about: About,
        time: CaptureTime,
        frames: &[FrameRef],
        text: impl FnOnce() -> String,
    ) {
        self.several(about, ((time, time), 1), frames, text);
    }

    /// What was counted of one subject before; nothing when there is nothing.
    pub(super) fn counted(&mut self, about: About, tally: &Tally, text: impl FnOnce() -> String) {
        if let Some(span) = tally.span {
            self.several(about, (span, tally.count), &tally.frames, text);
        }
    }

    fn several(
        &mut self,
        about: About,
        counted: Counted,
        frames: &[FrameRef],
        text: impl FnOnce() -> String,
    ) {
        let new = Finding::new(about, counted.0);
        let finding = match self.by_subject.entry((about.code, about.server, about.client)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) if has_room(&mut self.kept, about.code) => place.insert(new),
            Entry::Vacant(_) => self.others.entry(about.code).or_insert_with(|| new.of_nobody()),
        };
        finding.grow(about.severity, counted, frames, text);
    }

    /// A finding of its own, whose occurrences were counted before; nothing when there were none.
    pub(super) fn whole(&mut self, about: About, tally: Tally, text: String) {
        let Some(span) = tally.span else { return };
        let new = Finding::new(about, span);
        if has_room(&mut self.kept, about.code) {
            let (count, frames) = (tally.count, tally.frames.into_vec());
            self.whole.push(Finding { count, text, frames, ..new });
        } else {
            let others = self.others.entry(about.code).or_insert_with(|| new.of_nobody());
            others.grow(about.severity, (span, tally.count), &tally.frames, || text);
        }
    }

    /// Occurrences that were forgotten because there are more than [`SUBJECTS`] of them by far.
    pub(super) fn forgotten(&mut self, code: FindingCode, count: u64) {
        if let Some(others) = self.others.get_mut(&code) {
            others.count += count;
        }
    }

    /// Puts before these what was told earlier and kept apart.
    pub(super) fn begin_with(&mut self, earlier: Self, holds: impl Fn(&Finding) -> bool) {
        for finding in earlier.by_subject.into_values().chain(earlier.others.into_values()) {
            if !holds(&finding) {
                continue;
            }
            let Finding { code, severity, first, last, count, zone, server, client, .. } = finding;
            let about = About { code, severity, zone, server, client };
            let later = self.by_subject.remove(&(code, server, client));
            if later.is_some() {
                self.kept.entry(code).and_modify(|kept| *kept -= 1);
            }
            self.several(about, ((first, last), count), &finding.frames, || finding.text);
            if let Some(later) = later {
                let span = ((later.first, later.last), later.count);
                let about = About { severity: later.severity, ..about };
                self.several(about, span, &later.frames, || later.text);
            }
        }
    }

    /// Every finding, the most severe first.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut list: Vec<Finding> = self.by_subject.into_values().chain(self.whole).collect();
        list.extend(self.others.into_values().map(|mut others| {
            others.text =
                format!("{} more, beyond the {SUBJECTS} that are listed: {}", others.count, others.text);
            others
        }));
        list.sort_by_key(|it| (Reverse(it.severity), it.first, it.code, it.zone, it.server));
        list
    }
}

/// Counts a further finding of a code, if it may be kept.
fn has_room(kept: &mut BTreeMap<FindingCode, usize>, code: FindingCode) -> bool {
    let kept = kept.entry(code).or_default();
    let room = *kept < SUBJECTS;
    *kept += usize::from(room);
    room
}

impl Finding {
    /// One without occurrences yet.
    fn new(about: About, (first, last): Span) -> Self {
        let About { code, severity, zone, server, client } = about;
        let (count, text, frames) = (0, String::new(), Vec::new());
        Self { code, severity, first, last, count, zone, server, client, text, frames }
    }

    /// One that many share.
    fn of_nobody(self) -> Self {
        Self { zone: None, server: None, client: None, ..self }
    }

    fn grow(
        &mut self,
        severity: Severity,
        ((first, last), count): Counted,
        frames: &[FrameRef],
        text: impl FnOnce() -> String,
    ) {
        if self.count == 0 || severity > self.severity {
            self.severity = severity;
            self.text = text();
        }
        self.count += count;
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        let room = FRAMES.saturating_sub(self.frames.len());
        self.frames.extend(frames.iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(at: usize) -> HwAddr {
        HwAddr::new(&(at as u64).to_be_bytes())
    }

    fn about(at: usize) -> About {
        About::new(FindingCode::MalformedMessage, Severity::Note).client(client(at))
    }

    fn tell(findings: &mut Findings, at: usize, time: i64) {
        findings.add(about(at), CaptureTime(time), FrameRef::default(), || format!("client {at}"));
    }

    #[test]
    fn what_is_beyond_the_list_is_counted() {
        let mut findings = Findings::default();
        for at in 0..SUBJECTS + 10 {
            tell(&mut findings, at, i64::try_from(at).unwrap());
            tell(&mut findings, 0, i64::try_from(at).unwrap());
        }
        findings.forgotten(FindingCode::MalformedMessage, 5);
        let list = findings.finish();
        assert_eq!(list.len(), SUBJECTS + 1);
        assert_eq!(list.iter().map(|it| it.count).sum::<u64>(), 2 * (SUBJECTS as u64 + 10) + 5);
        let others = list.last().unwrap();
        assert_eq!((others.client, others.count, others.frames.len()), (None, 15, 10));
        assert_eq!(others.text, "15 more, beyond the 4096 that are listed: client 4096");
    }

    #[test]
    fn what_was_told_earlier_comes_first() {
        let (mut earlier, mut later) = (Findings::default(), Findings::default());
        tell(&mut earlier, 1, 10);
        tell(&mut earlier, 2, 11);
        tell(&mut earlier, 3, 12);
        later.add(about(2), CaptureTime(20), FrameRef::default(), || "again".to_owned());
        later.begin_with(earlier, |finding| finding.client != Some(client(3)));
        let rows: Vec<_> = later.finish().into_iter().map(|it| (it.text, it.count, it.last.0)).collect();
        assert_eq!(rows, [("client 1".to_owned(), 1, 10), ("client 2".to_owned(), 2, 20)]);
    }
}
