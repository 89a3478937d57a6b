//! Opening an input: the file or standard input, and its decompression.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::beside::Beside;

/// Bytes that one read call asks of a compressed file.
const COMPRESSED_BLOCK: usize = 256 << 10;

/// A zstd frame may ask for a window of 2^27 bytes (128 MiB), the limit of
/// `zstd -d` without options; a larger one is reported as unreadable.
const ZSTD_WINDOW_LOG: u32 = 27;

/// An opened input, decompressed.
pub(crate) struct Stream {
    pub(crate) bytes: Box<dyn Read + Send>,
    /// "gzip" or "zstd"; absent for a plain file.
    pub(crate) compression: Option<&'static str>,
}

/// Counts the bytes that were read from the file itself, for a progress bar.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        // One writer, and readers only want a recent value.
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// What is known of a file before it is read.
pub(crate) struct FileFacts {
    /// Size in bytes; `None` for a pipe or device.
    pub(crate) size: Option<u64>,
    pub(crate) file: File,
}

/// Opens `path` for reading; the error is a phrase for the user.
pub(crate) fn open_file(path: &Path) -> Result<FileFacts, String> {
    let file = File::open(path).map_err(|error| explain(&error))?;
    let meta = file.metadata().map_err(|error| explain(&error))?;
    if meta.is_dir() {
        return Err("is a directory; name the capture files in it".to_owned());
    }
    Ok(FileFacts { size: meta.is_file().then_some(meta.len()), file })
}

#[cold]
fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Looks for a compression's magic number and puts its decoder in front.
pub(crate) fn decompress(raw: impl Read + Send + 'static, count: Arc<AtomicU64>) -> io::Result<Stream> {
    let mut raw = Counted { inner: raw, count };
    let (magic, got) = read_magic(&mut raw)?;
    let head = io::Cursor::new(magic).take(got as u64);
    let stream = head.chain(raw);
    Ok(match magic {
        [0x1f, 0x8b, ..] if got >= 2 => {
            let decoder = MultiGzDecoder::new(buffered(stream));
            Stream { bytes: Box::new(Beside::new(decoder)), compression: Some("gzip") }
        }
        // A zstd frame, or a skippable frame, with which seekable and parallel writers begin.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(stream))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Stream { bytes: Box::new(Beside::new(decoder)), compression: Some("zstd") }
        }
        _ => Stream { bytes: Box::new(stream), compression: None },
    })
}

fn buffered(stream: impl Read) -> impl BufRead {
    BufReader::with_capacity(COMPRESSED_BLOCK, stream)
}

fn read_magic(raw: &mut impl Read) -> io::Result<([u8; 4], usize)> {
    let mut magic = [0; 4];
    let mut got = 0;
    while let Some(room) = magic.get_mut(got..).filter(|room| !room.is_empty()) {
        match raw.read(room) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((magic, got))
}
