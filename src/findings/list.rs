//! The list of findings while it is made: what one finding is, and how
//! repeated occurrences become one row.

use std::collections::BTreeMap;

use crate::ha::catalogue::FindingCode;
pub use crate::ha::severity::Severity;
use crate::units::{CaptureTime, FrameRef, HwAddr, ServerId, ZoneId};

/// Frames kept per finding; the count goes on.
const FRAMES: usize = 16;

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
    span: Option<(CaptureTime, CaptureTime)>,
    pub(super) count: u64,
    frames: Vec<FrameRef>,
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
    pub(super) const fn span(&self) -> Option<(CaptureTime, CaptureTime)> {
        self.span
    }
}

type Key = (FindingCode, Option<ServerId>, Option<HwAddr>);

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    by_subject: BTreeMap<Key, Finding>,
    whole: Vec<Finding>,
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
        let About { code, severity, zone, server, client } = about;
        let finding = self.by_subject.entry((code, server, client)).or_insert_with(|| Finding {
            code,
            severity,
            first: time,
            last: time,
            count: 0,
            zone,
            server,
            client,
            text: String::new(),
            frames: Vec::new(),
        });
        if finding.count == 0 || severity > finding.severity {
            finding.severity = severity;
            finding.text = text();
        }
        finding.count += 1;
        finding.first = finding.first.min(time);
        finding.last = finding.last.max(time);
        let room = FRAMES.saturating_sub(finding.frames.len());
        finding.frames.extend(frames.iter().take(room));
    }

    /// A finding of its own, whose occurrences were counted before; nothing when there were none.
    pub(super) fn whole(&mut self, about: About, tally: Tally, text: String) {
        let About { code, severity, zone, server, client } = about;
        let Some((first, last)) = tally.span else { return };
        let (count, frames) = (tally.count, tally.frames);
        self.whole.push(Finding { code, severity, first, last, count, zone, server, client, text, frames });
    }

    /// Every finding, the most severe first.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut list: Vec<Finding> = self.by_subject.into_values().chain(self.whole).collect();
        list.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.first, it.code, it.zone, it.server));
        list
    }
}
