//! The open exchanges of each client, with what tells at a glance whether a message may belong to one.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::Observed;
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

/// An open exchange. Of a client with many, one list of these is all that is looked at for most messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// Its place in the table of exchanges.
    pub(super) place: u32,
    /// The xid of its first message, and of its REQUEST, which may have used a new one.
    pub(super) xids: [Xid; 2],
    /// A server made an offer, which a REQUEST with any xid may select.
    pub(super) offered: bool,
}

/// The open exchanges of one client, the oldest first.
#[derive(Debug)]
struct Own {
    key: Key,
    marks: SmallVec<[Mark; 1]>,
}

/// Which bucket of the table a client has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket(usize);

/// The clients that have open exchanges. The hash has a random seed, because anybody can
/// choose hardware addresses.
#[derive(Debug, Default)]
pub(super) struct Marks {
    seed: RandomState,
    table: HashTable<Own>,
}

impl Marks {
    /// Where a client is; true until one is added or removed.
    pub(super) fn find(&self, key: &Key) -> Option<Bucket> {
        self.table.find_bucket_index(self.seed.hash_one(key), |own| own.key == *key).map(Bucket)
    }

    /// A client's open exchanges, the oldest first.
    pub(super) fn of(&self, bucket: Option<Bucket>) -> &[Mark] {
        bucket.and_then(|Bucket(at)| self.table.get_bucket(at)).map(|own| &*own.marks).unwrap_or_default()
    }

    /// The mark of one of them.
    pub(super) fn mark(&mut self, bucket: Option<Bucket>, place: u32) -> Option<&mut Mark> {
        let marks = &mut self.table.get_bucket_mut(bucket?.0)?.marks;
        marks.iter_mut().find(|mark| mark.place == place)
    }

    /// Adds a client's youngest exchange.
    pub(super) fn add(&mut self, key: Key, mark: Mark) {
        let Self { seed, table } = self;
        let hash = seed.hash_one(key);
        match table.find_mut(hash, |own| own.key == key) {
            Some(own) => own.marks.push(mark),
            None => {
                let own = Own { key, marks: SmallVec::from_buf([mark]) };
                table.insert_unique(hash, own, |own| seed.hash_one(own.key));
            }
        }
    }

    /// Removes one that is no longer open.
    pub(super) fn remove(&mut self, key: &Key, place: u32) {
        let hash = self.seed.hash_one(key);
        let Ok(mut own) = self.table.find_entry(hash, |own| own.key == *key) else { return };
        let marks = &mut own.get_mut().marks;
        if let Some(at) = marks.iter().position(|mark| mark.place == place) {
            marks.remove(at);
        }
        if marks.is_empty() {
            own.remove();
        }
    }

    /// How many exchanges there are in all.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.table.iter().map(|own| own.marks.len()).sum()
    }
}
