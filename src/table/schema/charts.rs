//! The data behind the charts, as `dorascope chart --data` writes it.

use super::{Kind, Table, col};

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
