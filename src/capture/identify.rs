//! What a file is, from its first bytes: a capture format that is read here, or
//! a description for the user of what it looks like instead.

use super::pcap::Pcap;
use super::pcapng::{self, Pcapng};
use super::record::{FormatReader, Interface, Missing, Packet};
use super::snoop::{self, Snoop};
use super::trouble::Fault;
use super::window::Window;

/// First bytes of well-known files that are not captures, or not in a format
/// that is read here, and what to say about them.
const OTHERS: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "is compressed twice; unpack it once"),
    (b"\x28\xb5\x2f\xfd", "is compressed twice; unpack it once"),
    (b"\xfd7zXZ\0", "is compressed with xz, which is not supported; unpack it first"),
    (b"BZh", "is compressed with bzip2, which is not supported; unpack it first"),
    (b"\x04\x22\x4d\x18", "is compressed with lz4, which is not supported; unpack it first"),
    (b"PK\x03\x04", "is a zip archive; unpack it first"),
    (b"7z\xbc\xaf", "is a 7z archive; unpack it first"),
    (b"Rar!", "is a rar archive; unpack it first"),
    (b"PAR1", "is a Parquet file, not a capture"),
    (b"ARROW1", "is an Arrow file, not a capture"),
    (b"\x7fELF", "is an ELF program, not a capture"),
    (b"\x89PNG", "is a PNG image, not a capture"),
    (b"%PDF", "is a PDF document, not a capture"),
    (b"SQLite format 3", "is an SQLite database, not a capture"),
    (b"GMBU", "is a Network Monitor capture, which is not supported; convert it with editcap"),
    (b"RTSS", "is a Network Monitor capture, which is not supported; convert it with editcap"),
    (b"iptrace ", "is an AIX iptrace capture, which is not supported; convert it with editcap"),
    (b"\x1c\x00\x01\xac", "is an IXIA capture, which is not supported; convert it with editcap"),
    (b"\x1c\x00\x01\xab", "is an IXIA capture, which is not supported; convert it with editcap"),
    (b"TRSNIFF data", "is a Sniffer capture, which is not supported; convert it with editcap"),
    (b"XCP\0", "is a NetXRay capture, which is not supported; convert it with editcap"),
];

/// Bytes that a description of a file that is not a capture looks at.
const DESCRIBED: usize = 512;

/// A reader of any format. It is asked for every frame, so it is no trait object.
pub(super) enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
    Snoop(Snoop),
}

impl FormatReader for Format {
    #[inline]
    fn interfaces(&self) -> &[Interface] {
        match self {
            Self::Pcap(reader) => reader.interfaces(),
            Self::Pcapng(reader) => reader.interfaces(),
            Self::Snoop(reader) => reader.interfaces(),
        }
    }

    #[inline]
    fn missing(&mut self) -> Vec<Missing> {
        match self {
            Self::Pcapng(reader) => reader.missing(),
            Self::Pcap(_) | Self::Snoop(_) => Vec::new(),
        }
    }

    #[inline]
    fn next(&mut self, window: &mut Window) -> Result<Option<Packet>, Fault> {
        match self {
            Self::Pcap(reader) => reader.next(window),
            Self::Pcapng(reader) => reader.next(window),
            Self::Snoop(reader) => reader.next(window),
        }
    }
}

/// A recognised file, positioned where its format's reader begins.
pub(super) struct Recognised {
    pub(super) reader: Format,
    pub(super) format: &'static str,
}

/// Why a file cannot be read at all.
pub(super) enum Unfit {
    /// Not a capture; a phrase that says what it looks like.
    NotACapture(String),
    /// A capture whose header cannot be read.
    Header(Fault),
}

/// Recognises the format of the stream in `window`.
pub(super) fn identify(window: &mut Window) -> Result<Recognised, Unfit> {
    let enough = window.fill(4).map_err(|error| Unfit::Header(error.into()))?;
    let Some(magic) = window.peek().first_chunk::<4>().copied().filter(|_| enough) else {
        return Err(Unfit::NotACapture(match window.peek().len() {
            0 => "is empty".to_owned(),
            n => format!("holds only {n} bytes, less than any capture"),
        }));
    };
    if Pcap::recognises(magic) {
        let reader = Pcap::open(magic, window).map_err(Unfit::Header)?;
        return Ok(Recognised { format: reader.name(), reader: Format::Pcap(reader) });
    }
    match magic {
        pcapng::MAGIC => Ok(Recognised { reader: Format::Pcapng(Pcapng::new()), format: "pcapng" }),
        snoop::MAGIC => {
            let reader = Snoop::open(window).map_err(Unfit::Header)?;
            Ok(Recognised { reader: Format::Snoop(reader), format: "snoop" })
        }
        _ => {
            // More bytes make a better description; there may be fewer.
            window.fill(DESCRIBED).map_err(|error| Unfit::Header(error.into()))?;
            Err(Unfit::NotACapture(describe(window.peek())))
        }
    }
}

/// What a file that is not a capture looks like, as a phrase.
fn describe(head: &[u8]) -> String {
    for (magic, phrase) in OTHERS {
        if head.starts_with(magic) {
            return (*phrase).to_owned();
        }
    }
    let head = head.get(..DESCRIBED).unwrap_or(head);
    if head.iter().all(|byte| *byte == 0) {
        return "begins with zero bytes only; it is not a capture".to_owned();
    }
    let text = String::from_utf8_lossy(head);
    if text.chars().all(|c| !c.is_control() || c.is_whitespace())
        && !text.trim_end_matches(char::REPLACEMENT_CHARACTER).contains(char::REPLACEMENT_CHARACTER)
    {
        let line: String = text.trim_start().lines().next().unwrap_or_default().chars().take(40).collect();
        return match line.chars().next() {
            Some('{' | '[') => format!("looks like JSON ({line:?}), not a capture"),
            _ => format!("looks like text ({line:?}), not a capture"),
        };
    }
    let magic = u32::from_be_bytes(head.first_chunk().copied().unwrap_or_default());
    format!("is not a capture that can be read: it begins with {magic:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(bytes: &'static [u8]) -> String {
        match identify(&mut Window::new(Box::new(bytes))) {
            Ok(found) => found.format.to_owned(),
            Err(Unfit::NotACapture(phrase)) => phrase,
            Err(Unfit::Header(fault)) => fault.what,
        }
    }

    #[test]
    fn says_what_a_file_looks_like() {
        assert_eq!(phrase(b""), "is empty");
        assert_eq!(phrase(b"abc"), "holds only 3 bytes, less than any capture");
        assert_eq!(phrase(b"PAR1\x15"), "is a Parquet file, not a capture");
        assert_eq!(phrase(b"{\"Dhcp4\": 1}\n"), r#"looks like JSON ("{\"Dhcp4\": 1}"), not a capture"#);
        assert_eq!(phrase("zürich\nx".as_bytes()), r#"looks like text ("zürich"), not a capture"#);
        assert_eq!(phrase(&[0; 600]), "begins with zero bytes only; it is not a capture");
        assert_eq!(phrase(b"\x01\x02\x03\x04"), "is not a capture that can be read: it begins with 01020304");
        assert_eq!(phrase(b"\xd4\xc3\xb2\xa1\x02"), "the data ends inside the file header");
        assert_eq!(phrase(b"\x0a\x0d\x0d\x0a"), "pcapng");
    }
}
