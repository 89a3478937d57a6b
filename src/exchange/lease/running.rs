//! The leases that run, by client: one small record each, because there may be a million.

use std::hash::BuildHasher;
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::Lease;
use crate::exchange::{Client, ClientId};
use crate::units::{
    CaptureTime, ExchangeId, FrameRef, HwAddr, SECOND, ServerId, SourceId, ZoneId, sort_nearly_sorted,
};

/// Leases that are followed at one time; beyond it the one that was begun longest ago is given up.
pub const MOST_RUNNING: usize = 1 << 20;

/// Records of a block: a list that grows block by block is never copied.
const BLOCK: usize = 4096;

/// Records with a hash index.
#[derive(Clone, Debug, Default)]
pub(super) struct Running {
    index: HashTable<u32>,
    seed: RandomState,
    blocks: Vec<Vec<Record>>,
    free: Vec<u32>,
    /// The place that is given up next.
    oldest: u32,
}

/// A lease as it is kept while it runs.
#[derive(Clone, Debug)]
struct Record {
    start: CaptureTime,
    last_ack: CaptureTime,
    frame: u64,
    /// What few clients have, and what few runs ask for.
    rare: Option<Box<Rare>>,
    ip: Ipv4Addr,
    server_ip: Ipv4Addr,
    exchange: ExchangeId,
    server: u32,
    lease_s: u32,
    renewals: u32,
    story: u32,
    source: SourceId,
    giaddr: Ipv4Addr,
    link: Ipv4Addr,
    zone: ZoneId,
    chaddr: HwAddr,
    client_id: Identifier,
    hash: u8,
    /// Which of the optional fields there are.
    has: Has,
}

#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether one optional field is there")]
struct Has {
    lease_s: bool,
    hash: bool,
    giaddr: bool,
    link: bool,
}

/// Texts of a record.
#[derive(Clone, Debug)]
struct Rare {
    client_id: Option<ClientId>,
    hostname: Option<Box<str>>,
}

/// Option 61 of a client.
#[derive(Clone, Copy, Debug)]
enum Identifier {
    None,
    /// Hardware type 1 and `chaddr`, as nearly every client has it.
    Hardware,
    /// Another one, in [`Rare`].
    Other,
}

impl Identifier {
    fn of(client: &Client) -> Self {
        match client.client_id.as_deref() {
            None => Self::None,
            Some([1, address @ ..]) if address == client.chaddr.as_bytes() => Self::Hardware,
            Some(_) => Self::Other,
        }
    }
}

// There may be a million of them.
const _: () = assert!(size_of::<Record>() <= 112);

impl Record {
    fn of(lease: Lease) -> Self {
        let client_id = Identifier::of(&lease.client);
        let other = matches!(client_id, Identifier::Other);
        let rare = (other || lease.hostname.is_some()).then(|| {
            let client_id = lease.client.client_id.filter(|_| other);
            Box::new(Rare { client_id, hostname: lease.hostname })
        });
        Self {
            start: lease.start,
            last_ack: lease.last_ack,
            frame: lease.ack.number,
            client_id,
            rare,
            ip: lease.ip,
            server_ip: lease.server_ip,
            exchange: lease.exchange,
            server: lease.server.0 as u32,
            lease_s: lease.lease_s.unwrap_or_default(),
            renewals: lease.renewals,
            story: lease.story,
            source: lease.ack.source,
            giaddr: lease.giaddr.unwrap_or(Ipv4Addr::UNSPECIFIED),
            link: lease.link.unwrap_or(Ipv4Addr::UNSPECIFIED),
            zone: lease.zone,
            chaddr: lease.client.chaddr,
            hash: lease.hash.unwrap_or_default(),
            has: Has {
                lease_s: lease.lease_s.is_some(),
                hash: lease.hash.is_some(),
                giaddr: lease.giaddr.is_some(),
                link: lease.link.is_some(),
            },
        }
    }

    fn is_of(&self, client: &Client) -> bool {
        let own = self.rare.as_ref().and_then(|rare| rare.client_id.as_deref());
        self.chaddr == client.chaddr
            && match (self.client_id, client.client_id.as_deref()) {
                (Identifier::None, None) => true,
                (Identifier::Hardware, Some([1, address @ ..])) => address == client.chaddr.as_bytes(),
                (Identifier::Other, Some(other)) => own == Some(other),
                _ => false,
            }
    }

    fn lease(&self) -> Lease {
        let client_id = match self.client_id {
            Identifier::None => None,
            Identifier::Hardware => Some(ClientId::of_hardware(self.chaddr)),
            Identifier::Other => self.rare.as_ref().and_then(|rare| rare.client_id.clone()),
        };
        Lease {
            client: Client { chaddr: self.chaddr, client_id },
            ip: self.ip,
            zone: self.zone,
            server: ServerId(self.server as usize),
            server_ip: self.server_ip,
            start: self.start,
            lease_s: self.has.lease_s.then_some(self.lease_s),
            renewals: self.renewals,
            last_ack: self.last_ack,
            end: None,
            exchange: self.exchange,
            ack: FrameRef { source: self.source, number: self.frame },
            hash: self.has.hash.then_some(self.hash),
            hostname: self.rare.as_ref().and_then(|rare| rare.hostname.clone()),
            giaddr: self.has.giaddr.then_some(self.giaddr),
            link: self.has.link.then_some(self.link),
            story: self.story,
        }
    }

    /// As [`Lease::expires`].
    fn is_over(&self, time: CaptureTime) -> bool {
        let runs_out = self.has.lease_s && self.lease_s != u32::MAX;
        runs_out && self.last_ack.plus(i64::from(self.lease_s) * SECOND) < time
    }
}

impl Running {
    /// How many run.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    fn at(&self, place: u32) -> Option<&Record> {
        self.blocks.get(place as usize / BLOCK)?.get(place as usize % BLOCK)
    }

    fn at_mut(&mut self, place: u32) -> Option<&mut Record> {
        self.blocks.get_mut(place as usize / BLOCK)?.get_mut(place as usize % BLOCK)
    }

    /// Where the lease of a client is.
    pub(super) fn find(&self, client: &Client) -> Option<u32> {
        let is_same = |place: &u32| self.at(*place).is_some_and(|it| it.is_of(client));
        self.index.find(self.seed.hash_one(client.chaddr), is_same).copied()
    }

    /// The lease at a place.
    pub(super) fn get(&self, place: Option<u32>) -> Option<Lease> {
        Some(self.at(place?)?.lease())
    }

    /// Extends the lease there if it is for this address and of this server and not over; false otherwise.
    pub(super) fn renew(
        &mut self,
        place: Option<u32>,
        (ip, server): (Ipv4Addr, ServerId),
        time: CaptureTime,
        lease_s: Option<u32>,
    ) -> bool {
        let Some(record) = place.and_then(|place| self.at_mut(place)) else { return false };
        let same = record.ip == ip && record.server as usize == server.0 && !record.is_over(time);
        if same {
            record.renewals += 1;
            record.last_ack = time;
            if let Some(lease_s) = lease_s {
                (record.lease_s, record.has.lease_s) = (lease_s, true);
            }
        }
        same
    }

    /// Follows a lease, at the place of the client's former one if it has one. Gives back one that
    /// is no longer followed.
    pub(super) fn put(&mut self, place: Option<u32>, lease: Lease) -> Option<Lease> {
        let client = lease.client.chaddr;
        let record = Record::of(lease);
        if let Some(at) = place.and_then(|place| self.at_mut(place)) {
            *at = record;
            return None;
        }
        let mut forgotten = None;
        if self.free.is_empty() && self.index.len() >= MOST_RUNNING {
            forgotten = self.at(self.oldest).map(Record::lease);
            if let Some(oldest) = &forgotten {
                self.remove(&oldest.client);
            }
            self.oldest = (self.oldest + 1) % MOST_RUNNING as u32;
        }
        let place = self.place(record);
        let Self { index, seed, blocks, .. } = self;
        let chaddr = |place: &u32| {
            let block = blocks.get(*place as usize / BLOCK);
            block.and_then(|block| block.get(*place as usize % BLOCK)).map(|it| it.chaddr).unwrap_or_default()
        };
        if index.len() == index.capacity() {
            // To grow is to look at every record again, so it grows seldom, but not beyond what can be in it.
            let more = (7 * index.len()).min(MOST_RUNNING.saturating_sub(index.len())).max(1);
            index.reserve(more, |place| seed.hash_one(chaddr(place)));
        }
        index.insert_unique(seed.hash_one(client), place, |place| seed.hash_one(chaddr(place)));
        forgotten
    }

    fn place(&mut self, record: Record) -> u32 {
        if let Some(place) = self.free.pop() {
            if let Some(at) = self.at_mut(place) {
                *at = record;
            }
            return place;
        }
        let full = self.blocks.last().is_none_or(|block| block.len() == BLOCK);
        if full {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let before = (self.blocks.len() - 1) * BLOCK;
        let Some(block) = self.blocks.last_mut() else { return 0 };
        block.push(record);
        (before + block.len() - 1) as u32
    }

    /// Follows a client's lease no longer.
    pub(super) fn remove(&mut self, client: &Client) {
        let Some(place) = self.find(client) else { return };
        let hash = self.seed.hash_one(client.chaddr);
        if let Ok(entry) = self.index.find_entry(hash, |at| *at == place) {
            entry.remove();
            self.free.push(place);
        }
    }

    /// Every lease in order of start.
    pub(super) fn in_order(&self) -> impl Iterator<Item = Lease> + '_ {
        // They were placed about in the order of their start.
        let mut free = self.free.clone();
        free.sort_unstable();
        let count = self.blocks.iter().map(Vec::len).sum::<usize>() as u32;
        let mut places: Vec<u32> = (0..count).filter(|place| free.binary_search(place).is_err()).collect();
        sort_nearly_sorted(&mut places, |place| self.at(*place).map(|it| (it.start, it.exchange)));
        places.into_iter().filter_map(|place| self.at(place)).map(Record::lease)
    }
}
