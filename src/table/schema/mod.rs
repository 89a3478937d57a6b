//! The schema as data: every table and column with its kind, unit, meaning and
//! the reason for a null. `dorascope schema` prints it, the writers put it into
//! the metadata of their files, and the builders check against it.

mod charts;
mod decisions;
mod exchanges;
mod findings;
mod ha_events;
mod leases;
mod messages;
mod results;
mod sources;

pub use charts::{BUCKETS, CHARTS, LADDER, LATENCY, RATE, SECS, SHARE, STATES, UNACKED};
pub use decisions::DECISIONS;
pub use exchanges::EXCHANGES;
pub use findings::FINDINGS;
pub use ha_events::HA_EVENTS;
pub use leases::LEASES;
pub use messages::MESSAGES;
pub use results::{CHECK, CODES, HASH, INTERFACES, LINT, RESULTS, SCHEMA};
pub use sources::SOURCES;

/// Grows when a column changes its name, kind or meaning; appending one does not count.
pub const VERSION: u32 = 1;

/// The tables that `analyze -o DIR` writes, in the order of the documentation.
pub const TABLES: [&Table; 7] = [&MESSAGES, &EXCHANGES, &LEASES, &DECISIONS, &HA_EVENTS, &FINDINGS, &SOURCES];

/// Unit of the instants: nanoseconds since 1970-01-01 00:00:00 UTC.
pub const EPOCH_NS: &str = "ns since 1970 UTC";

/// One table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, which is also the stem of its file.
    pub name: &'static str,
    /// What one row is, and how rows are ordered.
    pub meaning: &'static str,
    /// The columns, in file order.
    pub columns: &'static [Column],
}

impl Table {
    /// The index of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }
}

/// One column.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name; ends in the unit (`_ns`, `_us`, `_s`) where it has one.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The unit or notation of its values; empty for plain words and counts.
    pub unit: &'static str,
    /// What a value says.
    pub meaning: &'static str,
    /// When it is null; "never" for a column that always has a value.
    pub null_when: &'static str,
    /// How dearly a narrow terminal keeps it: 1 stays longest, 9 goes first. A column of
    /// rank 0 was asked for by name, and is drawn even if it has no value.
    pub rank: u8,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// true or false.
    Bool,
    /// 0 to 255.
    U8,
    /// 0 to 65535.
    U16,
    /// 0 to 2³²−1.
    U32,
    /// 0 to 2⁶⁴−1.
    U64,
    /// −2⁶³ to 2⁶³−1.
    I64,
    /// A 64-bit float.
    F64,
    /// UTF-8 text, dictionary-encoded in Parquet.
    Text,
    /// Any number of values of one kind: a list in Parquet and Arrow, an array
    /// in JSON, one field joined by spaces in CSV.
    List(&'static Kind),
    /// Named values: a struct in Parquet and Arrow, an object in JSON, joined by `|` in CSV.
    Struct(&'static [(&'static str, Kind)]),
}

impl Kind {
    /// The words of `dorascope schema`.
    pub fn describe(&self) -> String {
        match self {
            Self::Bool => "bool".to_owned(),
            Self::U8 => "u8".to_owned(),
            Self::U16 => "u16".to_owned(),
            Self::U32 => "u32".to_owned(),
            Self::U64 => "u64".to_owned(),
            Self::I64 => "i64".to_owned(),
            Self::F64 => "f64".to_owned(),
            Self::Text => "text".to_owned(),
            Self::List(item) => format!("list of {}", item.describe()),
            Self::Struct(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, kind)| format!("{name} {}", kind.describe())).collect();
                format!("struct ({})", fields.join(", "))
            }
        }
    }

    /// Whether a terminal aligns it to the right.
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::I64 | Self::F64)
    }
}

/// A list of text.
const TEXTS: Kind = Kind::List(&Kind::Text);

/// The notation of frame references in every table.
const FRAME_REF: &str = "source#frame";

/// One column, written on one line of a table.
const fn col(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    meaning: &'static str,
    null_when: &'static str,
    rank: u8,
) -> Column {
    Column { name, kind, unit, meaning, null_when, rank }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of the design, word for word; tables may only grow at the end.
    const CONTRACT: [(&str, &str); 7] = [
        (
            "messages",
            "zone, source, frame, ts_ns, link, vlan, src_mac, dst_mac, src_ip, dst_ip, src_port, dst_port, op, \
             message_type, xid, secs, secs_kea, broadcast, hops, ciaddr, yiaddr, siaddr, giaddr, htype, chaddr, \
             client_id, server_id, requested_ip, lease_s, t1_s, t2_s, hostname, vendor_class, circuit_id, \
             remote_id, link_selection, server_id_override, param_list, status_text, anomalies, exchange_id, \
             sighting_of",
        ),
        (
            "exchanges",
            "exchange_id, zone, chaddr, client_id, client_name, xid, kind, start_ns, end_ns, attempts, offers, \
             chosen_server, answered_by, yiaddr, outcome, discover_offer_us, request_ack_us, update_rtt_us, hash, \
             owner, relationship, verdict, confidence, reason, frames",
        ),
        (
            "leases",
            "lease_id, chaddr, client_id, client_name, ip, zone, subnet, server, server_ip, start_ns, lease_s, \
             renewals, end_ns, end_reason, relationship, mode, owner, hash, verdict, confidence, reason, \
             exchange_id",
        ),
        (
            "decisions",
            "zone, source, frame, ts_ns, message_type, xid, chaddr, client_id, server, relationship, heard, state, \
             basis, scopes, owner, expected, observed, agrees, rule, confidence, reply_frame, evidence, exchange_id",
        ),
        (
            "ha_events",
            "ts_ns, source, frame, relationship, server, peer, kind, state, scopes, result, rtt_us, ip, chaddr, \
             client_id, basis, text",
        ),
        ("findings", "code, severity, first_ns, last_ns, count, zone, server, client, text, frames"),
        (
            "sources",
            "source, zone, format, link, interface, first_ns, last_ns, frames, messages, control, skipped, \
             truncated, dropped_kernel",
        ),
    ];

    #[test]
    fn names_and_order_are_the_contract() {
        for (table, (name, columns)) in TABLES.iter().zip(CONTRACT) {
            assert_eq!(table.name, name);
            let expected: Vec<&str> = columns.split(", ").collect();
            let found: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
            assert_eq!(found.get(..expected.len()), Some(expected.as_slice()), "{name}");
        }
    }

    #[test]
    fn every_column_says_what_it_means() {
        for column in TABLES.iter().flat_map(|t| t.columns) {
            assert!(column.meaning.len() > 10 && !column.null_when.is_empty(), "{}", column.name);
            assert!((1..=9).contains(&column.rank), "{}", column.name);
            for (suffix, unit) in [("_ns", "ns"), ("_us", "µs"), ("_s", "s")] {
                if column.name.ends_with(suffix) {
                    assert!(column.unit.starts_with(unit), "{} is in {}", column.name, column.unit);
                }
            }
        }
    }
}
