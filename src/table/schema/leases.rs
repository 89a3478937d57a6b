//! One row per binding.

use super::{EPOCH_NS, Kind, Table, col};

/// One row per lease, ordered by the ACK that created it.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const LEASES: Table = Table {
    name: "leases",
    meaning: "One row per binding that an ACK created, with its renewals; ordered by the creating ACK.",
    columns: &[
        col("lease_id", Kind::Text, "", "identifies the lease by the exchange that created it; the same in every run over the same captures", "never", 9),
        col("chaddr", Kind::Text, "colon hex", "client hardware address", "hlen is 0", 2),
        col("client_id", Kind::Text, "colon hex", "option 61 of the client", "the client sends none", 8),
        col("client_name", Kind::Text, "", "client's name from the topology file, else its host name option", "no name is known", 1),
        col("ip", Kind::Text, "IPv4 address", "leased address (yiaddr of the ACK)", "never", 1),
        col("zone", Kind::Text, "", "zone of the client", "never", 3),
        col("subnet", Kind::Text, "IPv4 prefix", "subnet of the address, from the topology or the subnet mask option", "neither is known", 7),
        col("server", Kind::Text, "", "machine that really answered with the ACK", "never", 1),
        col("server_ip", Kind::Text, "IPv4 address", "server identifier, else source address, of the ACK", "never", 6),
        col("start_ns", Kind::I64, EPOCH_NS, "capture time of the creating ACK", "never", 2),
        col("lease_s", Kind::U32, "s", "lease time of the last ACK; 4294967295 is for ever", "the ACK carried none", 5),
        col("renewals", Kind::U32, "ACKs", "later ACKs that extended the lease", "never", 5),
        col("end_ns", Kind::I64, EPOCH_NS, "when the lease ended or ends", "it is for ever", 8),
        col("end_reason", Kind::Text, "word", "released, declined, expired, replaced, nak, or open when the capture ended first", "never", 6),
        col("relationship", Kind::Text, "", "HA relationship that decided", "none is known", 6),
        col("mode", Kind::Text, "Kea's word", "load-balancing, hot-standby or passive-backup", "the relationship is unknown", 5),
        col("owner", Kind::Text, "", "server whose scope the client's query belongs to", "the relationship is unknown", 4),
        col("hash", Kind::U8, "0-255", "load-balancing hash of RFC 3074 §6 over the client's key", "the client has no key", 5),
        col("verdict", Kind::Text, "code", "catalogue code: why that server answered; see dorascope explain CODE", "never", 1),
        col("confidence", Kind::F64, "0-1", "how sure the verdict is; 0.9 and above means we would bet on it", "never", 2),
        col("reason", Kind::Text, "", "the verdict as one sentence", "never", 4),
        col("exchange_id", Kind::Text, "", "exchange that created the lease, as in the exchanges table", "never", 9),
    ],
};
