//! Opening Kea's text files: plain or compressed, with lines of bounded length.

use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::capture::compress::{decompress, open_file};

/// Bytes kept of one line; Kea's longest, a logged configuration, say nothing that is wanted here.
const LONGEST_LINE: usize = 16 << 10;

/// A file that cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {why}")]
pub struct Unreadable {
    /// The path as the user gave it.
    pub name: String,
    /// Why, as a phrase.
    pub why: String,
}

/// Opens a text file, decompressed, its lines cut to a bounded length.
pub(super) fn open(path: &Path) -> Result<BufReader<ShortLines>, Unreadable> {
    let unreadable = |why: String| Unreadable { name: path.display().to_string(), why };
    let file = open_file(path).map_err(unreadable)?.file;
    let stream =
        decompress(file, std::sync::Arc::default()).map_err(|error| unreadable(error.to_string()))?;
    Ok(BufReader::with_capacity(64 << 10, ShortLines { inner: stream.bytes, line: 0 }))
}

/// Drops what a line has beyond [`LONGEST_LINE`], so that a file without line
/// feeds cannot fill the memory of whoever reads it line by line.
pub(super) struct ShortLines {
    inner: Box<dyn Read + Send>,
    /// Bytes of the current line so far.
    line: usize,
}

impl Read for ShortLines {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let got = self.inner.read(buf)?;
            let mut kept = 0;
            for at in 0..got {
                let Some(&byte) = buf.get(at) else { break };
                self.line = if byte == b'\n' { 0 } else { self.line.saturating_add(1) };
                if self.line <= LONGEST_LINE
                    && let Some(to) = buf.get_mut(kept)
                {
                    *to = byte;
                    kept += 1;
                }
            }
            // Zero bytes would mean the end of the file.
            if kept > 0 || got == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufRead;

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
        let text = [vec![b'x'; 3 * LONGEST_LINE], b"\nnext\n".to_vec()].concat();
        let inner: Box<dyn Read + Send> = Box::new(io::Cursor::new(text));
        let lines: Vec<String> =
            BufReader::new(ShortLines { inner, line: 0 }).lines().map(Result::unwrap).collect();
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LONGEST_LINE, 4]);
        assert_eq!(lines[1], "next");
    }
}
