//! Where a frame is found again: the file that it is recorded to and its number there, or
//! the interface and a number of its own.

use dorascope::capture::live::{Interface, Tap};
use dorascope::capture::recorder::{Place, Recorder};
use dorascope::capture::{LinkType, Source};
use dorascope::pipeline::Session;
use dorascope::units::{FrameRef, SourceId};

/// An interface, for its sources.
#[derive(Clone, Debug)]
pub struct Described {
    pub interface: String,
    pub zone: String,
    pub link: LinkType,
    pub snaplen: u32,
}

impl Described {
    pub fn of(tap: &Tap) -> Self {
        let Interface { name, zone } = tap.interface.clone();
        Self { interface: name, zone, link: tap.link, snaplen: tap.snaplen }
    }
}

/// Gives frames their places.
#[derive(Debug, Default)]
pub struct Places {
    taps: Vec<Described>,
    /// The sources of the present file, by interface, and the file's number.
    recorded: (u64, Vec<SourceId>),
    /// Those of frames that are not recorded.
    unrecorded: Vec<SourceId>,
    number: u64,
}

impl Places {
    pub fn new(taps: Vec<Described>) -> Self {
        Self { taps, ..Self::default() }
    }

    /// Another session knows none of the sources.
    pub fn forget(&mut self) {
        self.recorded.1.clear();
        self.unrecorded.clear();
    }

    /// Makes the sources known that frames will have, so that they are told although none comes.
    pub fn announce(&mut self, session: &mut Session<'_>, recorder: Option<&Recorder>) {
        match recorder {
            Some(recorder) => self.follow(session, recorder),
            None => self.add_unrecorded(session),
        }
    }

    /// The place of a frame of an interface, which was put there in a recording.
    pub fn of(
        &mut self,
        session: &mut Session<'_>,
        tap: usize,
        recorded: Option<(&Recorder, Option<Place>)>,
    ) -> FrameRef {
        if let Some((recorder, Some(place))) = recorded {
            if self.recorded.0 != place.file || self.recorded.1.is_empty() {
                self.follow(session, recorder);
            }
            let source = self.recorded.1.get(tap).copied().unwrap_or_default();
            return FrameRef { source, number: place.frame };
        }
        if self.unrecorded.is_empty() {
            self.add_unrecorded(session);
        }
        self.number += 1;
        FrameRef { source: self.unrecorded.get(tap).copied().unwrap_or_default(), number: self.number }
    }

    /// The source that a frame of an interface would have now.
    pub fn source(&self, tap: usize) -> Option<SourceId> {
        let list = if self.recorded.1.is_empty() { &self.unrecorded } else { &self.recorded.1 };
        list.get(tap).copied()
    }

    fn follow(&mut self, session: &mut Session<'_>, recorder: &Recorder) {
        let Some(path) = recorder.path() else { return };
        let name = path.to_string_lossy().into_owned();
        let file = |tap: &Described| session.add_source(source(tap, &name, "pcapng", Some(0)));
        self.recorded = (recorder.begun(), self.taps.iter().map(file).collect());
    }

    fn add_unrecorded(&mut self, session: &mut Session<'_>) {
        let live = |tap: &Described| session.add_source(source(tap, &tap.interface, "live", Some(0)));
        self.unrecorded = self.taps.iter().map(live).collect();
    }
}

fn source(tap: &Described, name: &str, format: &str, dropped_kernel: Option<u64>) -> Source {
    Source {
        id: SourceId::default(),
        name: name.to_owned(),
        zone: tap.zone.clone(),
        format: format.to_owned(),
        link: tap.link,
        interface: Some(tap.interface.clone()),
        snaplen: Some(tap.snaplen),
        first: None,
        last: None,
        frames: 0,
        untimed: 0,
        unordered: 0,
        dropped_kernel,
        cut: None,
    }
}
