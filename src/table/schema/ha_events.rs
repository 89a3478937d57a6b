//! One row per thing that happened between HA partners.

use super::{EPOCH_NS, Kind, TEXTS, Table, col};

/// One row per HA event, ordered by time.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const HA_EVENTS: Table = Table {
    name: "ha_events",
    meaning: "One row per HA event between partners, from control traffic, logs and inference; ordered by ts_ns, source, frame.",
    columns: &[
        col("ts_ns", Kind::I64, EPOCH_NS, "when it happened, in capture time", "never", 1),
        col("source", Kind::Text, "", "capture or log that shows it", "it is inferred from several", 5),
        col("frame", Kind::U64, "from 1", "frame in that capture, or line in that log", "it is inferred from several", 2),
        col("relationship", Kind::Text, "", "HA relationship it belongs to", "it is unknown", 6),
        col("server", Kind::Text, "", "machine whose state it is (heartbeat, refused, timeout), else the one that sent the command", "never", 1),
        col("peer", Kind::Text, "", "its partner in this event", "there is none (state)", 3),
        col("kind", Kind::Text, "word", "heartbeat, lease-update, lease-delete, sync, maintenance, disable, enable, state, unacked, refused, timeout, tls, …", "never", 1),
        col("state", Kind::Text, "Kea's word", "HA state that the event reports", "it reports none", 2),
        col("scopes", TEXTS, "peer names", "scopes that the event reports as served", "it reports none", 4),
        col("result", Kind::Text, "code", "Kea's result code with its word, or the HTTP status", "no response was seen", 4),
        col("rtt_us", Kind::U64, "µs", "command to its response", "no response was seen", 4),
        col("ip", Kind::Text, "IPv4 address", "lease of a lease update", "it concerns no lease", 5),
        col("chaddr", Kind::Text, "colon hex", "hardware address of that lease, or of the client that was counted", "it concerns no client", 7),
        col("client_id", Kind::Text, "colon hex", "client identifier of that lease or client", "it concerns no client, or the client has none", 8),
        col("basis", Kind::Text, "word", "heartbeat, control, log or inferred", "never", 5),
        col("text", Kind::Text, "", "the event as one sentence", "never", 3),
    ],
};
