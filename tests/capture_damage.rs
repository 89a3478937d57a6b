//! Captures that are cut at every byte, mutated, or random: the frames before
//! the damage come out, nothing panics, and every frame is accounted for.

use std::io::Write as _;
use std::process::{Command, Stdio};

use dorascope::capture::Reader;
use dorascope::frame::{Decoded, Decoder, SkipCounts};
use dorascope::units::CaptureTime;

use crate::capture_files::{Given, drain, from_bytes};
use crate::support::files::{Order, PcapFile, PcapngFile, gzip, zstd};
use crate::support::frames::{dhcp_frame, dhcp_packet, ethernet, fragment, ipv4, tcp, udp};
use crate::support::random::Xorshift;

fn frames() -> Vec<Vec<u8>> {
    let datagram = udp(68, 67, &[7; 40]);
    let vxlan = [&[8, 0, 0, 0, 0, 0, 9, 0][..], &dhcp_frame(b"inside")].concat();
    let gre = [&[0, 0, 0x65, 0x58][..], &dhcp_frame(b"gre")].concat();
    vec![
        dhcp_frame(b"hello"),
        ethernet(0x0800, &ipv4(6, &tcp(80, 4000, b"GET"))),
        ethernet(0x8100, &[&[0, 42, 8, 0][..], &dhcp_packet(b"tagged")].concat()),
        ethernet(0x0800, &fragment(17, 9, 0x2000, &datagram[..24])),
        ethernet(0x0800, &fragment(17, 9, 3, &datagram[24..])),
        ethernet(0x0800, &ipv4(17, &udp(5000, 4789, &vxlan))),
        ethernet(0x0800, &ipv4(47, &gre)),
        ethernet(0x0806, &[0; 28]),
    ]
}

fn pcap() -> Vec<u8> {
    let file = PcapFile::nano(Order::Little, 1);
    frames().iter().zip(1..).fold(file, |file, (frame, ns)| file.frame(ns, frame)).bytes
}

fn pcapng() -> Vec<u8> {
    let file = PcapngFile::default().section(Order::Little).interface(1, 0, &[(2, b"eth0"), (9, &[9])]);
    let file = frames().iter().zip(1..).fold(file, |file, (frame, ns)| file.packet(0, ns, frame));
    let file =
        file.section(Order::Big).interface(1, 90, &[(2, b"eth1")]).drops(0, 3).simple(60, &frames()[0]);
    frames().iter().zip(1..).fold(file, |file, (frame, ns)| file.obsolete(0, ns, frame)).bytes
}

/// Reads and decodes everything; every frame must be exactly one of the three outcomes.
fn account(reader: &mut Reader) {
    let (mut decoder, mut skips) = (Decoder::new(), SkipCounts::default());
    let (mut frames, mut datagrams, mut segments) = (0_u64, 0, 0);
    while let Some(frame) = reader.next() {
        frames += 1;
        match decoder.decode(&frame) {
            Ok(Decoded::Udp(_)) => datagrams += 1,
            Ok(Decoded::Tcp(_)) => segments += 1,
            Err(skip) => skips.count(skip),
        }
    }
    assert_eq!(frames, datagrams + segments + skips.total());
    assert_eq!(frames, reader.sources().iter().map(|source| source.frames).sum::<u64>());
}

/// Cuts `file` at every byte; a cut is silent only between two records.
fn every_cut(what: &str, file: &[u8], clean_cuts: usize) {
    let whole = drain(&mut from_bytes(file));
    assert!(whole.len() >= 8, "{what}");
    let (mut silent, mut before): (usize, Vec<Given>) = (0, Vec::new());
    for length in 0..file.len() {
        let mut reader = from_bytes(&file[..length]);
        let given = drain(&mut reader);
        assert!(whole.starts_with(&given), "{what} cut at {length} gives other frames");
        assert!(given.len() >= before.len(), "{what} cut at {length} gives fewer than one byte less did");
        silent += usize::from(reader.troubles().is_empty());
        assert!(reader.troubles().len() <= 1);
        before = given;
    }
    assert_eq!(silent, clean_cuts, "{what}: cuts without a trouble");
}

#[test]
fn a_file_cut_at_any_byte_gives_every_frame_before_the_cut() {
    let (pcap, pcapng) = (pcap(), pcapng());
    // Behind the header, and behind each frame but the last.
    every_cut("pcap", &pcap, 8);
    // Behind each interface block and everything that follows in its section,
    // and behind the second section's header.
    every_cut("pcapng", &pcapng, 20);
}

#[test]
fn a_compressed_file_cut_at_any_byte_is_read_up_to_the_cut() {
    for (what, packed) in [("gzip", gzip(&pcapng())), ("zstd", zstd(&pcapng()))] {
        let whole = drain(&mut from_bytes(&packed));
        for length in 4..packed.len() {
            let mut reader = from_bytes(&packed[..length]);
            let given = drain(&mut reader);
            assert!(whole.starts_with(&given), "{what} cut at {length}");
            assert_eq!(reader.troubles().len(), 1, "{what} cut at {length} is silent");
        }
    }
    // A stream large enough for several blocks of the decompressor: what it
    // gave before the cut must not be lost with it.
    let mut random = Xorshift(5);
    let noise: Vec<u8> = (0..1000).map(|_| random.next() as u8).collect();
    let file = (0..2000).fold(PcapFile::nano(Order::Little, 1), |file, ns| file.frame(ns, &noise[..500]));
    for packed in [gzip(&file.bytes), zstd(&file.bytes)] {
        let given = drain(&mut from_bytes(&packed[..packed.len() - 1]));
        assert!(given.len() > 1500, "only {} of 2000 frames", given.len());
    }
}

#[test]
fn mutated_and_random_files_never_panic() {
    let mut random = Xorshift(0x5eed);
    for (original, rounds) in [(pcap(), 3000), (pcapng(), 3000), (gzip(&pcap()), 500), (zstd(&pcap()), 500)] {
        for _ in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = match random.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => bytes[at] ^ (1 << random.below(8)),
                    _ => random.next() as u8,
                };
            }
            bytes.truncate(bytes.len() - random.below(3));
            account(&mut from_bytes(&bytes));
        }
    }
    for magic in [&pcap()[..24], &pcapng()[..28], b"snoop\0\0\0\0\0\0\x02\0\0\0\x04", &[0x1f, 0x8b, 8, 0]] {
        for length in 0..400 {
            let noise = (0..length).map(|_| random.next() as u8);
            account(&mut from_bytes(&magic.iter().copied().chain(noise).collect::<Vec<_>>()));
        }
    }
}

#[test]
fn random_bytes_never_panic_behind_any_link_type() {
    let mut random = Xorshift(0xfee1);
    let mut decoder = Decoder::new();
    let seeds = frames();
    for link in [0, 1, 9, 12, 50, 51, 101, 104, 105, 108, 113, 127, 228, 229, 276, 147] {
        for round in 0..4000 {
            let mut bytes = seeds[random.below(seeds.len())].clone();
            let skip = random.below(bytes.len());
            if round % 2 == 0 {
                bytes.drain(..skip);
            }
            for _ in 0..random.below(6) {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            let frame = dorascope::capture::Frame {
                time: CaptureTime(round),
                at: dorascope::units::FrameRef::default(),
                link: dorascope::capture::LinkType(link),
                original_len: bytes.len() as u32,
                data: &bytes,
            };
            // Any outcome is right; a panic is not.
            let _ = decoder.decode(&frame);
        }
    }
}

/// Not a test of its own: the next test runs it in a process of its own, with a
/// capture on standard input. Without that it has nothing to do.
#[test]
fn standard_input_child() {
    if std::env::var_os("DORASCOPE_TEST_STDIN").is_some() {
        let mut reader = Reader::open(&["zone=-".parse().unwrap()]);
        let count = drain(&mut reader).len();
        println!("read {count} frames of {}", reader.sources()[0].zone);
    }
}

#[test]
fn standard_input_is_read_from_a_pipe() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "capture_damage::standard_input_child", "--nocapture"])
        .env("DORASCOPE_TEST_STDIN", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let packed = gzip(&pcap());
    let mut pipe = child.stdin.take().unwrap();
    for piece in packed.chunks(7) {
        pipe.write_all(piece).unwrap();
    }
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("read 8 frames of zone"), "{text}");
}

/// A file system fills a file's end with zeros when a machine stops while it writes.
#[test]
fn a_tail_of_zeros_is_damage_and_not_frames() {
    let mut bytes = pcap();
    let whole = bytes.len();
    bytes.extend([0; 4096]);
    let mut reader = from_bytes(&bytes);
    let mut given = 0;
    while reader.next().is_some() {
        given += 1;
    }
    assert_eq!(given, frames().len());
    let trouble = reader.troubles()[0].to_string();
    assert!(trouble.contains(&format!("is damaged at byte {whole}: a record header of zeros")), "{trouble}");
}
