//! Files for the readers that take a path.

#[path = "../../support/temp.rs"]
#[allow(clippy::duplicate_mod, reason = "the tests have it for themselves, and the fuzzer has not the tests")]
mod temp;

use std::path::PathBuf;

thread_local! {
    // One folder per thread: a folder per input would cost more than the input.
    static FOLDER: temp::TempDir = temp::TempDir::new("fuzz");
}

/// A file that holds `bytes` until the next call with this name.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    FOLDER.with(|folder| {
        // Some file systems write a file to the disk that is cut and filled again, and none that is gone.
        let _ = std::fs::remove_file(folder.path().join(name));
        folder.file(name, bytes)
    })
}

/// The folder of all files.
pub fn folder() -> PathBuf {
    FOLDER.with(|folder| folder.path().to_owned())
}
