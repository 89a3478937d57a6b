//! A decoder that works on a thread of its own, ahead of whoever reads.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes of a block.
const BLOCK: usize = 256 << 10;
/// Blocks that go round, so that neither side waits for the other at every one.
const ROUND: usize = 4;
/// Bytes that are read before a thread is worth it: of a thousand rotated files
/// only the first instants are wanted at first.
const ALONE: usize = 256 << 10;

/// Reads from a decoder; a stream that proves long is decoded beside the reader.
pub(super) struct Beside {
    state: State,
}

enum State {
    /// Still short, with the bytes left until it is long.
    Alone(Box<dyn Read + Send>, usize),
    Beside(Blocks),
    Ended,
}

struct Blocks {
    filled: Receiver<io::Result<Block>>,
    emptied: SyncSender<Block>,
    block: Block,
    at: usize,
}

#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// Bytes of it that were filled; none at the end of the stream.
    len: usize,
}

impl Beside {
    pub(super) fn new(decoder: impl Read + Send + 'static) -> Self {
        Self { state: State::Alone(Box::new(decoder), ALONE) }
    }
}

impl Read for Beside {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let State::Alone(decoder, left) = &mut self.state {
            if *left > 0 {
                let n = decoder.read(buf)?;
                *left = left.saturating_sub(n);
                return Ok(n);
            }
            if let State::Alone(decoder, _) = std::mem::replace(&mut self.state, State::Ended) {
                self.state = State::Beside(Blocks::start(decoder)?);
            }
        }
        let State::Beside(blocks) = &mut self.state else { return Ok(0) };
        let n = blocks.read(buf)?;
        if n == 0 && !buf.is_empty() {
            self.state = State::Ended;
        }
        Ok(n)
    }
}

impl Blocks {
    fn start(decoder: Box<dyn Read + Send>) -> io::Result<Self> {
        let (fill, filled) = sync_channel(ROUND);
        let (emptied, empty) = sync_channel(ROUND);
        for _ in 1..ROUND {
            // There is room for all of them.
            let _ = emptied.send(Block::default());
        }
        thread::Builder::new().name("decompress".to_owned()).spawn(move || run(decoder, &empty, &fill))?;
        Ok(Self { filled, emptied, block: Block::default(), at: 0 })
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len {
            // At the end of the stream nobody waits for it any more.
            let _ = self.emptied.send(std::mem::take(&mut self.block));
            self.at = 0;
            self.block = self.filled.recv().map_err(|_| io::Error::other("the decompressor stopped"))??;
        }
        let ready = self.block.bytes.get(self.at..self.block.len).unwrap_or_default();
        let n = ready.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at += n;
        Ok(n)
    }
}

/// Fills blocks to the end of the stream, to its first error, or until nobody reads any more.
fn run(mut decoder: Box<dyn Read + Send>, empty: &Receiver<Block>, fill: &SyncSender<io::Result<Block>>) {
    while let Ok(mut block) = empty.recv() {
        block.bytes.resize(BLOCK, 0);
        block.len = 0;
        let mut failed = None;
        while let Some(room) = block.bytes.get_mut(block.len..).filter(|room| !room.is_empty()) {
            match decoder.read(room) {
                Ok(0) => break,
                Ok(n) => block.len += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let over = block.len == 0;
        // What was decoded before an error is good.
        if !(over && failed.is_some()) && fill.send(Ok(block)).is_err() {
            return;
        }
        if let Some(error) = failed {
            let _ = fill.send(Err(error));
            return;
        }
        if over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts upwards, and fails or ends at a byte.
    struct Numbers {
        at: usize,
        end: usize,
        fails: bool,
    }

    impl Read for Numbers {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let n = buf.len().min(self.end - self.at).min(7777);
            if n == 0 && self.fails {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buf[..n].iter_mut().zip(self.at..).for_each(|(byte, at)| *byte = (at % 251) as u8);
            self.at += n;
            Ok(n)
        }
    }

    #[test]
    fn long_streams_come_whole_and_in_order_and_errors_after_what_was_good() {
        for end in [0, 1, ALONE - 1, ALONE, ALONE + 1, ALONE + BLOCK, 3 << 20] {
            for fails in [false, true] {
                let mut all = Vec::new();
                let mut beside = Beside::new(Numbers { at: 0, end, fails });
                let read = beside.read_to_end(&mut all);
                assert_eq!(read.is_err(), fails, "{end}");
                assert_eq!(all.len(), end);
                assert!(all.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251), "{end}");
                if !fails {
                    assert_eq!(beside.read(&mut [0; 9]).unwrap(), 0, "it stays at its end");
                }
            }
        }
    }

    #[test]
    fn a_reader_that_goes_away_ends_the_thread() {
        let mut beside = Beside::new(Numbers { at: 0, end: usize::MAX >> 1, fails: false });
        let mut some = vec![0; ALONE + 5 * BLOCK];
        beside.read_exact(&mut some).unwrap();
        assert_eq!(some[ALONE + BLOCK], ((ALONE + BLOCK) % 251) as u8);
    }
}
