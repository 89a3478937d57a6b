//! Capture files through the public reader: formats, time, zones, merging and cuts.

use std::io::Cursor;
use std::path::PathBuf;

use dorascope::capture::{CutKind, Input, LinkType, Reader, TroubleKind};
use dorascope::units::{CaptureTime, SourceId};

use crate::support::files::{Order, PcapFile, PcapngFile, gzip, zstd};
use crate::support::temp::TempDir;

/// A frame as the tests compare it: time, source, number, bytes.
pub type Given = (i64, u32, u64, Vec<u8>);

/// All frames that a reader gives.
pub fn drain(reader: &mut Reader) -> Vec<Given> {
    let mut given = Vec::new();
    while let Some(frame) = reader.next() {
        given.push((frame.time.0, frame.at.source.0, frame.at.number, frame.data.to_vec()));
    }
    given
}

/// A reader of `bytes` on standard input.
pub fn from_bytes(bytes: &[u8]) -> Reader {
    let input = Input { zone: None, path: "-".into() };
    Reader::with_stdin(&[input], Box::new(Cursor::new(bytes.to_vec())))
}

fn inputs(paths: &[PathBuf]) -> Vec<Input> {
    paths.iter().map(|path| Input { zone: None, path: path.clone() }).collect()
}

fn lines(reader: &Reader) -> Vec<String> {
    reader.troubles().iter().map(ToString::to_string).collect()
}

#[test]
fn pcap_of_both_orders_and_resolutions_gives_the_same_instants() {
    for order in [Order::Little, Order::Big] {
        let micro = PcapFile::micro(order, 1).frame(1_700_000_000_123_456_000, b"one");
        let nano = PcapFile::nano(order, 1).frame(1_700_000_000_123_456_789, b"one");
        let mut reader = from_bytes(&micro.bytes);
        assert_eq!(drain(&mut reader), [(1_700_000_000_123_456_000, 0, 1, b"one".to_vec())]);
        assert_eq!(reader.sources()[0].format, "pcap");
        let mut reader = from_bytes(&nano.bytes);
        assert_eq!(drain(&mut reader), [(1_700_000_000_123_456_789, 0, 1, b"one".to_vec())]);
        assert_eq!(reader.sources()[0].format, "pcap-ns");
    }
}

#[test]
fn modified_pcap_records_have_eight_more_bytes() {
    let mut bytes = PcapFile::micro(Order::Little, 113).bytes;
    bytes[..4].copy_from_slice(&0xa1b2_cd34_u32.to_le_bytes());
    for n in [5, 7, 3, 3, 0, 0_u32] {
        bytes.extend(n.to_le_bytes());
    }
    bytes.extend(b"abc");
    let mut reader = from_bytes(&bytes);
    assert_eq!(drain(&mut reader), [(5_000_007_000, 0, 1, b"abc".to_vec())]);
    assert_eq!(reader.sources()[0].format, "pcap-modified");
    assert_eq!(reader.sources()[0].link_name(), "LINUX_SLL");
}

#[test]
fn snoop_files_are_read() {
    let mut bytes = b"snoop\0\0\0".to_vec();
    // Version 2, Ethernet; then a record of 28 bytes with one byte of padding.
    for n in [2, 4, 60, 3, 28, 7, 1_700_000_000, 5_u32] {
        bytes.extend(n.to_be_bytes());
    }
    bytes.extend(b"abc\0");
    let mut reader = from_bytes(&bytes);
    assert_eq!(drain(&mut reader), [(1_700_000_000_000_005_000, 0, 1, b"abc".to_vec())]);
    let source = &reader.sources()[0];
    assert_eq!((source.format.as_str(), source.link, source.dropped_kernel), ("snoop", LinkType(1), Some(7)));
}

#[test]
fn pcapng_sections_may_differ_in_byte_order() {
    let file = PcapngFile::default()
        .section(Order::Little)
        .interface(1, 0, &[(2, b"eth0"), (9, &[9])])
        .packet(0, 1_000_000_001, b"little")
        .section(Order::Big)
        .interface(1, 0, &[(2, b"eth0"), (9, &[9])])
        .interface(101, 0, &[(2, b"tun0")])
        .packet(0, 1_000_000_002, b"big")
        .packet(1, 2_000_000, b"other");
    let mut reader = from_bytes(&file.bytes);
    let given = drain(&mut reader);
    let expected = [
        (1_000_000_001, 0, 1, b"little".to_vec()),
        (1_000_000_002, 0, 2, b"big".to_vec()),
        (2_000_000_000, 1, 3, b"other".to_vec()),
    ];
    assert_eq!(given, expected, "the second section's eth0 continues the first's");
    assert_eq!(lines(&reader), [""; 0]);
    assert_eq!(reader.sources()[1].link, LinkType(101));
    assert_eq!(reader.sources().of(SourceId(0)).unwrap().frames, 2);
}

#[test]
fn every_pcapng_packet_block_is_read() {
    let file = PcapngFile::default()
        .section(Order::Big)
        .block(0x0000_7777, b"an unknown block")
        .interface(1, 6, &[])
        .obsolete(0, 3_000_000, b"obsolete")
        .simple(9, b"simple")
        .block(0x0bad, b"a custom block, which has a number but no frame")
        .packet(0, 4_000_000, b"enhanced")
        .drops(0, 12);
    let mut reader = from_bytes(&file.bytes);
    let given = drain(&mut reader);
    let expected = [
        (3_000_000_000, 0, 1, b"obsolete".to_vec()),
        // It has no time of its own and takes that of the frame before it.
        (3_000_000_000, 0, 2, b"simple".to_vec()),
        (4_000_000_000, 0, 4, b"enhanced".to_vec()),
    ];
    assert_eq!(given, expected);
    let source = &reader.sources()[0];
    assert_eq!((source.frames, source.untimed, source.dropped_kernel), (3, 1, Some(12)));
}

#[test]
fn time_stamp_options_are_followed() {
    let offset = Order::Little.u64(100);
    let file = PcapngFile::default()
        .section(Order::Little)
        .interface(1, 0, &[(9, &[0x8a]), (14, &offset)])
        .packet(0, 1536, b"x");
    assert_eq!(drain(&mut from_bytes(&file.bytes))[0].0, 101_500_000_000);
}

#[test]
fn zones_come_from_the_user_the_stem_or_the_interface() {
    let dir = TempDir::new("zones");
    let one = PcapngFile::default().section(Order::Little).interface(1, 0, &[(2, b"br-z1")]);
    let two =
        PcapngFile::default().section(Order::Little).interface(1, 0, &[(2, b"br-z1")]).interface(1, 0, &[]);
    let one = dir.file("one.pcapng", &one.packet(0, 1, b"a").bytes);
    let two = dir.file("two.pcapng", &two.packet(0, 1, b"a").bytes);
    let mut all = inputs(&[one, two.clone()]);
    all.push(format!("named={}", two.display()).parse().unwrap());
    let reader = Reader::open(&all);
    let zones: Vec<_> = reader.sources().iter().map(|source| source.zone.as_str()).collect();
    assert_eq!(zones, ["one", "br-z1", "two#1", "named", "named"]);
}

#[test]
fn files_are_merged_by_time_then_input_then_number() {
    let dir = TempDir::new("merge");
    let a = PcapFile::nano(Order::Little, 1).frame(10, b"a1").frame(30, b"a2").frame(30, b"a3");
    let b = PcapFile::nano(Order::Big, 1).frame(5, b"b1").frame(30, b"b2").frame(40, b"b3");
    let paths = [dir.file("a.pcap", &a.bytes), dir.file("b.pcap.gz", &gzip(&b.bytes))];
    let mut reader = Reader::open(&inputs(&paths));
    let order: Vec<_> = drain(&mut reader).into_iter().map(|frame| frame.3).collect();
    assert_eq!(order, [b"b1", b"a1", b"a2", b"a3", b"b2", b"b3"]);
    let [a, b] = &reader.sources()[..] else { panic!("two sources") };
    assert_eq!((a.first, a.last, a.frames), (Some(CaptureTime(10)), Some(CaptureTime(30)), 3));
    assert_eq!((b.zone.as_str(), b.format.as_str()), ("b", "pcap-ns+gzip"));
    let progress = reader.progress();
    assert_eq!(Some(progress.read), progress.total);
}

#[test]
fn hundreds_of_files_are_merged_with_few_of_them_open() {
    let dir = TempDir::new("many");
    let paths: Vec<_> = (0..300_u64)
        .map(|n| {
            let file = PcapFile::nano(Order::Little, 1).frame(n * 10, b"first").frame(n * 10 + 15, b"second");
            dir.file(&format!("{n:03}.pcap"), &file.bytes)
        })
        .collect();
    let mut reader = Reader::open(&inputs(&paths));
    let given = drain(&mut reader);
    assert_eq!(given.len(), 600);
    assert!(given.is_sorted_by_key(|frame| frame.0));
    assert_eq!(reader.sources().len(), 300, "reopening a file adds no source");
    assert!(reader.sources().iter().all(|source| source.frames == 2));
    assert_eq!(lines(&reader), [""; 0]);
}

#[test]
fn an_unordered_file_keeps_its_order_and_is_counted() {
    let file = PcapFile::nano(Order::Little, 1).frame(20, b"x").frame(10, b"y").frame(30, b"z");
    let mut reader = from_bytes(&file.bytes);
    assert_eq!(drain(&mut reader).iter().map(|frame| frame.0).collect::<Vec<_>>(), [20, 10, 30]);
    let source = &reader.sources()[0];
    assert_eq!((source.unordered, source.first), (1, Some(CaptureTime(10))));
}

#[test]
fn compressed_standard_input_is_read_in_several_members() {
    let file = PcapFile::nano(Order::Little, 1).frame(1, b"one").frame(2, b"two").bytes;
    let (head, tail) = file.split_at(50);
    for (format, parts) in [("gzip", [gzip(head), gzip(tail)]), ("zstd", [zstd(head), zstd(tail)])] {
        let mut reader = from_bytes(&parts.concat());
        assert_eq!(drain(&mut reader).len(), 2, "{format}");
        let source = &reader.sources()[0];
        assert_eq!((source.name.as_str(), source.zone.as_str()), ("-", "-"));
        assert_eq!(source.format, format!("pcap-ns+{format}"));
        assert_eq!(reader.progress().total, None);
    }
}

#[test]
fn unusable_inputs_are_named_and_the_others_go_on() {
    let dir = TempDir::new("unusable");
    let good = dir.file("good.pcap", &PcapFile::micro(Order::Little, 1).frame(0, b"x").bytes);
    let text = dir.file("notes.pcap", b"# not a capture\n");
    let empty = dir.file("empty.pcap", b"");
    let missing = dir.path().join("missing.pcap");
    let mut all = inputs(&[missing.clone(), dir.path().to_owned(), text.clone(), empty.clone(), good]);
    all.extend(["-".parse().unwrap(), "-".parse().unwrap()]);
    let mut reader = Reader::with_stdin(&all, Box::new(Cursor::new(b"BZh91AY".to_vec())));
    assert_eq!(drain(&mut reader).len(), 1);
    let expected = [
        format!("{}: no such file", missing.display()),
        format!("{}: is a directory; name the capture files in it", dir.path().display()),
        format!("{}: looks like text (\"# not a capture\"), not a capture", text.display()),
        format!("{}: is empty", empty.display()),
        "-: is compressed with bzip2, which is not supported; unpack it first".to_owned(),
        "-: standard input can be read only once".to_owned(),
    ];
    assert_eq!(lines(&reader), expected);
}

#[test]
fn a_cut_says_where_and_how_much_was_read() {
    let file = PcapFile::micro(Order::Little, 1).frame(0, b"12345678").frame(1, b"12345678").bytes;
    let mut reader = from_bytes(&file[..file.len() - 1]);
    assert_eq!(drain(&mut reader).len(), 1);
    let expected = "-: is cut short at byte 48: the data ends inside a frame; the last good frame is 1";
    assert_eq!(lines(&reader), [expected]);
    assert_eq!(reader.sources()[0].cut.as_ref().map(|cut| cut.offset), Some(48));

    let mut reader = from_bytes(&gzip(&file[..file.len() - 1]));
    drain(&mut reader);
    assert!(lines(&reader)[0].starts_with("-: is cut short at byte 48 of the decompressed data: "));
}

#[test]
fn hostile_lengths_end_a_file_and_nothing_else() {
    let pcap = PcapFile::micro(Order::Little, 1).frame(0, b"good").bytes;
    let ng = PcapngFile::default().section(Order::Little).interface(1, 0, &[]).packet(0, 0, b"good").bytes;
    let with = |file: &[u8], tail: &[u32]| -> Vec<u8> {
        file.iter().copied().chain(tail.iter().flat_map(|n| n.to_le_bytes())).collect()
    };
    for (what, kind, bytes) in [
        ("4 GiB frame", CutKind::Damaged, with(&pcap, &[0, 0, u32::MAX, u32::MAX])),
        ("frame above the limit", CutKind::Damaged, with(&pcap, &[0, 0, 262_145, 262_145])),
        ("empty block", CutKind::Damaged, with(&ng, &[6, 0, 0])),
        ("4 GiB packet block", CutKind::Damaged, with(&ng, &[6, u32::MAX, 0, 0, 0, u32::MAX, u32::MAX])),
        ("4 GiB unknown block", CutKind::Truncated, with(&ng, &[0x99, u32::MAX, 0])),
        ("unknown interface", CutKind::Damaged, with(&ng, &[6, 32, 7, 0, 0, 0, 0, 32])),
        ("longer than its block", CutKind::Damaged, with(&ng, &[6, 36, 0, 0, 0, 5, 5, 0, 36])),
        ("section of no order", CutKind::Damaged, with(&ng, &[0x0a0d_0d0a, 28, 0x1234_5678, 1, 0, 0, 28])),
    ] {
        let mut reader = from_bytes(&bytes);
        let frames = drain(&mut reader);
        assert_eq!(frames.len(), 1, "{what}");
        let TroubleKind::Cut(cut) = &reader.troubles()[0].kind else { panic!("{what}: not cut") };
        assert_eq!((cut.kind, cut.last_frame), (kind, 1), "{what}: {cut}");
        assert_eq!(reader.sources()[0].cut.as_ref(), Some(cut), "{what}");
    }
}

#[test]
fn blocks_larger_than_the_window_are_passed() {
    let large = vec![0x55; 3 << 20];
    let mut packet = Vec::new();
    for n in [0, 0, 9_000_000, 4, 4_u32] {
        packet.extend(n.to_le_bytes());
    }
    packet.extend(b"data");
    packet.extend(&large);
    let file = PcapngFile::default()
        .section(Order::Little)
        .interface(1, 0, &[])
        .block(0x77, &large)
        .block(6, &packet)
        .packet(0, 10_000_000, b"after");
    let mut reader = from_bytes(&file.bytes);
    let given: Vec<_> = drain(&mut reader).into_iter().map(|frame| frame.3).collect();
    assert_eq!(given, [b"data".to_vec(), b"after".to_vec()], "a packet with 3 MiB of options");
    assert_eq!(lines(&reader), [""; 0]);
}
