use super::Filler;
use crate::findings::Finding;
use crate::table::put::{List, row};
use crate::table::stream::{Entries, Place};
use crate::table::texts::Word;
use crate::table::{Rows, schema};

impl Filler<'_> {
    /// One row per finding.
    pub fn findings(&self) -> Rows {
        self.finding_rows(self.found())
    }

    /// The same for findings of several batches.
    pub fn finding_rows(&self, findings: &[Finding]) -> Rows {
        self.rows(&schema::FINDINGS, &self.finding_entries(findings))
    }

    /// In the order of the findings.
    pub(in crate::table) fn finding_entries<'f>(&'f self, findings: &'f [Finding]) -> Entries<'f> {
        Entries {
            count: findings.len(),
            place: Box::new(|_| Place::default()),
            push: Box::new(move |rows, at| {
                if let Some(finding) = findings.get(at) {
                    self.finding(rows, finding);
                }
            }),
        }
    }

    fn finding(&self, rows: &mut Rows, finding: &Finding) {
        let client = finding
            .client
            .filter(|mac| !mac.is_empty())
            .map(|mac| self.analysis.client_name(mac).map_or_else(|| mac.to_string(), str::to_owned));
        row![rows;
            Word(finding.code.code()),
            Word(finding.severity.as_str()),
            finding.first,
            finding.last,
            finding.count,
            finding.zone.map(|zone| self.zone(zone)),
            finding.server.map(|server| self.server(server)),
            client,
            finding.text.as_str(),
            List(finding.frames.iter().map(|at| self.frame_name(*at))),
        ];
    }
}
