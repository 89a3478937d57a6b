//! The table of open exchanges, and how those of one client are found in it.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Exchange, Observed};
use crate::units::{HwAddr, Xid};

/// What finds the open exchanges of a message: `chaddr`, which replies echo
/// (RFC 2131 table 3). Where `hlen` is 0 only the xid is left, because servers
/// before RFC 6842 send no option 61.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Hardware(HwAddr),
    Xid(Xid),
}

impl Key {
    pub(super) fn of(message: &Observed) -> Self {
        if message.chaddr.is_empty() { Self::Xid(message.xid) } else { Self::Hardware(message.chaddr) }
    }
}

/// An open exchange, with what tells at a glance whether a message may belong to it.
/// A hostile client has many, and most messages are looked at for a few.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) key: Key,
    /// The next older and the next younger open exchange of the same key.
    older: Option<u32>,
    younger: Option<u32>,
    /// The xid of its first message, and of its REQUEST, which may have used a new one.
    pub(super) xids: [Xid; 2],
    /// The number of its last touch.
    pub(super) touch: u64,
    /// It has an OFFER, which a REQUEST with any xid may select.
    pub(super) offered: bool,
    /// It has a REQUEST.
    pub(super) requested: bool,
    /// It has an ACK or NAK.
    pub(super) answered: bool,
    /// One of its messages came by a relay.
    pub(super) relayed: bool,
    pub(super) exchange: Exchange,
}

impl Open {
    pub(super) const fn new(key: Key, exchange: Exchange) -> Self {
        Self {
            key,
            older: None,
            younger: None,
            xids: [exchange.xid; 2],
            touch: 0,
            offered: false,
            requested: false,
            answered: false,
            relayed: false,
            exchange,
        }
    }
}

/// Exchanges at places that do not change.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The place of each key's youngest open exchange. The hash has a random seed, because
    /// anybody can choose hardware addresses.
    youngest: HashTable<u32>,
    seed: RandomState,
    list: Vec<Option<Open>>,
    /// Places that are free.
    free: Vec<u32>,
}

impl Table {
    pub(super) const fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, place: u32) -> Option<&Open> {
        self.list.get(place as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Open> {
        self.list.get_mut(place as usize)?.as_mut()
    }

    /// The open exchanges of a key, the youngest first.
    pub(super) fn of(&self, key: &Key) -> Chain<'_> {
        let is_of = |place: &u32| self.get(*place).is_some_and(|open| open.key == *key);
        let next = self.youngest.find(self.seed.hash_one(key), is_of).copied();
        Chain { table: self, next }
    }

    /// Adds the youngest exchange of its key, and gives its place.
    pub(super) fn add(&mut self, mut open: Open) -> u32 {
        let key = open.key;
        open.older = self.of(&key).next;
        let older = open.older;
        let at = self.free.pop().unwrap_or_else(|| {
            self.list.push(None);
            self.list.len() as u32 - 1
        });
        if let Some(place) = self.list.get_mut(at as usize) {
            *place = Some(open);
        }
        let hash = self.seed.hash_one(key);
        match older {
            Some(older) => {
                if let Some(open) = self.get_mut(older) {
                    open.younger = Some(at);
                }
                if let Some(youngest) = self.youngest.find_mut(hash, |place| *place == older) {
                    *youngest = at;
                }
            }
            None => {
                let Self { youngest, seed, list, .. } = self;
                let key = |place: &u32| list.get(*place as usize)?.as_ref().map(|open| open.key);
                youngest.insert_unique(hash, at, |place| key(place).map_or(0, |key| seed.hash_one(key)));
            }
        }
        at
    }

    /// Messages find this exchange no longer; it keeps its place.
    pub(super) fn close(&mut self, at: u32) {
        let Some(open) = self.get_mut(at) else { return };
        let (key, older, younger) = (open.key, open.older.take(), open.younger.take());
        if let Some(older) = older.and_then(|older| self.get_mut(older)) {
            older.younger = younger;
        }
        if let Some(younger) = younger {
            if let Some(younger) = self.get_mut(younger) {
                younger.older = older;
            }
            return;
        }
        if let Ok(mut youngest) = self.youngest.find_entry(self.seed.hash_one(key), |place| *place == at) {
            match older {
                Some(older) => *youngest.get_mut() = older,
                None => drop(youngest.remove()),
            }
        }
    }

    /// Gives away a closed exchange.
    pub(super) fn take(&mut self, at: u32) -> Option<Exchange> {
        let exchange = self.list.get_mut(at as usize)?.take()?.exchange;
        self.free.push(at);
        Some(exchange)
    }
}

#[cfg(test)]
impl Table {
    /// Every key that has open exchanges.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.youngest.iter().filter_map(|place| self.get(*place)).map(|open| open.key)
    }
}

/// The open exchanges of one key, the youngest first.
#[derive(Clone)]
pub(super) struct Chain<'t> {
    table: &'t Table,
    next: Option<u32>,
}

impl<'t> Iterator for Chain<'t> {
    type Item = (u32, &'t Open);

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next?;
        let open = self.table.get(at)?;
        self.next = open.older;
        Some((at, open))
    }
}
