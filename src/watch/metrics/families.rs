//! Every metric with its name, its labels and its sentence.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use super::series::{Gauge, Series, Shelf};
use crate::exchange::Outcome;
use crate::ha::catalogue::Verdict;

/// With which outcomes a verdict may come.
const fn outcomes(verdict: Verdict) -> &'static [Outcome] {
    match verdict {
        Verdict::OwnerAnswered
        | Verdict::PartnerTookOver
        | Verdict::AnsweredWithoutHa
        | Verdict::AnsweredUnexplained
        | Verdict::WrongServerAnswered => &[Outcome::Bound],
        Verdict::BothAnswered => &[Outcome::Bound, Outcome::Nak, Outcome::OfferOnly],
        Verdict::AckWithheld | Verdict::NoAck => &[Outcome::NoAck],
        Verdict::OwnerDown | Verdict::OwnerSilent | Verdict::NobodyListens | Verdict::NoAnswer => {
            &[Outcome::NoAnswer]
        }
        Verdict::OfferNotTaken => &[Outcome::OfferOnly],
        Verdict::Refused => &[Outcome::Nak],
        Verdict::Informed => &[Outcome::Informed],
        Verdict::Released => &[Outcome::Released],
        Verdict::Declined => &[Outcome::Declined],
    }
}

/// What is told: exchanges and findings.
#[derive(Clone, Debug)]
pub(super) struct Events {
    pub(super) exchanges: Series<Counter, 3>,
    pub(super) revised: Series<Counter, 3>,
    pub(super) discover_offer: Series<Histogram, 2>,
    pub(super) request_ack: Series<Histogram, 2>,
    pub(super) lease_update: Series<Histogram, 2>,
    pub(super) findings: Series<Gauge, 2>,
    pub(super) occurrences: Series<Gauge, 2>,
}

impl Events {
    /// Begins every count of a zone at 0. A counter that is first seen at 1 has not grown for
    /// Prometheus, and the rarest verdicts are those that matter.
    pub(super) fn begin(&self, zone: &str) {
        for verdict in Verdict::ALL {
            for outcome in outcomes(*verdict) {
                self.exchanges.add([zone, outcome.as_str(), verdict.code()], 0);
            }
        }
    }

    pub(super) fn new(shelf: &mut Shelf) -> Self {
        const EXCHANGE: &[&str; 3] = &["zone", "outcome", "verdict"];
        const ANSWER: &[&str; 2] = &["zone", "server"];
        const FINDING: &[&str; 2] = &["code", "severity"];
        Self {
            exchanges: shelf.counter(
                "dorascope_exchanges_total",
                EXCHANGE,
                "Exchanges between a client and the servers, by what came of them when they were told first",
            ),
            revised: shelf.counter(
                "dorascope_exchanges_revised_total",
                EXCHANGE,
                "Exchanges that were told again, by what came of them in the end",
            ),
            discover_offer: shelf.histogram(
                "dorascope_discover_offer_seconds",
                ANSWER,
                "Time from the answered DISCOVER to the OFFER, by the server that offered",
            ),
            request_ack: shelf.histogram(
                "dorascope_request_ack_seconds",
                ANSWER,
                "Time from the answered REQUEST to its ACK or NAK, by the server that answered",
            ),
            lease_update: shelf.histogram(
                "dorascope_lease_update_seconds",
                ANSWER,
                "Time of the lease update to the partner between REQUEST and ACK, by the server that answered",
            ),
            findings: shelf.gauge(
                "dorascope_findings",
                FINDING,
                "Findings so far, each about one client, server or zone",
            ),
            occurrences: shelf.gauge(
                "dorascope_finding_occurrences",
                FINDING,
                "Occurrences that the findings count so far",
            ),
        }
    }
}

/// What the servers are known to be.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    pub(super) state: Series<Gauge, 3>,
    pub(super) serves: Series<Gauge, 3>,
    pub(super) unacked: Series<Gauge, 2>,
    pub(super) limit: Series<Gauge, 2>,
    pub(super) heartbeat: Series<Gauge, 2>,
}

impl Servers {
    pub(super) fn new(shelf: &mut Shelf) -> Self {
        const SEAT: &[&str; 2] = &["server", "relationship"];
        Self {
            state: shelf.gauge(
                "dorascope_server_state",
                &["server", "relationship", "state"],
                "1 for the HA state that the server was last shown in, 0 for the others; unavailable while it refuses connections, unknown before anything shows it",
            ),
            serves: shelf.gauge(
                "dorascope_server_serves_scope",
                &["server", "relationship", "scope"],
                "Whether the server answers for the scope, named by the server that owns it",
            ),
            unacked: shelf.gauge(
                "dorascope_unacked_clients",
                SEAT,
                "Clients that the server counts as unacked since its partner last answered a heartbeat",
            ),
            limit: shelf.gauge(
                "dorascope_unacked_clients_limit",
                SEAT,
                "The server's max-unacked-clients; more of them let it take over",
            ),
            heartbeat: shelf.gauge(
                "dorascope_last_heartbeat_timestamp_seconds",
                SEAT,
                "When the server last answered a heartbeat of its partner, seconds since 1970",
            ),
        }
    }
}

/// What the capturing side says of itself, and the messages it brought.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    pub(super) messages: Series<Counter, 3>,
    pub(super) frames: Series<Counter, 2>,
    pub(super) control: Series<Counter, 2>,
    pub(super) dropped: Series<Counter, 3>,
    pub(super) skipped: Series<Counter, 2>,
    pub(super) up: Series<Gauge, 2>,
    pub(super) backlog: Series<Gauge, 0>,
    pub(super) backlog_limit: Series<Gauge, 0>,
    pub(super) recording_up: Series<Gauge, 0>,
    pub(super) recording_bytes: Series<Gauge, 0>,
    pub(super) unrecorded: Series<Counter, 0>,
    pub(super) lines_dropped: Series<Counter, 0>,
    pub(super) held: Series<Gauge, 1>,
    pub(super) held_bytes: Series<Gauge, 1>,
    pub(super) clock: Series<Gauge, 0>,
}

impl Capture {
    pub(super) fn new(shelf: &mut Shelf) -> Self {
        const TAP: &[&str; 2] = &["zone", "interface"];
        Self {
            messages: shelf.counter(
                "dorascope_messages_total",
                &["zone", "type", "server"],
                "DHCP messages, every copy counted; server is who sent it, empty for clients",
            ),
            frames: shelf.counter("dorascope_frames_total", TAP, "Frames captured"),
            control: shelf.counter(
                "dorascope_control_segments_total",
                TAP,
                "TCP segments of the servers' control channel captured",
            ),
            dropped: shelf.counter(
                "dorascope_frames_dropped_total",
                &["zone", "interface", "where"],
                "Frames dropped: by the kernel, or in the queue before the analysis",
            ),
            skipped: shelf.counter(
                "dorascope_frames_skipped_total",
                &["zone", "reason"],
                "Frames that were neither a DHCP message nor control traffic, by the reason",
            ),
            up: shelf.gauge(
                "dorascope_interface_up",
                TAP,
                "Whether the interface is captured on; otherwise it is down or gone",
            ),
            backlog: shelf.gauge("dorascope_backlog_bytes", &[], "Frames that wait to be analysed"),
            backlog_limit: shelf.gauge(
                "dorascope_backlog_limit_bytes",
                &[],
                "Frames that may wait to be analysed before some are dropped",
            ),
            recording_up: shelf.gauge(
                "dorascope_recording_up",
                &[],
                "Whether the recording can be written; absent without one",
            ),
            recording_bytes: shelf.gauge(
                "dorascope_recording_file_bytes",
                &[],
                "The present file of the recording; absent without one",
            ),
            unrecorded: shelf.counter(
                "dorascope_frames_unrecorded_total",
                &[],
                "Frames that could not be recorded",
            ),
            lines_dropped: shelf.counter(
                "dorascope_lines_dropped_total",
                &[],
                "Lines for standard output that its reader was too slow for",
            ),
            held: shelf.gauge(
                "dorascope_held",
                &["what"],
                "Things held in memory for the analysis, each kind of which has a bound",
            ),
            held_bytes: shelf.gauge(
                "dorascope_held_bytes",
                &["what"],
                "Bytes held in memory for the analysis, which have a bound too",
            ),
            clock: shelf.gauge(
                "dorascope_clock_timestamp_seconds",
                &[],
                "Everything captured before this instant was analysed, seconds since 1970",
            ),
        }
    }
}
