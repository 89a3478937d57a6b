//! What must hold for any input, one function per fuzz target.
//!
//! `cargo fuzz` runs them on what it finds (`targets/`), the tests of dorascope
//! on the committed corpus and on mutations of it (`tests/fuzz_smoke.rs`).
//! Each takes bytes and panics where an invariant does not hold.

mod channel;
mod config;
mod frames;
mod http;
mod logs;
mod place;

pub use channel::channel;
pub use config::{config, topology};
pub use frames::frames;
pub use http::{http, json};
pub use logs::{leases, log};

/// Takes an input apart, front to back; zeros when it is over.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn u8(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Line feeds.
fn line_feeds(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}
