use super::Filler;
use crate::cells;
use crate::exchange::lease::Lease;
use crate::table::{Rows, schema};
use crate::units::colon_hex;

impl Filler<'_> {
    /// One row per lease.
    pub fn leases(&self) -> Rows {
        let mut rows = Rows::new(&schema::LEASES);
        for (number, lease) in self.analysis.leases.iter().enumerate() {
            self.lease(&mut rows, number, lease);
        }
        rows
    }

    fn lease(&self, rows: &mut Rows, number: usize, lease: &Lease) {
        let topology = &*self.analysis.network.topology;
        let Some(story) = self.analysis.story(lease) else { return };
        let relationship = story.relationship.and_then(|id| topology.relationship(id));
        let (end, reason) = match lease.end {
            Some((time, reason)) => (Some(time), reason.as_str()),
            None => (lease.expires(), "open"),
        };
        rows.push(&cells![
            format!("l{}", number + 1),
            lease.client.chaddr,
            lease.client.client_id.as_deref().map(colon_hex),
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
            reason,
            story.relationship.map(|id| topology.relationship_name(id)),
            relationship.map(|it| it.mode.as_str()),
            story.owner.map(|server| self.server(server)),
            lease.hash,
            story.verdict.code(),
            story.confidence,
            &story.reason,
            lease.exchange.to_string(),
        ]);
    }

    /// The configured subnet of the address, else the zone's prefix that holds it.
    fn subnet(&self, lease: &Lease) -> Option<String> {
        let topology = &*self.analysis.network.topology;
        let kea = topology.server(lease.server).and_then(|server| server.kea.as_ref());
        let configured =
            kea.and_then(|kea| kea.subnets.iter().find(|subnet| subnet.prefix.contains(&lease.ip)));
        let on_wire = || {
            let zone = topology.zone_named(self.zone(lease.zone))?;
            zone.subnets.iter().find(|prefix| prefix.contains(&lease.ip)).copied()
        };
        configured.map(|subnet| subnet.prefix).or_else(on_wire).map(|prefix| prefix.to_string())
    }
}
