//! `dorascope sniff` on interfaces, in network namespaces of the tests' own.

pub mod place;
mod same;
mod turns;

use std::path::Path;

use crate::bench_inputs::generate::{self, Kind, Mode, Plan, Precision};

/// What scripts/live_test.sh sends: a million messages of a pair's clients, with its heartbeats and lease updates.
#[test]
fn what_is_sent_at_full_speed_is_made() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live");
    std::fs::create_dir_all(&folder).unwrap();
    let plan = Plan {
        kind: Kind::Control,
        mode: Mode::HotStandby,
        clients: 100_000,
        frames: 1_000_000,
        precision: Precision::Nanoseconds,
    };
    let made = generate::write(&plan, &folder.join("bench.pcap")).unwrap();
    generate::write_topology(&folder, Mode::HotStandby, true).unwrap();
    assert_eq!(made.dhcp, 1_000_000);
}
