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

/// Rows of `dorascope sniff -D`.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const INTERFACES: Table = Table {
    name: "interfaces",
    meaning: "The interfaces of this machine that can be captured on.",
    columns: &[
        col("interface", Kind::Text, "", "its name, for -i", "never", 1),
        col("state", Kind::Text, "word", "up or down", "never", 2),
        col("addresses", Kind::Text, "", "its IP addresses", "never", 3),
        col("description", Kind::Text, "", "what the system says about it", "never", 4),
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

/// Rows of `dorascope topology lint`.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const LINT: Table = Table {
    name: "lint",
    meaning: "One row per finding in Kea's configuration files, the most severe first, then by server and place.",
    columns: &[
        col("severity", Kind::Text, "word", "error, warning or note", "never", 1),
        col("code", Kind::Text, "code", "stable catalogue code; dorascope explain CODE says what to do", "never", 1),
        col("server", Kind::Text, "", "machine whose file it is", "the file was given without a name and refused", 3),
        col("file", Kind::Text, "", "file, as it was named", "never", 1),
        col("line", Kind::U32, "from 1", "line of the value", "never", 1),
        col("column", Kind::U32, "from 1", "column of the value, in characters", "never", 5),
        col("text", Kind::Text, "", "the finding as one sentence", "never", 1),
    ],
};

/// Rows of `dorascope explain --codes`.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const CODES: Table = Table {
    name: "codes",
    meaning: "Every code of the tables, by kind.",
    columns: &[
        col("kind", Kind::Text, "word", "finding, verdict, rule, anomaly or lint", "never", 1),
        col("code", Kind::Text, "code", "stable code", "never", 1),
        col("title", Kind::Text, "", "what it says, in one line", "never", 1),
        col("text", Kind::Text, "", "what it means, what Kea does, what to look at", "never", 4),
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

/// The rows that commands print beside the tables of an analysis.
pub const RESULTS: [&Table; 5] = [&CHECK, &HASH, &LINT, &CODES, &SCHEMA];
