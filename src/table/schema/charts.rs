//! The data behind the charts, as `dorascope chart --data` writes it.

use super::{EPOCH_NS, FRAME_REF, Kind, TEXTS, Table, col};

/// Data of `dorascope chart latency`.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const LATENCY: Table = Table {
    name: "latency",
    meaning: "Chart: one row per server, phase and duration that was seen, in that order.",
    columns: &[
        col("server", Kind::Text, "", "server that answered", "never", 1),
        col("phase", Kind::Text, "word", "discover-offer, request-ack, or lease-update (the part of request-ack that the update to the partner took)", "never", 1),
        col("duration_us", Kind::U64, "µs", "how long it took", "never", 1),
        col("count", Kind::U64, "exchanges", "how many took so long", "never", 1),
        col("cumulative", Kind::F64, "0-1", "share of the server's exchanges that took so long or less", "never", 1),
    ],
};

/// Data of `dorascope chart rate`.
#[rustfmt::skip]
pub const RATE: Table = Table {
    name: "rate",
    meaning: "Chart: one row per span of time and message type, ordered by time.",
    columns: &[
        col("from_ns", Kind::I64, EPOCH_NS, "begin of the span", "never", 1),
        col("span_ns", Kind::I64, "ns", "its length", "never", 1),
        col("message_type", Kind::Text, "word", "type of the messages; other for the rare ones", "never", 1),
        col("messages", Kind::U64, "messages", "how many were sent; a message that several captures show counts once", "never", 1),
    ],
};

/// Data of `dorascope chart secs`.
#[rustfmt::skip]
pub const SECS: Table = Table {
    name: "secs",
    meaning: "Chart: one row per value of secs in a DISCOVER or REQUEST, in ascending order.",
    columns: &[
        col("secs_kea", Kind::U16, "s", "secs as Kea reads it", "never", 1),
        col("swapped", Kind::Bool, "", "whether Kea took the bytes to be the wrong way round and swapped them", "never", 1),
        col("messages", Kind::U64, "messages", "how many said so", "never", 1),
    ],
};

/// Data of `dorascope chart share`.
#[rustfmt::skip]
pub const SHARE: Table = Table {
    name: "share",
    meaning: "Chart: one row per relationship, span of time and server, ordered by time.",
    columns: &[
        col("relationship", Kind::Text, "", "HA relationship of the leases", "they belong to none", 1),
        col("from_ns", Kind::I64, EPOCH_NS, "begin of the span", "never", 1),
        col("span_ns", Kind::I64, "ns", "its length", "never", 1),
        col("server", Kind::Text, "", "server that sent the ACKs", "never", 1),
        col("acks", Kind::U64, "ACKs", "ACKs that bound or extended an address", "never", 1),
        col("new_clients", Kind::U64, "clients", "clients that it served as the first server in the capture", "never", 1),
    ],
};

/// Data of `dorascope chart buckets`.
#[rustfmt::skip]
pub const BUCKETS: Table = Table {
    name: "buckets",
    meaning: "Chart: one row per relationship and hash, in ascending order; 256 per load-balancing relationship.",
    columns: &[
        col("relationship", Kind::Text, "", "load-balancing relationship", "the clients belong to none", 1),
        col("hash", Kind::U8, "0-255", "hash of RFC 3074 over the client's key", "never", 1),
        col("owner", Kind::Text, "", "server that owns the hash", "there is no load-balancing relationship", 1),
        col("clients", Kind::U64, "clients", "clients with this hash", "never", 1),
        col("by_owner", Kind::U64, "exchanges", "how many the owner answered; 0 where there is none", "never", 1),
        col("by_other", Kind::U64, "exchanges", "how many another server answered, or any where there is no owner", "never", 1),
    ],
};

/// Data of `dorascope chart states`.
#[rustfmt::skip]
pub const STATES: Table = Table {
    name: "states",
    meaning: "Chart: one row per server, relationship and interval in which its state did not change, in that order.",
    columns: &[
        col("server", Kind::Text, "", "server", "never", 1),
        col("relationship", Kind::Text, "", "HA relationship", "never", 1),
        col("from_ns", Kind::I64, EPOCH_NS, "begin of the interval", "never", 1),
        col("to_ns", Kind::I64, EPOCH_NS, "its end", "never", 1),
        col("state", Kind::Text, "word", "HA state, in Kea's words", "the server was not running", 1),
        col("scopes", TEXTS, "", "peers whose scopes it served", "never", 2),
        col("basis", Kind::Text, "word", "what the state rests on: heartbeat, control, log, inferred or assumed", "never", 1),
        col("confidence", Kind::F64, "0-1", "how sure it is", "never", 2),
        col("replies", Kind::U64, "messages", "replies of the server to clients of the relationship in the interval", "never", 3),
    ],
};

/// Data of `dorascope chart unacked`.
#[rustfmt::skip]
pub const UNACKED: Table = Table {
    name: "unacked",
    meaning: "Chart: one row per client that a server counted while its partner was silent, by server, relationship and time.",
    columns: &[
        col("server", Kind::Text, "", "server that counted", "never", 1),
        col("relationship", Kind::Text, "", "HA relationship", "never", 1),
        col("ts_ns", Kind::I64, EPOCH_NS, "capture time of the query", "never", 1),
        col("frame", Kind::Text, FRAME_REF, "frame of the query", "never", 1),
        col("chaddr", Kind::Text, "colon hex", "hardware address of the client", "hlen is 0", 1),
        col("secs_kea", Kind::U16, "s", "secs of the query as Kea reads it", "never", 1),
        col("unacked", Kind::Bool, "", "whether this query made the client unacked", "never", 1),
        col("total_unacked", Kind::U32, "clients", "unacked clients after it", "never", 1),
        col("needed", Kind::U32, "clients", "unacked clients at which the partner is taken to be down", "never", 2),
        col("takeover_predicted_ns", Kind::I64, EPOCH_NS, "when the rules make the server change to partner-down", "that did not follow", 2),
        col("takeover_observed_ns", Kind::I64, EPOCH_NS, "when the server first showed it", "no frame shows it", 2),
    ],
};

/// Data of `dorascope chart ladder`.
#[rustfmt::skip]
pub const LADDER: Table = Table {
    name: "ladder",
    meaning: "Chart: one row per arrow, by exchange and time; a query has one for every server that it could reach.",
    columns: &[
        col("exchange_id", Kind::Text, "", "exchange, as in the exchanges table", "never", 3),
        col("ts_ns", Kind::I64, EPOCH_NS, "capture time", "never", 1),
        col("frame", Kind::Text, FRAME_REF, "frame that shows it", "never", 1),
        col("text", Kind::Text, "", "the message in words", "never", 1),
        col("from", Kind::Text, "", "client, relay or server that sent it", "never", 1),
        col("to", Kind::Text, "", "client, relay or server that it reached", "never", 1),
        col("mark", Kind::Text, "word", "arrives, dropped, down, unanswered or unknown", "never", 1),
        col("rule", Kind::Text, "code", "rule of Kea that decided about a query", "it is no query that was decided about", 1),
    ],
};

/// The data behind the charts, in the order of a report.
pub const CHARTS: [&Table; 8] = [&LADDER, &STATES, &UNACKED, &LATENCY, &SHARE, &BUCKETS, &SECS, &RATE];
