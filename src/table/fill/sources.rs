use super::Filler;
use crate::cells;
use crate::table::{Cell, Rows, schema};
use crate::units::FrameRef;

impl Filler<'_> {
    /// One row per capture source.
    pub fn sources(&self) -> Rows {
        let mut rows = Rows::new(&schema::SOURCES);
        for source in &self.analysis.sources {
            let counts = self.analysis.counts.sources.get(source.id.0 as usize).copied().unwrap_or_default();
            let skipped =
                counts.reasons().map(|(reason, frames)| Cell::Struct(cells![reason, frames].to_vec()));
            rows.push(&cells![
                self.source(FrameRef { source: source.id, number: 0 }),
                &source.zone,
                &source.format,
                source.link_name(),
                source.interface.as_deref(),
                source.first,
                source.last,
                source.frames,
                counts.messages,
                counts.control,
                skipped.collect::<Vec<_>>(),
                counts.cut,
                source.dropped_kernel,
            ]);
        }
        rows
    }
}
