//! A sliding window over a byte stream: large reads into one reusable buffer,
//! from which frames are borrowed.

use std::io::{self, Read};
use std::ops::Range;

/// Bytes that one read call asks for, once a stream proves longer than [`PROBE`]:
/// few calls, and a block that a core's cache holds beside everything else.
const BLOCK: usize = 512 << 10;

/// Bytes of the first read. Opening a thousand rotated files only to learn
/// their first instants must not read a gigabyte.
const PROBE: usize = 64 << 10;

/// The unread part of a stream that is in memory.
///
/// A range from [`Window::take`] stays valid until the next call of
/// [`Window::fill`] or [`Window::skip`], which may move or replace the bytes.
pub(super) struct Window {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset in the stream of `buffer[0]`.
    base: u64,
    /// Bytes of the record just taken that are still to be discarded.
    owed: u64,
    ended: bool,
}

impl Window {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, buffer: vec![0; PROBE], start: 0, end: 0, base: 0, owed: 0, ended: false }
    }

    /// Offset in the stream of the first unread byte.
    pub(super) const fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// The unread bytes that are in memory.
    #[inline]
    pub(super) fn peek(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes of a range that [`Window::take`] gave.
    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }

    /// Brings at least `want` unread bytes into memory; false when the stream
    /// ends before that. `want` is at most one block, whatever a file says:
    /// callers check lengths against [`super::record::MAX_FRAME`] first.
    #[inline]
    pub(super) fn fill(&mut self, want: usize) -> io::Result<bool> {
        if self.end - self.start >= want { Ok(true) } else { self.refill(want) }
    }

    #[cold]
    fn refill(&mut self, want: usize) -> io::Result<bool> {
        debug_assert!(want <= BLOCK, "no frame is larger than a block");
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        // Only a stream that has proved longer than a probe gets the large buffer.
        if self.base >= PROBE as u64 / 2 || want > self.buffer.len() {
            self.buffer.resize(BLOCK, 0);
        }
        while self.end < want && !self.ended {
            let Some(room) = self.buffer.get_mut(self.end..) else { break };
            match self.input.read(room) {
                Ok(0) => self.ended = true,
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end >= want)
    }

    /// Marks `n` bytes as read, of which `part` (counted from the first unread
    /// byte) is the frame; gives where that part is for [`Window::bytes`].
    #[inline]
    pub(super) fn take(&mut self, n: usize, part: Range<usize>) -> Range<usize> {
        let range = self.start + part.start..self.start + part.end;
        self.start = self.end.min(self.start + n);
        range
    }

    /// Leaves `n` bytes behind the record just taken to be discarded by [`Window::settle`].
    pub(super) const fn owe(&mut self, n: u64) {
        self.owed = n;
    }

    /// Discards what [`Window::owe`] left; false when the stream ends before that.
    #[inline]
    pub(super) fn settle(&mut self) -> io::Result<bool> {
        if self.owed == 0 {
            return Ok(true);
        }
        let owed = std::mem::take(&mut self.owed);
        self.skip(owed)
    }

    /// Discards `n` bytes, however many; false when the stream ends before that.
    pub(super) fn skip(&mut self, mut n: u64) -> io::Result<bool> {
        loop {
            let step = (self.end - self.start).min(usize::try_from(n).unwrap_or(usize::MAX));
            self.start += step;
            n -= step as u64;
            if n == 0 {
                return Ok(true);
            }
            if !self.refill(1)? {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most three bytes for each call, as a pipe may.
    struct Dribble(u8);

    impl Read for Dribble {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let mut n = 0;
            while let Some(byte) = buf.get_mut(n).filter(|_| n < 3 && self.0 < 200) {
                *byte = self.0;
                self.0 += 1;
                n += 1;
            }
            Ok(n)
        }
    }

    #[test]
    fn fill_take_and_skip_follow_the_stream() -> io::Result<()> {
        let mut window = Window::new(Box::new(Dribble(0)));
        assert!(window.fill(10)?);
        let range = window.take(10, 4..10);
        assert_eq!(window.bytes(range), [4, 5, 6, 7, 8, 9]);
        assert_eq!(window.offset(), 10);
        assert!(window.skip(90)?);
        assert_eq!(window.offset(), 100);
        assert!(window.fill(100)?);
        assert_eq!(window.peek().first(), Some(&100));
        assert!(!window.fill(101)?, "only 100 bytes are left");
        assert!(!window.skip(101)?);
        Ok(())
    }
}
