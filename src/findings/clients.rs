//! What is remembered of each client, for those who look at client after client.

use super::bounded::{ClientKey, Recent};
use super::leases::Running;
use super::secs::Known;
use crate::units::ZoneId;

/// A client in one zone.
pub(super) type Key = (ClientKey, ZoneId);

/// What is remembered of one.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) secs: Known,
    /// Its last lease.
    pub(super) lease: Option<Running>,
}

/// The clients heard of last.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients(Recent<Key, Client>);

impl Clients {
    /// One client, new if nothing is known of it.
    pub(super) fn of(&mut self, key: Key) -> &mut Client {
        self.0.entry(key, Client::default)
    }

    /// How many are forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.0.forgotten
    }
}
