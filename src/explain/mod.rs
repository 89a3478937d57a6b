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

use crate::pipeline::Analysis;
use crate::units::ExchangeId;

pub use parts::Parts;
pub use selector::Selector;

/// What the client of an exchange got, in a few words; nothing when the exchange is not in this batch.
pub fn headline(analysis: &Analysis<'_>, id: ExchangeId) -> Option<String> {
    card::Card::of(analysis, id).map(|card| card.headline())
}
