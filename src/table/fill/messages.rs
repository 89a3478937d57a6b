use super::Filler;
use crate::cells;
use crate::exchange::Observed;
use crate::table::stream::Entries;
use crate::table::{Cell, Rows, schema};
use crate::units::{HwAddr, colon_hex};
use std::net::Ipv4Addr;

impl Filler<'_> {
    /// One row per DHCP message.
    pub fn messages(&self) -> Rows {
        self.rows(&schema::MESSAGES, &self.message_entries())
    }

    pub(in crate::table) fn message_entries(&self) -> Entries<'_> {
        let messages: Vec<&Observed> = self.analysis.messages.iter().collect();
        Entries {
            places: messages.iter().map(|message| (message.time, message.at)).collect(),
            push: Box::new(move |rows, at, _| {
                if let Some(message) = messages.get(at) {
                    self.message(rows, message);
                }
            }),
        }
    }

    fn message(&self, rows: &mut Rows, m: &Observed) {
        let set = |address: Ipv4Addr| (!address.is_unspecified()).then_some(address);
        let hex = |bytes: Option<&[u8]>| bytes.map(colon_hex);
        let mac = |mac: Option<[u8; 6]>| mac.map(|mac| HwAddr::new(&mac));
        let link = self.analysis.sources.get(m.at.source.0 as usize).map(crate::capture::Source::link_name);
        let codes = m.param_list().map(|codes| codes.iter().copied().collect::<Cell<'_>>());
        rows.push(&cells![
            self.zone(m.zone),
            self.source(m.at),
            m.at.number,
            m.time,
            link,
            m.link.vlan,
            mac(m.link.src_mac),
            mac(m.link.dst_mac),
            m.src,
            m.dst,
            m.src_port,
            m.dst_port,
            m.op,
            m.type_name(),
            m.xid,
            m.secs,
            m.secs_kea(),
            m.broadcast,
            m.hops,
            set(m.ciaddr),
            set(m.yiaddr),
            set(m.siaddr),
            set(m.giaddr),
            m.htype,
            m.chaddr,
            hex(m.client_id()),
            m.server_id,
            m.requested_ip,
            m.lease_s,
            m.t1_s(),
            m.t2_s(),
            m.hostname(),
            m.vendor_class(),
            hex(m.circuit_id()),
            hex(m.remote_id()),
            m.link_selection(),
            m.server_id_override(),
            codes.unwrap_or_default(),
            m.status_text(),
            m.anomalies().map(|anomaly| anomaly.to_string()).collect::<Cell<'_>>(),
            m.exchange.map(|id| id.to_string()),
            m.sighting_of.map(|first| self.frame_of(first)),
        ]);
    }
}
