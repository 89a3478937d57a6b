//! Pages of the documentation that tests compute.

use std::path::Path;

/// The first line of such a page.
pub const MADE: &str = "<!-- Made by `make docs` from the program; edit it there. -->";

/// Fails when the committed page is not this text; with `UPDATE_DOCS` set it is written instead.
pub fn is_current(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{page} is not what the program says; run `make docs`");
}
