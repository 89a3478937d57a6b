//! Results of single commands; `analyze` does not write them.

use super::{Kind, Table, col};

/// Rows of `dorascope hash`.
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
