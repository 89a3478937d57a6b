//! What happens on a connection, and who is told.

use super::Side;
use crate::units::{CaptureTime, FrameRef};

/// When and in which frame something was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Capture time.
    pub time: CaptureTime,
    /// The frame.
    pub at: FrameRef,
}

/// Bytes of a stream that one frame carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Sequence number of the first.
    pub seq: u32,
    /// What the segment acknowledged: the sequence number that its sender waited for.
    pub ack: u32,
    /// The frame.
    pub stamp: Stamp,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Both ends said FIN.
    Finished,
    /// The server, or the machine that it should be on, said RST.
    Reset,
    /// The client said RST.
    Abandoned,
    /// The same ports were opened anew.
    Replaced,
    /// Nothing was captured for too long, the table was full, or the capture ended.
    Forgotten,
}

/// What happens on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The first segment of this side was captured; what it said before is not known.
    Seen(Side, Stamp),
    /// The next bytes of one side.
    Data(Side, Piece<'a>),
    /// Bytes are missing before whatever this side's next event is; the frame shows it.
    Lost(Side, Stamp),
    /// A second copy of bytes differs from the first, which was taken.
    Differs(Side, Stamp),
    /// This side says no more.
    End(Side, Stamp),
    /// The server's machine refused the connection that was asked for in the first frame.
    Refused(Stamp, Stamp),
    /// Nobody answered the attempt: its first and its last SYN, [`super::CONNECT_NS`] or longer ago.
    Unanswered(Stamp, Stamp),
    /// Nothing more comes; the frame of the last segment.
    Closed(Close, Stamp),
}

/// Who listens to one connection.
pub trait Listener {
    /// Where listeners of all connections write what they found.
    type Notes;

    /// Takes what happened.
    fn hear(&mut self, event: Event<'_>, notes: &mut Self::Notes);

    /// Told now and then how late it is.
    fn tick(&mut self, now: CaptureTime, notes: &mut Self::Notes);

    /// Bytes that it holds, about; they count against [`super::Limits::bytes`].
    fn held(&self) -> usize;
}
