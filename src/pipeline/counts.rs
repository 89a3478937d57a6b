//! What became of every frame. The counters balance: frames read = messages +
//! control segments + everything skipped.

use crate::frame::{Skip, SkipCounts};
use crate::units::SourceId;

/// What became of the frames of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// DHCPv4 messages, every sighting counted.
    pub messages: u64,
    /// TCP segments of the control channel.
    pub control: u64,
    /// Other TCP segments.
    pub tcp_other: u64,
    /// Everything else, by reason.
    pub skips: SkipCounts,
    /// Frames of any kind that a snap length cut; they are among the counts above.
    pub cut: u64,
}

impl SourceCounts {
    /// Frames that were accounted for.
    pub fn frames(&self) -> u64 {
        self.messages + self.control + self.skipped()
    }

    /// Frames that were neither a message nor control traffic.
    pub fn skipped(&self) -> u64 {
        self.tcp_other + self.skips.total()
    }

    /// Every reason with a count above zero, `tcp-other` first.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        std::iter::once(("tcp-other", self.tcp_other))
            .chain(self.skips.iter())
            .filter(|(_, count)| *count > 0)
    }
}

/// Counters of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By [`SourceId`].
    pub sources: Vec<SourceCounts>,
    /// Exchanges closed early because the pairing table was full.
    pub evicted: u64,
    /// Replies whose query was not captured.
    pub orphans: u64,
    /// Leases that were no longer followed because too many ran.
    pub forgotten: u64,
}

impl Counts {
    fn of(&mut self, source: SourceId) -> &mut SourceCounts {
        let at = source.0 as usize;
        if at >= self.sources.len() {
            self.sources.resize(at + 1, SourceCounts::default());
        }
        #[expect(clippy::indexing_slicing, reason = "resized above")]
        &mut self.sources[at]
    }

    /// A frame of which the capture kept only the beginning.
    pub fn cut(&mut self, source: SourceId) {
        self.of(source).cut += 1;
    }

    /// A DHCP message.
    pub fn message(&mut self, source: SourceId) {
        self.of(source).messages += 1;
    }

    /// A TCP segment.
    pub fn tcp(&mut self, source: SourceId, control: bool) {
        let counts = self.of(source);
        *(if control { &mut counts.control } else { &mut counts.tcp_other }) += 1;
    }

    /// A frame of no use, with the reason.
    pub fn skip(&mut self, source: SourceId, skip: Skip) {
        self.of(source).skips.count(skip);
    }

    /// The sum over all sources.
    pub fn total(&self) -> SourceCounts {
        self.sources.iter().fold(SourceCounts::default(), |mut sum, one| {
            sum.messages += one.messages;
            sum.control += one.control;
            sum.tcp_other += one.tcp_other;
            sum.skips += one.skips;
            sum.cut += one.cut;
            sum
        })
    }
}
