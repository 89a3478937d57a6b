//! One row per capture that was read.

use super::{EPOCH_NS, Kind, Table, col};

/// Frames that were not ours, by reason.
const SKIPPED: Kind = Kind::List(&Kind::Struct(&[("reason", Kind::Text), ("frames", Kind::U64)]));

/// One row per capture source, in the order of the command line.
// One line per column reads best as the table that it is.
#[rustfmt::skip]
pub const SOURCES: Table = Table {
    name: "sources",
    meaning: "One row per capture that was read, with counters that balance: frames = messages + control + skipped.",
    columns: &[
        col("source", Kind::Text, "", "name that the other tables use: the file's name, made unique", "never", 1),
        col("zone", Kind::Text, "", "broadcast domain: what the user said, else the file's stem", "never", 1),
        col("format", Kind::Text, "word", "pcap or pcapng, with the compression", "never", 6),
        col("link", Kind::Text, "", "link-layer type", "the file has no frame and no header for it", 6),
        col("interface", Kind::Text, "", "interface that was captured, as pcapng names it", "the file does not say", 5),
        col("first_ns", Kind::I64, EPOCH_NS, "capture time of the first frame", "there is no frame", 3),
        col("last_ns", Kind::I64, EPOCH_NS, "capture time of the last frame", "there is no frame", 4),
        col("frames", Kind::U64, "frames", "frames that were read", "never", 1),
        col("messages", Kind::U64, "frames", "frames that completed a DHCP message", "never", 1),
        col("control", Kind::U64, "frames", "frames that carried HA control traffic", "never", 2),
        col("skipped", SKIPPED, "frames", "frames that were neither, by reason; may be empty", "never", 4),
        col("truncated", Kind::U64, "frames", "frames that a snap length cut; what could not be read at all is said on standard error", "never", 3),
        col("dropped_kernel", Kind::U64, "frames", "frames that the capturing kernel lost, as pcapng counts them", "the file does not say", 3),
    ],
};
