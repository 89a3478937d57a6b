//! What the peers say to each other on the control channel (kea-ha §6), and
//! what their connections tell: refused, unanswered, encrypted.
//!
//! ```text
//! reader     which TCP segments are control traffic
//! dialogue   one connection: requests paired with answers
//! waiting    what it keeps for that
//! event      what comes of it
//! report     everything together, with what was odd
//! ```

mod dialogue;
mod event;
mod reader;
mod report;
mod waiting;

pub use event::{EventKind, HaEvent};
pub use reader::ControlReader;
pub use report::{ChannelAnomaly, ChannelAnomalyKind, ChannelCounts, ChannelReport, SignOfLife};

#[cfg(test)]
mod tests;
