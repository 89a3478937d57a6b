//! One row per query and server.

use super::{EPOCH_NS, FRAME_REF, Kind, TEXTS, Table, col};

/// One row per query and server that could hear it, ordered by the query.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const DECISIONS: Table = Table {
    name: "decisions",
    meaning: "One row per query and server that could hear it: what Kea's rules expect, what was observed, and why; ordered by ts_ns, source, frame, server.",
    columns: &[
        col("zone", Kind::Text, "", "zone of the query", "never", 3),
        col("source", Kind::Text, "", "capture that holds the query", "never", 4),
        col("frame", Kind::U64, "from 1", "frame of the query in its capture", "never", 1),
        col("ts_ns", Kind::I64, EPOCH_NS, "capture time of the query", "never", 3),
        col("message_type", Kind::Text, "", "DISCOVER, REQUEST, DECLINE, RELEASE, INFORM, …", "never", 1),
        col("xid", Kind::Text, "8 hex digits", "transaction identifier of the query", "never", 6),
        col("chaddr", Kind::Text, "colon hex", "client hardware address", "hlen is 0", 2),
        col("client_id", Kind::Text, "colon hex", "option 61 of the query", "the option is absent", 8),
        col("server", Kind::Text, "", "machine that the row speaks of", "never", 1),
        col("relationship", Kind::Text, "", "HA relationship that decides for this query", "the server has none for it", 6),
        col("heard", Kind::Text, "word", "yes: it answered, or has an interface in the zone and showed life around that time; likely: an interface, but no sign of life; unknown: neither, or it was down", "never", 5),
        col("state", Kind::Text, "Kea's word", "HA state of the server at that instant", "it has no relationship, or nothing is known", 3),
        col("basis", Kind::Text, "word", "evidence for the state: heartbeat, control, log, inferred or assumed", "state is null", 5),
        col("scopes", TEXTS, "peer names", "scopes the server was serving", "nothing is known", 7),
        col("owner", Kind::Text, "", "server whose scope the query belongs to", "the relationship is unknown", 5),
        col("expected", Kind::Text, "word", "what the rules expect: answer, ignore or unknown", "never", 2),
        col("observed", Kind::Text, "word", "what the captures show: answered, silent, or unknown where a reply could not be seen", "never", 2),
        col("agrees", Kind::Bool, "", "whether observed is what was expected", "either is unknown", 2),
        col("rule", Kind::Text, "code", "the rule of Kea that decided; see dorascope explain CODE", "never", 1),
        col("confidence", Kind::F64, "0-1", "how sure expected is; 0.9 and above means we would bet on it", "never", 3),
        col("reply_frame", Kind::Text, FRAME_REF, "the server's reply to this query", "no reply was seen", 4),
        col("evidence", TEXTS, FRAME_REF, "frames that prove state and rule, the best first; empty when the state is assumed", "never", 5),
        col("exchange_id", Kind::Text, "", "exchange of the query, as in the exchanges table", "it fits no exchange", 9),
    ],
};
