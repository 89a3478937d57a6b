use super::Filler;
use crate::capture::Source;
use crate::table::put::{List, row};
use crate::table::stream::{Entries, Place};
use crate::table::texts::Word;
use crate::table::{Rows, schema};
use crate::units::FrameRef;

impl Filler<'_> {
    /// One row per capture source.
    pub fn sources(&self) -> Rows {
        self.rows(&schema::SOURCES, &self.source_entries())
    }

    /// In the order of the command line.
    pub(in crate::table) fn source_entries(&self) -> Entries<'_> {
        let sources = &self.analysis.sources;
        Entries {
            count: sources.len(),
            place: Box::new(|_| Place::default()),
            push: Box::new(move |rows, at| {
                if let Some(source) = sources.get(at) {
                    self.source_row(rows, source);
                }
            }),
        }
    }

    fn source_row(&self, rows: &mut Rows, source: &Source) {
        let counts = self.analysis.counts.sources.get(source.id.0 as usize).copied().unwrap_or_default();
        let skipped = counts.reasons().map(|(reason, frames)| (Word(reason), frames));
        row![rows;
            self.source_of(FrameRef { source: source.id, number: 0 }),
            source.zone.as_str(),
            &*source.format,
            source.link_name(),
            source.interface.as_deref(),
            source.first,
            source.last,
            source.frames,
            counts.messages,
            counts.control,
            List(skipped),
            counts.cut,
            source.dropped_kernel,
        ];
    }
}
