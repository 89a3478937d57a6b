//! The recorded laboratories: every folder of captures/ that holds a topology.

use super::*;
use crate::ha::expect::Expectations;

#[test]
fn every_recorded_folder_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    for folder in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let path = folder.path().join("topology.toml");
        if !path.exists() {
            continue;
        }
        let topology = Topology::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(topology.warnings, [] as [&str; 0], "{}", path.display());
        assert!(!topology.relationships.is_empty(), "{}", path.display());
        let all_named =
            topology.relationships.iter().flat_map(|it| &it.peers).all(|peer| peer.server.is_some());
        assert!(all_named, "{}", path.display());
        let expected = folder.path().join("expect.toml");
        if expected.exists() {
            let expected = Expectations::load(&expected).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(expected.unknown_names(&topology), [] as [&str; 0], "{}", path.display());
        }
    }
}
