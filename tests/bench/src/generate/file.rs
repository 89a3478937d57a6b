//! pcap and pcapng, plain or gzip.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Of timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Microseconds,
    Nanoseconds,
}

impl Precision {
    /// Nanoseconds of one unit.
    fn unit(self) -> u64 {
        match self {
            Self::Microseconds => 1000,
            Self::Nanoseconds => 1,
        }
    }
}

/// Where frames go.
pub struct Sink {
    out: Out,
    precision: Precision,
    pcapng: bool,
}

enum Out {
    Plain(BufWriter<File>),
    Gzip(BufWriter<Box<GzEncoder<File>>>),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(out) => out.flush(),
        }
    }
}

/// Bytes that are collected before they are written.
const BUFFER: usize = 1 << 20;

impl Sink {
    /// A new file; the name says which format.
    pub fn create(path: &Path, precision: Precision) -> io::Result<Self> {
        let name = path.to_string_lossy();
        let gzip = name.ends_with(".gz");
        let pcapng = name.trim_end_matches(".gz").ends_with(".pcapng");
        let file = File::create(path)?;
        let out = if gzip {
            Out::Gzip(BufWriter::with_capacity(
                BUFFER,
                Box::new(GzEncoder::new(file, Compression::default())),
            ))
        } else {
            Out::Plain(BufWriter::with_capacity(BUFFER, file))
        };
        let mut sink = Self { out, precision, pcapng };
        if pcapng {
            sink.sections()?;
        } else {
            sink.header()?;
        }
        Ok(sink)
    }

    fn words(&mut self, words: &[u32]) -> io::Result<()> {
        words.iter().try_for_each(|word| self.out.write_all(&word.to_le_bytes()))
    }

    fn header(&mut self) -> io::Result<()> {
        let magic = match self.precision {
            Precision::Microseconds => 0xa1b2_c3d4,
            Precision::Nanoseconds => 0xa1b2_3c4d,
        };
        self.words(&[magic, 2 | 4 << 16, 0, 0, 262_144, 1])
    }

    /// The section header and one Ethernet interface with its resolution.
    fn sections(&mut self) -> io::Result<()> {
        let digits = if self.precision == Precision::Nanoseconds { 9 } else { 6 };
        self.words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28])?;
        self.words(&[1, 32, 1, 262_144, 9 | 1 << 16, digits, 0, 32])
    }

    /// Appends a frame; `at` in nanoseconds since 1970.
    pub fn frame(&mut self, at: u64, frame: &[u8]) -> io::Result<()> {
        let length = frame.len() as u32;
        let unit = self.precision.unit();
        if !self.pcapng {
            let (seconds, rest) = (at / 1_000_000_000, at % 1_000_000_000);
            self.words(&[seconds as u32, (rest / unit) as u32, length, length])?;
            return self.out.write_all(frame);
        }
        let (time, padding) = (at / unit, frame.len().next_multiple_of(4) - frame.len());
        let total = 32 + length + padding as u32;
        self.words(&[6, total, 0, (time >> 32) as u32, time as u32, length, length])?;
        self.out.write_all(frame)?;
        self.out.write_all(&[0; 3][..padding])?;
        self.words(&[total])
    }

    /// Writes what is left.
    pub fn finish(self) -> io::Result<()> {
        match self.out {
            Out::Plain(out) => out.into_inner().map(drop).map_err(Into::into),
            Out::Gzip(out) => out.into_inner()?.finish().map(drop),
        }
    }
}
