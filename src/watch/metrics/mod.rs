//! Counters for machines, in Prometheus' text format.
//!
//! ```text
//! families  every metric with its name, its labels and its sentence
//! series    metrics with labels
//! names     servers' names as label values, not too many
//! servers   what the replay says of every server now
//! captured  what the capturing side says of itself
//! serve     the text over HTTP
//! ```
//!
//! What happened is counted when it is told; what is, is set anew with every look.

mod captured;
mod families;
mod names;
mod series;
pub mod serve;
mod servers;

use std::collections::HashMap;

use foldhash::fast::RandomState;
use prometheus_client::encoding::prometheus_text;

pub use self::series::Described;

use self::families::{Capture, Events, Servers};
use self::names::Names;
use self::series::Shelf;
use self::servers::Beats;
use super::Capturing;
use super::told::{Subject, Told, subject};
use crate::exchange::Kind;
use crate::findings::Finding;
use crate::ha::severity::Severity;
use crate::pipeline::{Analysis, Session};
use crate::units::{CaptureTime, ExchangeId, SECOND};

/// An instant as Prometheus has it.
pub(super) fn seconds(time: CaptureTime) -> f64 {
    time.0 as f64 / SECOND as f64
}

/// Whether each of an exchange's times is known: DISCOVER to OFFER, REQUEST to ACK, the lease update.
type Timed = [bool; 3];

/// Every metric with its numbers.
#[derive(Debug)]
pub struct Metrics {
    shelf: Shelf,
    events: Events,
    servers: Servers,
    capture: Capture,
    names: Names,
    beats: Beats,
    /// Exchanges that were told and are not settled: which of their times were observed.
    early: HashMap<ExchangeId, Timed, RandomState>,
    /// The findings with what they counted when they were told last; whoever tells them bounds how many.
    findings: HashMap<Subject, (Severity, u64), RandomState>,
}

impl Metrics {
    /// Metrics of a process that began at an instant.
    pub fn new(started: CaptureTime) -> Self {
        let mut shelf = Shelf::default();
        let (events, servers) = (Events::new(&mut shelf), Servers::new(&mut shelf));
        let capture = Capture::new(&mut shelf);
        let build = shelf.gauge("dorascope_build_info", &["version"], "1, with the program's version");
        build.set([env!("CARGO_PKG_VERSION")], 1.0);
        let process = shelf.gauge(
            "process_start_time_seconds",
            &[],
            "When the process was started, seconds since 1970",
        );
        process.set([], seconds(started));
        Self {
            shelf,
            events,
            servers,
            capture,
            names: Names::default(),
            beats: Beats::default(),
            early: HashMap::default(),
            findings: HashMap::default(),
        }
    }

    /// Counts something that is told.
    pub fn told(&mut self, told: &Told<'_>) {
        match *told {
            Told::Exchange { analysis, at, settled, again } => self.exchange(analysis, at, settled, again),
            Told::Finding { finding, .. } => self.finding(finding),
        }
    }

    /// Sets what is: the servers as a look at the session shows them, and the capturing side.
    pub fn update(&mut self, peek: &Analysis<'_>, session: &Session<'_>, capturing: &Capturing) {
        // What is over and settled is told no more.
        let unsettled = peek.exchanges.first().map_or(ExchangeId(u32::MAX), |exchange| exchange.id);
        self.early.retain(|exchange, _| *exchange >= unsettled);
        session.zones().iter().for_each(|zone| self.events.begin(zone));
        servers::set(&self.servers, &mut self.beats, &mut self.names, peek);
        captured::count(&self.capture, &mut self.names, peek, session);
        captured::set(&self.capture, capturing);
    }

    /// Everything in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Only what is written to may fail, and a String does not.
        let _ = prometheus_text::encode(&mut text, &self.shelf.registry);
        text
    }

    /// Every metric, also those that have no number yet.
    pub fn described(&self) -> &[Described] {
        &self.shelf.described
    }

    fn exchange(&mut self, analysis: &Analysis<'_>, at: usize, settled: bool, again: bool) {
        let Some((exchange, judgement)) = analysis.exchanges.get(at).zip(analysis.judgements.get(at)) else {
            return;
        };
        let zone = exchange.zone(&analysis.messages);
        let zone = analysis.network.zones.get(usize::from(zone.0)).map_or("", String::as_str);
        let outcome = exchange.outcome(&analysis.messages).as_str();
        let counter = if again { &self.events.revised } else { &self.events.exchanges };
        counter.count([zone, outcome, judgement.verdict.code()]);

        let observed = self.early.remove(&exchange.id).unwrap_or([again; 3]);
        let server = judgement.answered_by.map(|server| self.names.of(&analysis.network, server));
        let server = server.as_deref().unwrap_or_default();
        let times = [
            (&self.events.discover_offer, judgement.discover_offer_us),
            // An INFORM is acknowledged too, and asks for no lease.
            (&self.events.request_ack, judgement.request_ack_us.filter(|_| exchange.kind != Kind::Inform)),
            (&self.events.lease_update, judgement.update_rtt_us),
        ];
        for ((histogram, micros), _) in times.iter().zip(observed).filter(|(_, observed)| !observed) {
            if let Some(micros) = micros {
                histogram.observe([zone, server], *micros);
            }
        }
        if !settled {
            let mut at = 0;
            let timed = observed.map(|observed| {
                at += 1;
                observed || times.get(at - 1).is_some_and(|(_, micros)| micros.is_some())
            });
            self.early.insert(exchange.id, timed);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let subject = subject(finding);
        let before = self.findings.insert(subject, (finding.severity, finding.count));
        let add = |severity: Severity, findings: f64, occurrences: f64| {
            let labels = [finding.code.code(), severity.as_str()];
            self.events.findings.add(labels, findings);
            self.events.occurrences.add(labels, occurrences);
        };
        if let Some((severity, count)) = before {
            add(severity, -1.0, -(count as f64));
        }
        add(finding.severity, 1.0, finding.count as f64);
    }
}
