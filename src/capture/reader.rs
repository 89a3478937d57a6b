//! Many inputs as one stream of frames in time order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read};

use super::file::{CaptureFile, Ledger};
use super::source::Sources;
use super::{Frame, Input, Trouble, TroubleKind};
use crate::units::{CaptureTime, SourceId};

/// Above this many inputs, files are closed again after their first frame and
/// reopened when it is due, so that a year of rotated files needs neither a
/// descriptor nor a buffer each.
const KEEP_OPEN: usize = 64;

/// How much of the inputs has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read, as they are on disk (compressed where they are).
    pub read: u64,
    /// Bytes there are; `None` when an input has no size, such as a pipe.
    pub total: Option<u64>,
}

/// Reads the frames of several captures, merged by capture time.
///
/// Each input gives its frames in the order of the file; the input whose next
/// frame is earliest goes first, and the earlier named input on a tie. So the
/// result is in time order when every file is, and a file that is not keeps
/// its own order ([`super::Source::unordered`] counts it).
pub struct Reader {
    files: Vec<CaptureFile>,
    /// Inputs that have a frame and are not `current`.
    waiting: BinaryHeap<Reverse<(CaptureTime, usize)>>,
    /// The input whose frame was given last; its buffer holds that frame.
    current: Option<usize>,
    ledger: Ledger,
}

impl Reader {
    /// Opens all inputs. One that cannot be used becomes a trouble; the others go on.
    pub fn open(inputs: &[Input]) -> Self {
        Self::with_stdin(inputs, Box::new(io::stdin()))
    }

    /// As [`Reader::open`], with `stdin` in place of standard input.
    pub fn with_stdin(inputs: &[Input], stdin: Box<dyn Read + Send>) -> Self {
        let mut reader = Self {
            files: inputs.iter().cloned().map(CaptureFile::new).collect(),
            waiting: BinaryHeap::new(),
            current: None,
            ledger: Ledger::default(),
        };
        let mut stdin = Some(stdin);
        let ledger = &mut reader.ledger;
        let many = inputs.len() > KEEP_OPEN;
        for (index, (file, input)) in reader.files.iter_mut().zip(inputs).enumerate() {
            if input.path.as_os_str() == "-" {
                let Some(stdin) = stdin.take() else {
                    let kind = TroubleKind::Unusable("standard input can be read only once".to_owned());
                    ledger.troubles.push(Trouble { name: "-".to_owned(), kind });
                    continue;
                };
                file.open(Some(stdin), ledger);
            } else {
                file.open(None, ledger);
            }
            if let Some(time) = file.head_time() {
                reader.waiting.push(Reverse((time, index)));
                if many && file.can_park() {
                    file.park();
                }
            }
        }
        reader
    }

    /// The next frame of all inputs; `None` when all are read.
    ///
    /// The frame borrows the reader's buffer, so it is gone at the next call;
    /// that is why the reader is no `Iterator`.
    #[expect(clippy::should_implement_trait, reason = "an Iterator's items cannot borrow from it")]
    pub fn next(&mut self) -> Option<Frame<'_>> {
        loop {
            let index = self.choose()?;
            self.current = Some(index);
            // The borrow checker cannot see that a frame given from inside the
            // loop ends it, so the loop only makes sure that there is one.
            if self.files.get(index)?.head_time().is_some() {
                break;
            }
        }
        self.files.get(self.current?)?.give(&mut self.ledger.sources)
    }

    /// The sources found so far. They are complete when `next` has given `None`.
    pub const fn sources(&self) -> &Sources {
        &self.ledger.sources
    }

    /// Where the files say that frames are missing, since the last call: source, after which instant, before which one.
    pub fn losses(&mut self) -> Vec<(SourceId, CaptureTime, CaptureTime)> {
        std::mem::take(&mut self.ledger.losses)
    }

    /// What went wrong so far, in the order of its discovery.
    pub fn troubles(&self) -> &[Trouble] {
        &self.ledger.troubles
    }

    /// How far the reading is. It costs a few loads per input.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress { read: 0, total: Some(0) };
        for (read, size) in self.files.iter().map(CaptureFile::progress) {
            progress.read += read;
            progress.total = progress.total.zip(size).map(|(total, size)| total + size);
        }
        progress
    }

    /// The input to give from: reads on in the current one, and changes over
    /// when another's head is now earlier.
    #[inline]
    fn choose(&mut self) -> Option<usize> {
        if let Some(index) = self.current.take() {
            let file = self.files.get_mut(index)?;
            file.advance(&mut self.ledger);
            if let Some(time) = file.head_time() {
                match self.waiting.peek() {
                    Some(Reverse(first)) if *first < (time, index) => {
                        self.waiting.push(Reverse((time, index)));
                    }
                    _ => return Some(index),
                }
            }
        }
        let Reverse((_, index)) = self.waiting.pop()?;
        self.files.get_mut(index)?.unpark(&mut self.ledger);
        Some(index)
    }
}
