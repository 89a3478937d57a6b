//! One row per thing that an operator should look at.

use super::{EPOCH_NS, FRAME_REF, Kind, TEXTS, Table, col};

/// One row per finding, the most severe first.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const FINDINGS: Table = Table {
    name: "findings",
    meaning: "One row per finding, the most severe first, then by first_ns and code.",
    columns: &[
        col("code", Kind::Text, "code", "stable catalogue code; dorascope explain CODE says what to do", "never", 1),
        col("severity", Kind::Text, "word", "error, warning or note", "never", 1),
        col("first_ns", Kind::I64, EPOCH_NS, "first frame that shows it", "never", 4),
        col("last_ns", Kind::I64, EPOCH_NS, "last frame that shows it", "never", 8),
        col("count", Kind::U64, "times", "how often it was seen", "never", 3),
        col("zone", Kind::Text, "", "zone it concerns", "it concerns no single zone", 3),
        col("server", Kind::Text, "", "server it concerns", "it concerns no single server", 2),
        col("client", Kind::Text, "", "client it concerns: its name, else chaddr", "it concerns no single client", 1),
        col("text", Kind::Text, "", "the finding as one sentence", "never", 1),
        col("frames", TEXTS, FRAME_REF, "frames that show it, the first few of many", "never", 5),
    ],
};
