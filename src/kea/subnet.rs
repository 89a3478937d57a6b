//! `subnet4` and `shared-networks`.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::config::{Remark, RemarkKind, Seat, SubnetEntry};
use super::document::{At, FileError};
use super::field::Field;
use super::pool;
use crate::ha::topology::Subnet;
use crate::units::parse_hex;

/// Code of the option Server Identifier (RFC 2132 §9.7).
const SERVER_IDENTIFIER: i64 = 54;

/// What a subnet takes over from the scopes around it.
#[derive(Clone, Default)]
struct Inherited {
    shared_network: Option<String>,
    interface: Option<String>,
    ha_server_name: Option<String>,
    relays: Vec<Ipv4Addr>,
    server_identifier: Option<Ipv4Addr>,
    classes: Vec<String>,
}

/// Reads all subnets in file order, shared networks unfolded.
pub(super) fn read_all<'a>(
    dhcp4: Field<'a>,
    seats: &'a [Seat],
    remarks: &'a mut Vec<Remark>,
) -> Result<Vec<SubnetEntry>, FileError> {
    let global = Inherited { server_identifier: server_identifier(dhcp4)?, ..Inherited::default() };
    let mut reader = Reader { seats, remarks, subnets: Vec::new(), places: HashMap::new() };
    for entry in dhcp4.entries()? {
        match entry.key.as_str() {
            "subnet4" => reader.read_list(dhcp4, &global)?,
            "shared-networks" => {
                for network in dhcp4.list("shared-networks")? {
                    let mut around = reader.scope(network, &global)?;
                    around.shared_network = Some(network.need("name")?.filled_text()?.to_owned());
                    reader.read_list(network, &around)?;
                }
            }
            _ => {}
        }
    }
    Ok(reader.finish())
}

struct Reader<'a> {
    seats: &'a [Seat],
    remarks: &'a mut Vec<Remark>,
    subnets: Vec<SubnetEntry>,
    /// Place of every subnet id and prefix seen.
    places: HashMap<String, Field<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads `subnet4` of the server or of a shared network.
    fn read_list(&mut self, parent: Field<'a>, around: &Inherited) -> Result<(), FileError> {
        for subnet in parent.list("subnet4")? {
            let own = self.scope(subnet, around)?;
            self.warn_unrelated(subnet, own.ha_server_name.as_deref());
            let prefix = self.prefix(subnet.need("subnet")?)?;
            let id = match subnet.get("id")? {
                Some(id) => self.id(id)?,
                None => 0,
            };
            let pools = pool::read_all(subnet, prefix, self.remarks)?;
            let entry = Subnet {
                id,
                prefix,
                ha_server_name: own.ha_server_name,
                interface: own.interface,
                shared_network: own.shared_network,
                relays: own.relays,
                server_identifier: own.server_identifier,
            };
            let (has_id, classes, at) = (id != 0, own.classes, subnet.at());
            self.subnets.push(SubnetEntry { subnet: entry, has_id, pools, classes, at });
        }
        Ok(())
    }

    /// The settings of a subnet or shared network, with those around it as fallback.
    fn scope(&mut self, map: Field<'_>, around: &Inherited) -> Result<Inherited, FileError> {
        let own = Inherited {
            shared_network: None,
            interface: map.get("interface")?.map(Field::text).transpose()?.map(str::to_owned),
            ha_server_name: self.ha_server_name(map)?,
            relays: relays(map)?,
            server_identifier: server_identifier(map)?,
            classes: pool::classes(map)?,
        };
        Ok(Inherited {
            shared_network: around.shared_network.clone(),
            interface: own.interface.filter(|name| !name.is_empty()).or_else(|| around.interface.clone()),
            ha_server_name: own.ha_server_name.or_else(|| around.ha_server_name.clone()),
            relays: if own.relays.is_empty() { around.relays.clone() } else { own.relays },
            server_identifier: own.server_identifier.or(around.server_identifier),
            classes: [around.classes.clone(), own.classes].concat(),
        })
    }

    /// `user-context.ha-server-name`; what Kea refuses only when a query comes is a warning.
    fn ha_server_name(&mut self, map: Field<'_>) -> Result<Option<String>, FileError> {
        let Some(name) =
            map.get("user-context")?.map(|context| context.get("ha-server-name")).transpose()?.flatten()
        else {
            return Ok(None);
        };
        match name.text() {
            Ok(text) if !text.is_empty() => Ok(Some(text.to_owned())),
            _ => {
                let text =
                    "\"ha-server-name\" must be a name in quotes; Kea drops the queries of this subnet";
                self.remark(name.at(), text.to_owned());
                Ok(None)
            }
        }
    }

    /// Warns of a hub's subnet that belongs to no relationship: Kea drops all its queries.
    fn warn_unrelated(&mut self, subnet: Field<'_>, name: Option<&str>) {
        if self.seats.len() < 2 {
            return;
        }
        let peers = || self.seats.iter().flat_map(|seat| &seat.relationship.peers);
        let text = match name {
            None => "this subnet of a hub has no \"ha-server-name\"; Kea drops its queries".to_owned(),
            Some(name) if !peers().any(|peer| peer.name == name) => {
                format!(
                    "\"ha-server-name\" is \"{name}\", which is no peer; Kea drops the queries of this subnet"
                )
            }
            Some(_) => return,
        };
        self.remark(subnet.at(), text);
    }

    fn remark(&mut self, at: At, text: String) {
        self.remarks.push(Remark { kind: RemarkKind::UnrelatedSubnet, at, text });
    }

    fn prefix(&mut self, field: Field<'a>) -> Result<Ipv4Net, FileError> {
        let text = field.text()?.replace(' ', "");
        let prefix: Ipv4Net = text.parse().map_err(|_| {
            field.error(format!("\"subnet\" must be an IPv4 prefix such as 192.168.4.0/24, not \"{text}\""))
        })?;
        // Kea takes host bits and passes over them.
        let prefix = prefix.trunc();
        self.once(field, format!("the prefix {prefix}"))?;
        Ok(prefix)
    }

    /// A subnet id; 0 asks Kea to choose one.
    fn id(&mut self, field: Field<'a>) -> Result<u32, FileError> {
        let id = field.integer(0..=u32::MAX - 1)?;
        if id != 0 {
            self.once(field, format!("the subnet id {id}"))?;
        }
        Ok(id)
    }

    fn once(&mut self, field: Field<'a>, what: String) -> Result<(), FileError> {
        if let Some(first) = self.places.get(&what) {
            // Lines are counted from the file's beginning, so only when they are needed.
            return Err(field.error(format!("{what} stands twice, first on line {}", first.line())));
        }
        self.places.insert(what, field);
        Ok(())
    }

    /// Numbers the subnets without an id from 1.
    fn finish(mut self) -> Vec<SubnetEntry> {
        let mut next = 1;
        for SubnetEntry { subnet, .. } in &mut self.subnets {
            if subnet.id == 0 {
                subnet.id = next;
                next += 1;
            }
        }
        self.subnets
    }
}

/// `relay.ip-addresses`, or the single `ip-address` of old files, where 0.0.0.0 stands for none.
fn relays(map: Field<'_>) -> Result<Vec<Ipv4Addr>, FileError> {
    let Some(relay) = map.get("relay")? else {
        return Ok(Vec::new());
    };
    let mut all = relay.list("ip-addresses")?;
    all.extend(relay.get("ip-address")?);
    let addresses: Result<Vec<Ipv4Addr>, _> =
        all.into_iter().map(|one| one.parsed("an IPv4 address")).collect();
    Ok(addresses?.into_iter().filter(|address| !address.is_unspecified()).collect())
}

/// Option 54 in the `option-data` of a scope, by name or by code.
fn server_identifier(map: Field<'_>) -> Result<Option<Ipv4Addr>, FileError> {
    for option in map.list("option-data")? {
        let name = option.get("name")?.map(Field::text).transpose()?;
        let code = option.get("code")?.map(|code| code.integer(0..=i64::from(u32::MAX))).transpose()?;
        let space = option.get("space")?.map(Field::text).transpose()?.unwrap_or("dhcp4");
        let is_ours = name == Some("dhcp-server-identifier") || code == Some(SERVER_IDENTIFIER);
        if !is_ours || space != "dhcp4" {
            continue;
        }
        let data = option.need("data")?;
        let is_text = option.get("csv-format")?.map_or(Ok(true), Field::flag)?;
        let address = if is_text { data.text()?.trim().parse().ok() } else { from_hex(data.text()?) };
        let address = address.ok_or_else(|| {
            let text = data.text().unwrap_or_default();
            data.error(format!("\"dhcp-server-identifier\" must be an IPv4 address, not \"{text}\""))
        })?;
        return Ok(Some(address));
    }
    Ok(None)
}

/// Four bytes in one of the ways that Kea writes hexadecimal option data.
fn from_hex(data: &str) -> Option<Ipv4Addr> {
    let data = data.trim();
    let digits = data.strip_prefix("0x").or_else(|| data.strip_prefix("0X")).unwrap_or(data);
    let bytes = parse_hex(&digits.split_whitespace().collect::<Vec<_>>().join(":"))?;
    <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
}
