//! The records of an encrypted control channel (RFC 8446 §5.1): not what they say, but that they are there.

/// Content after the longest that RFC 8446 §5.2 allows is no TLS.
const MOST_CONTENT: usize = (1 << 14) + 2048;
const HEADER: usize = 5;

/// A record by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Handshake, cipher change or alert in the clear.
    Setup,
    /// Application data; TLS 1.3 hides the rest of its handshake in it too.
    Data,
}

/// Where in a sequence of records a stream is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Records {
    header: [u8; HEADER],
    have: usize,
    left: usize,
}

/// Whether `bytes` begin like a record, as far as they go.
pub(super) fn is_record(bytes: &[u8]) -> bool {
    let field = |at: usize, fits: fn(u8) -> bool| bytes.get(at).is_none_or(|byte| fits(*byte));
    let length =
        bytes.get(3..5).map(|length| length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
    field(0, |kind| matches!(kind, 20..=23))
        && field(1, |major| major == 3)
        && field(2, |minor| minor <= 4)
        && length.is_none_or(|length| (1..=MOST_CONTENT).contains(&length))
}

impl Records {
    pub(super) const fn is_between(&self) -> bool {
        self.have == 0
    }

    /// Takes bytes until a record is complete; `Err` when there is none.
    pub(super) fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Record>, ()> {
        while !bytes.is_empty() {
            if self.have < HEADER {
                if let (Some(slot), Some((byte, rest))) =
                    (self.header.get_mut(self.have), bytes.split_first())
                {
                    *slot = *byte;
                    self.have += 1;
                    *bytes = rest;
                }
                let known = self.header.get(..self.have).unwrap_or_default();
                if !is_record(known) {
                    return Err(());
                }
                self.left = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                continue;
            }
            let taken = self.left.min(bytes.len());
            *bytes = bytes.get(taken..).unwrap_or_default();
            self.left -= taken;
            if self.left == 0 {
                self.have = 0;
                return Ok(Some(if self.header[0] == 23 { Record::Data } else { Record::Setup }));
            }
        }
        Ok(None)
    }
}
