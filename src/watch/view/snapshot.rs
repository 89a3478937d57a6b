//! Everything that is shown of an instant.

use std::sync::Arc;

use super::{Group, Row, Told};
use crate::units::CaptureTime;
use crate::watch::Capturing;

/// What there is to be seen at an instant. It owns its data, and every list in it is bounded.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Everything captured before this instant was analysed.
    pub clock: CaptureTime,
    /// What the capturing side says about itself.
    pub capturing: Capturing,
    /// Messages per second from look to look, the latest last.
    pub rates: Vec<f64>,
    /// The relationships with their servers.
    pub groups: Vec<Group>,
    /// Servers that are in no relationship, and their addresses.
    pub strangers: Vec<String>,
    /// Pairs, modes and roles were concluded from the heartbeats.
    pub inferred: bool,
    /// Exchanges, the newest first.
    pub exchanges: Vec<Arc<Row>>,
    /// Findings, the most severe first.
    pub findings: Vec<Told>,
    /// Findings that are not listed.
    pub more_findings: usize,
}

impl Snapshot {
    /// Exchanges so far, those that are not listed any more included.
    pub fn begun(&self) -> u64 {
        self.exchanges.first().map_or(0, |newest| u64::from(newest.id.0) + 1)
    }
}
