//! The bodies of the fuzz targets over their committed corpus, and over mutations of it from a fixed seed.
//! `make fuzz` looks further.

use std::path::Path;
use std::time::{Duration, Instant};

use super::support::random::Xorshift;

#[path = "fuzz/bodies/mod.rs"]
mod bodies;

/// Mutated inputs of every target at most.
const ROUNDS: usize = 20_000;
/// A slow machine tries fewer of them.
const PATIENCE: Duration = Duration::from_millis(700);

/// The committed inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// One to four changes as a fuzzer makes them.
fn mutate(bytes: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Xorshift) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let rest = bytes.len() - at;
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + random.below(rest + 1).min(16))),
            2 => bytes.insert(at, random.next() as u8),
            3 => {
                let copy = bytes[at..at + random.below(rest + 1).min(256)].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            4 => {
                let other = &others[random.below(others.len())];
                let from = random.below(other.len() + 1);
                let part = &other[from..from + random.below(other.len() - from + 1).min(256)];
                bytes.splice(at..at, part.iter().copied());
            }
            // The ends of ranges are where mistakes are.
            5 if rest > 0 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'0', b'"', b'\n'][random.below(8)],
            _ if rest > 0 => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
}

fn smoke(target: &str, body: fn(&[u8])) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty());
    for input in &corpus {
        body(input);
    }
    let (began, mut random) = (Instant::now(), Xorshift(0x5eed));
    for round in 0..ROUNDS {
        let mut input = corpus[round % corpus.len()].clone();
        mutate(&mut input, &corpus, &mut random);
        let shown = Shown(target, &input);
        body(&input);
        std::mem::forget(shown);
        if began.elapsed() > PATIENCE {
            break;
        }
    }
}

/// Says which input it was when a body panics.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        eprintln!("{}: {}", self.0, self.1.escape_ascii());
    }
}

#[test]
fn channel() {
    smoke("channel", bodies::channel);
}

#[test]
fn http() {
    smoke("http", bodies::http);
}

#[test]
fn json() {
    smoke("json", bodies::json);
}

#[test]
fn config() {
    smoke("config", bodies::config);
}

#[test]
fn topology() {
    smoke("topology", bodies::topology);
}

#[test]
fn log() {
    smoke("log", bodies::log);
}

#[test]
fn leases() {
    smoke("leases", bodies::leases);
}

#[test]
fn frames() {
    smoke("frames", bodies::frames);
}
