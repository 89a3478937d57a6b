use super::Filler;
use crate::cells;
use crate::table::{Cell, Rows, schema};

impl Filler<'_> {
    /// One row per finding.
    pub fn findings(&self) -> Rows {
        let mut rows = Rows::new(&schema::FINDINGS);
        for finding in self.found() {
            let client = finding
                .client
                .filter(|mac| !mac.is_empty())
                .map(|mac| self.analysis.client_name(mac).map_or_else(|| mac.to_string(), str::to_owned));
            rows.push(&cells![
                finding.code.code(),
                finding.severity.as_str(),
                finding.first,
                finding.last,
                finding.count,
                finding.zone.map(|zone| self.zone(zone)),
                finding.server.map(|server| self.server(server)),
                client,
                &finding.text,
                finding.frames.iter().map(|at| self.frame(*at)).collect::<Cell<'_>>(),
            ]);
        }
        rows
    }
}
