use super::{Filler, type_name};
use crate::exchange::Observed;
use crate::table::put::{List, row};
use crate::table::stream::Entries;
use crate::table::texts::Hex;
use crate::table::{Rows, schema};
use crate::units::HwAddr;
use std::net::Ipv4Addr;
use std::rc::Rc;

impl Filler<'_> {
    /// One row per DHCP message.
    pub fn messages(&self) -> Rows {
        self.rows(&schema::MESSAGES, &self.message_entries())
    }

    pub(in crate::table) fn message_entries(&self) -> Entries<'_> {
        let messages: Rc<[&Observed]> = self.analysis.messages.iter().collect();
        Entries {
            count: messages.len(),
            place: Box::new({
                let messages = Rc::clone(&messages);
                move |at| messages.get(at).map(|message| (message.time, message.at)).unwrap_or_default()
            }),
            push: Box::new(move |rows, at| {
                if let Some(message) = messages.get(at) {
                    self.message(rows, message);
                }
            }),
        }
    }

    fn message<'a>(&self, rows: &mut Rows, m: &'a Observed) {
        let set = |address: Ipv4Addr| (!address.is_unspecified()).then_some(address);
        let hex = |bytes: Option<&'a [u8]>| bytes.map(Hex);
        let mac = |mac: Option<[u8; 6]>| mac.map(|mac| HwAddr::new(&mac));
        row![rows;
            self.zone(m.zone),
            self.source_of(m.at),
            m.at.number,
            m.time,
            self.link(m.at),
            m.link.vlan,
            mac(m.link.src_mac),
            mac(m.link.dst_mac),
            m.src,
            m.dst,
            m.src_port,
            m.dst_port,
            m.op,
            type_name(m),
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
            m.param_list(),
            m.status_text(),
            List(m.anomalies().map(|anomaly| anomaly.to_string())),
            m.exchange,
            m.sighting_of.as_ref().map(|seen| self.frame_name(seen.at)),
        ];
    }
}
