use ipnet::Ipv4Net;

use super::Filler;
use crate::exchange::lease::Lease;
use crate::table::put::row;
use crate::table::stream::Entries;
use crate::table::texts::{Hex, LeaseName, Word};
use crate::table::{Rows, schema};
use crate::units::{ExchangeId, FrameRef};

impl Filler<'_> {
    /// One row per lease.
    pub fn leases(&self) -> Rows {
        self.rows(&schema::LEASES, &self.lease_entries())
    }

    /// The same for a choice of leases, in their order.
    pub fn lease_rows(&self, leases: &[Lease]) -> Rows {
        let mut rows = Rows::new(&schema::LEASES);
        for lease in leases {
            self.lease(&mut rows, lease);
        }
        rows
    }

    /// Leases of one start are in the order of their exchanges.
    pub(in crate::table) fn lease_entries(&self) -> Entries<'_> {
        let leases = &self.analysis.leases;
        Entries {
            count: leases.len(),
            place: Box::new(|at| {
                let exchange =
                    |exchange: ExchangeId| FrameRef { number: exchange.0.into(), ..FrameRef::default() };
                leases.get(at).map(|lease| (lease.start, exchange(lease.exchange))).unwrap_or_default()
            }),
            push: Box::new(move |rows, at| {
                if let Some(lease) = leases.get(at) {
                    self.lease(rows, lease);
                }
            }),
        }
    }

    fn lease(&self, rows: &mut Rows, lease: &Lease) {
        let topology = &*self.analysis.network.topology;
        let Some(story) = self.analysis.story(lease) else { return };
        let relationship = story.relationship.and_then(|id| topology.relationship(id));
        let (end, reason) = match lease.end {
            Some((time, reason)) => (Some(time), reason.as_str()),
            None => (lease.expires(), "open"),
        };
        row![rows;
            LeaseName(lease.exchange),
            lease.client.chaddr,
            lease.client.client_id.as_deref().map(Hex),
            self.analysis.client_name(lease.client.chaddr).or(lease.hostname.as_deref()),
            lease.ip,
            self.zone(lease.zone),
            self.subnet(lease),
            self.server(lease.server),
            lease.server_ip,
            lease.start,
            lease.lease_s,
            lease.renewals,
            end,
            Word(reason),
            story.relationship.map(|id| self.relationship(id)),
            relationship.map(|it| Word(it.mode.as_str())),
            story.owner.map(|server| self.server(server)),
            lease.hash,
            Word(story.verdict.code()),
            story.confidence,
            story.reason.as_str(),
            lease.exchange,
        ];
    }

    /// The configured subnet of the address, else the zone's prefix that holds it.
    fn subnet(&self, lease: &Lease) -> Option<Ipv4Net> {
        let topology = &*self.analysis.network.topology;
        let kea = topology.server(lease.server).and_then(|server| server.kea.as_ref());
        let configured =
            kea.and_then(|kea| kea.subnets.iter().find(|subnet| subnet.prefix.contains(&lease.ip)));
        let on_wire = || {
            let zone = topology.zone_named(self.zone(lease.zone).1)?;
            zone.subnets.iter().find(|prefix| prefix.contains(&lease.ip)).copied()
        };
        configured.map(|subnet| subnet.prefix).or_else(on_wire)
    }
}
