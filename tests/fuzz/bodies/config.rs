//! Kea's configuration files and topology.toml.

use std::path::{Path, PathBuf};

use dorascope::ha::lint;
use dorascope::ha::topology::Topology;
use dorascope::ha::topology_file::import;
use dorascope::kea::config::KeaFile;
use dorascope::kea::document::{Document, FileError};
use serde_json::Value;

use super::{line_feeds, place};

/// The place of an error lies in its file.
fn is_inside(error: &FileError, path: &Path, bytes: &[u8]) {
    if let Some((line, column)) = error.place.filter(|_| error.file == path) {
        let lines = line_feeds(bytes) + 1;
        assert!((1..=lines).contains(&line), "{error}");
        let length = bytes.split(|byte| *byte == b'\n').nth(line - 1).map_or(0, <[u8]>::len);
        assert!((1..=length + 1).contains(&column), "{error}");
    }
    assert!(!error.text.contains('\n'), "{error}");
}

/// Whether `serde_json` takes it as Kea would: no long numbers, no escapes beyond one byte, no key twice.
fn is_plain_json(bytes: &[u8]) -> bool {
    fn plain(value: &Value, depth: usize) -> bool {
        match value {
            Value::Number(number) => number.is_i64(),
            Value::Array(items) => depth < 100 && items.iter().all(|item| plain(item, depth + 1)),
            Value::Object(map) => depth < 100 && map.values().all(|item| plain(item, depth + 1)),
            _ => true,
        }
    }
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return false };
    // Written again it has the same length unless keys stood twice or blanks were there.
    plain(&value, 0) && !bytes.contains(&b'\\') && value.to_string().len() == bytes.len()
}

/// A configuration is read the same at every reading, with errors inside the file; and what one file
/// gives as a topology is what its import gives.
pub fn config(bytes: &[u8]) {
    let path = place::file("kea-dhcp4.conf", bytes);
    let document = Document::parse_kea(&path, bytes.to_vec());
    match &document {
        Ok(_) => {}
        Err(error) => {
            is_inside(error, &path, bytes);
            assert!(!is_plain_json(bytes), "{error}");
        }
    }
    let file = KeaFile::load(&path);
    assert_eq!(file, document.and_then(|document| KeaFile::from_document(&document)));
    let given = [(Some("one".to_owned()), path.clone())];
    match &file {
        Err(error) => {
            is_inside(error, &path, bytes);
            // A mistake inside a file is a finding; a file that cannot be read is an error.
            let _ = lint::check(None, &given);
            return;
        }
        Ok(_) => {
            let findings = lint::check(None, &given).expect("a file that Kea loads");
            assert!(findings.len() <= bytes.len(), "{} findings", findings.len());
        }
    }
    let kea = |name: &str| (name.to_owned(), path.clone());
    let topology = Topology::load_with(None, &[kea("one")]).expect("a file that Kea loads");
    let both = Topology::load_with(None, &[kea("one"), kea("two")]).expect("two machines with one file");
    assert!(both.servers.len() >= 2);
    let text = import(&given, &place::folder()).expect("a file that loads");
    let again = Topology::load(&place::file("imported.toml", text.as_bytes())).unwrap_or_else(|error| {
        panic!("{error} in\n{text}");
    });
    assert_eq!(again.relationships, topology.relationships);
    assert_eq!(again.servers, topology.servers);
}

/// topology.toml is read the same at every reading, with errors inside the file.
pub fn topology(bytes: &[u8]) {
    let path: PathBuf = place::file("topology.toml", bytes);
    let topology = Topology::load(&path);
    assert_eq!(Topology::load(&path), topology);
    match &topology {
        Err(error) => is_inside(error, &path, bytes),
        Ok(topology) => {
            assert!(topology.servers.len() + topology.zones.len() <= bytes.len());
            for (at, server) in topology.servers.iter().enumerate() {
                let first = topology.servers.iter().position(|other| other.name == server.name);
                assert_eq!(first, Some(at), "a name is one machine's");
            }
        }
    }
    let _ = lint::check(Some(&path), &[]);
}
