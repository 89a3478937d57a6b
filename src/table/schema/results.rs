//! Results of single commands; `analyze` does not write them.

use super::{Kind, TEXTS, Table, col};

/// Rows of `dorascope hash`.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const HASH: Table = Table {
    name: "hash",
    meaning: "Which active peer of a load-balancing relationship owns a client.",
    columns: &[
        col("key", Kind::Text, "colon hex", "bytes that Kea hashes", "never", 1),
        col("kind", Kind::Text, "word", "client-id (option 61) or hwaddr (chaddr)", "never", 2),
        col("hash", Kind::U8, "0-255", "load-balancing hash of RFC 3074 §6", "never", 1),
        col("owner", Kind::Text, "word", "primary for an even hash, secondary for an odd one", "never", 1),
    ],
};

/// Rows of `dorascope schema`.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const SCHEMA: Table = Table {
    name: "schema",
    meaning: "Every column of every table.",
    columns: &[
        col("table", Kind::Text, "", "table that has the column", "never", 1),
        col("column", Kind::Text, "", "name of the column", "never", 1),
        col("kind", Kind::Text, "", "what its values are", "never", 2),
        col("unit", Kind::Text, "", "unit or notation of its values", "plain words and counts", 3),
        col("meaning", Kind::Text, "", "what a value says", "never", 1),
        col("null_when", Kind::Text, "", "when a value is null", "never", 4),
    ],
};

/// Rows of `dorascope check`.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const CHECK: Table = Table {
    name: "check",
    meaning: "One row per cell of the expectation tables, in file order.",
    columns: &[
        col("table", Kind::Text, "", "title of the expectation table", "never", 1),
        col("on", TEXTS, "", "servers of the table that are on in this row", "never", 1),
        col("client", Kind::Text, "", "client whose lease is expected", "never", 1),
        col("expected", Kind::Text, "", "server that should give the lease", "no lease is expected", 1),
        col("observed", TEXTS, "", "servers that gave leases; empty for none", "never", 1),
        col("result", Kind::Text, "word", "matches, differs, or not-seen when the captures never show this case", "never", 1),
        col("exchanges", TEXTS, "", "exchanges that this rests on, as in the exchanges table", "never", 3),
    ],
};
