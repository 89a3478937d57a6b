//! Pages of the documentation that tests compute.

use std::path::Path;

/// Fails when the committed page is not this text; with `DORASCOPE_WRITE_DOCS` set it is rewritten instead.
pub fn is_current(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if std::env::var_os("DORASCOPE_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{page} is not what this test computes; run `make docs`");
}
