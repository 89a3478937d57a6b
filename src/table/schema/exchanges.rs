//! One row per conversation between a client and the servers.

use super::{EPOCH_NS, FRAME_REF, Kind, TEXTS, Table, col};

/// The OFFERs of an exchange.
const OFFERS: Kind = Kind::List(&Kind::Struct(&[
    ("server", Kind::Text),
    ("yiaddr", Kind::Text),
    ("ts_ns", Kind::I64),
    ("frame", Kind::Text),
]));

/// One row per exchange, ordered by the first frame.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const EXCHANGES: Table = Table {
    name: "exchanges",
    meaning: "One row per exchange: a client's attempts, every OFFER, the choice and the ACK or NAK; ordered by the first frame.",
    columns: &[
        col("exchange_id", Kind::Text, "", "identifies the exchange in every table; the same in every run over the same captures", "never", 8),
        col("zone", Kind::Text, "", "zone of the client's first message", "never", 2),
        col("chaddr", Kind::Text, "colon hex", "client hardware address", "hlen is 0", 1),
        col("client_id", Kind::Text, "colon hex", "option 61 of the client", "the client sends none", 6),
        col("client_name", Kind::Text, "", "client's name from the topology file, else its host name option", "no name is known", 2),
        col("xid", Kind::Text, "8 hex digits", "transaction identifier of the first message", "never", 4),
        col("kind", Kind::Text, "word", "select, init-reboot, renew, rebind, inform, decline or release", "never", 3),
        col("start_ns", Kind::I64, EPOCH_NS, "capture time of the first message", "never", 2),
        col("end_ns", Kind::I64, EPOCH_NS, "capture time of the last message", "never", 9),
        col("attempts", Kind::U32, "messages", "queries that the client sent, with retransmissions", "never", 5),
        col("offers", OFFERS, "", "every OFFER: server, yiaddr, ts_ns (ns since 1970 UTC), frame (source#frame); may be empty", "never", 9),
        col("chosen_server", Kind::Text, "", "server that the client named in its REQUEST", "it named none", 7),
        col("answered_by", Kind::Text, "", "server that sent the ACK or NAK, or the OFFER where it ended there", "nobody answered", 1),
        col("yiaddr", Kind::Text, "IPv4 address", "address of the ACK, else of the OFFER", "no answer carried one", 1),
        col("outcome", Kind::Text, "word", "bound, nak, no-answer, offer-only, …", "never", 1),
        col("discover_offer_us", Kind::U64, "µs", "DISCOVER that was answered to the OFFER of the answering server", "either was not seen", 4),
        col("request_ack_us", Kind::U64, "µs", "REQUEST that was answered to its ACK or NAK", "either was not seen", 4),
        col("update_rtt_us", Kind::U64, "µs", "HA lease update of this exchange to the partner's response", "no lease update was captured", 7),
        col("hash", Kind::U8, "0-255", "load-balancing hash of RFC 3074 §6 over the client's key", "the client has no key", 6),
        col("owner", Kind::Text, "", "server whose scope the client's query belongs to", "the relationship is unknown", 5),
        col("relationship", Kind::Text, "", "HA relationship that decided", "none is known", 6),
        col("verdict", Kind::Text, "code", "catalogue code: why that server answered; see dorascope explain CODE", "never", 2),
        col("confidence", Kind::F64, "0-1", "how sure the verdict is; 0.9 and above means we would bet on it", "never", 3),
        col("reason", Kind::Text, "", "the verdict as one sentence", "never", 3),
        col("frames", TEXTS, FRAME_REF, "frames of the exchange, in order", "never", 9),
    ],
};
