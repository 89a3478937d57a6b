//! Which module may import which: the table in the essay of `src/lib.rs`,
//! enforced over the `use crate::` lines of the sources.

use std::path::Path;

/// A module and the modules of this crate that it may name.
const ALLOWED: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("capture", &["units"]),
    // A decoder takes the reader's frames and nothing else of it.
    ("frame", &["capture", "units"]),
    ("stream", &["frame", "units"]),
    ("dhcp", &["units"]),
    ("kea", &["capture", "dhcp", "ha", "units"]),
    // Of High Availability, pairing knows only the hash that it stores with a message.
    ("exchange", &["dhcp", "frame", "ha", "units"]),
    ("ha", &["dhcp", "exchange", "frame", "kea", "stream", "units"]),
    ("pipeline", &["capture", "dhcp", "exchange", "frame", "ha", "units"]),
    ("findings", &["dhcp", "exchange", "ha", "pipeline", "units"]),
    ("table", &["capture", "cells", "dhcp", "exchange", "findings", "ha", "pipeline", "units"]),
    ("explain", &["dhcp", "exchange", "ha", "pipeline", "table", "units"]),
    ("report", &["chart", "exchange", "explain", "findings", "ha", "pipeline", "table", "units"]),
    ("watch", &["capture", "dhcp", "exchange", "explain", "findings", "ha", "pipeline", "table", "units"]),
    ("chart", &["cells", "dhcp", "exchange", "explain", "ha", "pipeline", "table", "units"]),
];

/// What single modules may take from one they otherwise must not know.
const ONLY: &[(&str, &str, &str)] = &[
    ("exchange", "ha", "crate::ha::hash"),
    ("kea", "ha", "crate::ha::topology"),
    ("kea", "dhcp", "crate::dhcp::MessageType"),
    // Text files may be compressed like captures.
    ("kea", "capture", "crate::capture::compress"),
    ("frame", "capture", "crate::capture::"),
    ("stream", "frame", "crate::frame::Segment"),
];

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The crate's modules that a line names, such as `ha` in `use crate::ha::hash;`.
fn named(line: &str) -> impl Iterator<Item = (String, String)> + '_ {
    line.split("crate::").skip(1).map(|rest| {
        let path: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
        let module = path.split(':').next().unwrap_or_default().to_owned();
        (module, format!("crate::{path}"))
    })
}

#[test]
fn modules_import_only_what_they_may_know() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (module, allowed) in ALLOWED {
        let mut files = Vec::new();
        if src.join(module).is_dir() {
            sources(&src.join(module), &mut files);
        }
        for file in files.into_iter().chain([src.join(format!("{module}.rs"))]).filter(|file| file.exists()) {
            // Tests may use whatever helps them.
            if file.to_string_lossy().contains("tests") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for (other, path) in named(line) {
                    checked += 1;
                    let known = other == *module || allowed.contains(&other.as_str());
                    let narrow = ONLY.iter().all(|(from, to, prefix)| {
                        *from != *module || *to != other || path.starts_with(prefix)
                    });
                    if !known || !narrow {
                        wrong.push(format!("{}: {}", file.display(), line.trim()));
                    }
                }
                if line.contains("use clap") {
                    wrong.push(format!("{}: the command line belongs to the binary", file.display()));
                }
            }
        }
    }
    assert!(checked > 100, "only {checked} imports were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
