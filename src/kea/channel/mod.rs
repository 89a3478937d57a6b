//! Kea's control channel: HTTP/1.1 requests and answers with JSON bodies (kea-ha §6).
//!
//! A [`Reader`] takes the bytes of one direction as they come and gives the
//! commands or answers in them. Nothing is trusted, and no body is stored.
//!
//! ```text
//! framing   where a message begins and ends
//! head      what its head says about that
//! json      what is picked out of a body of any size, into fields
//! quick     the same, of a body that lies there as a whole
//! message   that as a Request or a Response
//! tls       the records of an encrypted channel
//! ```

mod fields;
mod framing;
mod head;
mod json;
mod message;
mod quick;
mod tls;

pub use framing::{Heard, Reader};
pub use message::{Control, Request, Response};
pub use tls::Record;

/// What is odd about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// A head longer than any that Kea writes.
    HeadTooLong,
    /// A head that is no HTTP.
    HeadBroken,
    /// More than one length, or a length and chunks (RFC 9112 §6.3).
    LengthConflict,
    /// A body longer than any page of leases.
    BodyTooLong,
    /// A chunk without a readable length (RFC 9112 §7.1).
    ChunkBroken,
    /// The stream ended, or has a hole, inside the message.
    MessageCut,
    /// A body that is no JSON, or neither a map nor a list of maps.
    JsonBroken,
    /// Maps and lists in one another beyond all measure.
    JsonTooDeep,
    /// A key twice in one map; the last one counts, as for Kea.
    JsonDuplicateKey,
    /// A number beyond 64 bits where one is looked for.
    JsonNumberRange,
    /// A text longer than any that is looked for; its beginning is used.
    JsonTextTooLong,
}

impl Anomaly {
    /// The stable kebab-case name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::HeadTooLong => "http-head-too-long",
            Self::HeadBroken => "http-head-broken",
            Self::LengthConflict => "http-length-conflict",
            Self::BodyTooLong => "http-body-too-long",
            Self::ChunkBroken => "http-chunk-broken",
            Self::MessageCut => "http-message-cut",
            Self::JsonBroken => "json-broken",
            Self::JsonTooDeep => "json-too-deep",
            Self::JsonDuplicateKey => "json-duplicate-key",
            Self::JsonNumberRange => "json-number-range",
            Self::JsonTextTooLong => "json-text-too-long",
        }
    }

    /// The same in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::HeadTooLong => "the HTTP head is longer than any that Kea writes",
            Self::HeadBroken => "the HTTP head cannot be read",
            Self::LengthConflict => "the HTTP head gives the body's length in two ways",
            Self::BodyTooLong => "the body is longer than any page of leases",
            Self::ChunkBroken => "a chunk of the body has no readable length",
            Self::MessageCut => "the message is not complete",
            Self::JsonBroken => "the body is no JSON message",
            Self::JsonTooDeep => "the body is nested beyond all measure",
            Self::JsonDuplicateKey => "a key stands twice in one map",
            Self::JsonNumberRange => "a number does not fit into 64 bits",
            Self::JsonTextTooLong => "a text is longer than any that Kea writes",
        }
    }
}

#[cfg(test)]
mod tests;
