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
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether it has a message of one kind")]
pub(super) struct Open {
    pub(super) key: Key,
    /// The next older and the next younger open exchange of the same key.
    older: Option<u32>,
    younger: Option<u32>,
    /// True of the youngest alone.
    own: Own,
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

/// How many exchanges of one key are open, and the place of the oldest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) count: usize,
    pub(super) oldest: u32,
}

impl Open {
    pub(super) const fn new(key: Key, exchange: Exchange) -> Self {
        Self {
            key,
            older: None,
            younger: None,
            own: Own { count: 1, oldest: 0 },
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
#[derive(Clone, Debug, Default)]
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

    fn youngest(&self, key: &Key) -> Option<u32> {
        let is_of = |place: &u32| self.get(*place).is_some_and(|open| open.key == *key);
        self.youngest.find(self.seed.hash_one(key), is_of).copied()
    }

    /// The open exchanges of a key, the youngest first.
    pub(super) fn of(&self, key: &Key) -> Chain<'_> {
        Chain { table: self, next: self.youngest(key) }
    }

    /// The same without a look at them; absent where there are none.
    pub(super) fn own(&self, key: &Key) -> Option<Own> {
        Some(self.get(self.youngest(key)?)?.own)
    }

    /// Adds the youngest exchange of its key, and gives its place.
    pub(super) fn add(&mut self, mut open: Open) -> u32 {
        let key = open.key;
        open.older = self.youngest(&key);
        let older = open.older;
        let before = older.and_then(|older| self.get(older)).map(|older| older.own);
        let at = self.free.pop().unwrap_or_else(|| {
            self.list.push(None);
            self.list.len() as u32 - 1
        });
        open.own = before.map_or(Own { count: 1, oldest: at }, |own| Own { count: own.count + 1, ..own });
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
        let (key, mut own) = (open.key, open.own);
        let (older, younger) = (open.older.take(), open.younger.take());
        let youngest = if younger.is_some() { self.youngest(&key) } else { older };
        if let Some(younger) = younger.and_then(|younger| self.get_mut(younger)) {
            younger.older = older;
        }
        if let Some(older) = older.and_then(|older| self.get_mut(older)) {
            older.younger = younger;
        }
        if younger.is_none()
            && let Ok(mut place) = self.youngest.find_entry(self.seed.hash_one(key), |place| *place == at)
        {
            match older {
                Some(older) => *place.get_mut() = older,
                None => drop(place.remove()),
            }
        }
        let Some(youngest) = youngest.and_then(|youngest| self.get_mut(youngest)) else { return };
        if let Some(younger) = younger {
            own = youngest.own;
            own.oldest = if own.oldest == at { younger } else { own.oldest };
        }
        youngest.own = Own { count: own.count - 1, ..own };
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
