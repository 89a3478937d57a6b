//! What waits on a connection: a message for its end, a request for its answer, an answer for its request.

use super::event::HaEvent;
use crate::kea::channel::{Reader, Response};
use crate::stream::Stamp;
use crate::units::SECOND;

/// What one side says.
#[derive(Clone, Debug, Default)]
pub(super) struct Voice {
    pub(super) reader: Reader,
    /// The frame in which the present message began.
    pub(super) begun: Stamp,
    /// The latest frame of it.
    pub(super) latest: Stamp,
    /// Sequence number behind it.
    pub(super) next: u32,
    /// What its first segment acknowledged.
    pub(super) ack: u32,
}

/// A request that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) asked: Stamp,
    /// Sequence number behind it.
    pub(super) next: u32,
    /// `None` for what is no command of Kea but will be answered all the same.
    pub(super) event: Option<HaEvent>,
    pub(super) timed_out: bool,
}

/// An answer whose request was not read yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Early {
    pub(super) begun: Stamp,
    pub(super) complete: Stamp,
    /// The request's last byte lies before this sequence number of the client.
    pub(super) ack: u32,
    pub(super) response: Response,
}

/// Kea's patience with a command was over.
pub(super) fn overdue(event: &HaEvent, patience: i64) -> HaEvent {
    let end = Stamp { time: event.request_time.plus(patience), at: event.request_at };
    event.timeout(end, &format!("no answer within {} s", patience / SECOND))
}
