//! Answers for people: the proof card of an exchange, and the tables of
//! expectations filled with what was seen. Reads a finished analysis, decides nothing.

pub mod card;
pub mod check;
mod counted;
pub(crate) mod ladder;
mod parts;
pub mod reason;
mod reasons;
mod selector;
pub mod text;
mod wait;

pub use parts::Parts;
pub use selector::Selector;
