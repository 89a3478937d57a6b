//! The tables of topology.toml.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;

use super::{Client, Described, Machine, Source, TopologyFiles, Zone};
use crate::kea::document::{Document, FileError};
use crate::kea::field::Field;
use crate::kea::relationship;
use crate::units::HwAddr;

impl TopologyFiles {
    /// Reads a topology.toml that is already a document.
    pub(super) fn read_document(&mut self, document: &Document) -> Result<(), FileError> {
        let root = Field::root(document);
        root.only_keys(&["zone", "server", "client", "relationship"])?;
        let mut seen = Seen::default();
        for table in root.list("zone")? {
            self.zones.push(zone(table, &mut seen)?);
        }
        for table in root.list("server")? {
            let read = server(table, &mut seen)?;
            // `--kea` may have come first; its files stay.
            let machine = self.machine(&read.name);
            machine.addresses = read.addresses;
            machine.dhcp4 = machine.dhcp4.take().or(read.dhcp4);
            machine.agent = machine.agent.take().or(read.agent);
        }
        for table in root.list("client")? {
            self.clients.push(client(table, &mut seen)?);
        }
        for table in root.list("relationship")? {
            let (relationship, origin) = relationship::read_described(table)?;
            self.relationships.push(Described { relationship, origin, path: table.error("").file });
        }
        Ok(())
    }
}

/// Lines of everything that may stand only once.
#[derive(Default)]
struct Seen(HashMap<String, usize>);

impl Seen {
    fn once(&mut self, field: Field<'_>, what: String) -> Result<(), FileError> {
        if let Some(line) = self.0.get(&what) {
            return Err(field.error(format!("{what} stands twice, first on line {line}")));
        }
        self.0.insert(what, field.line());
        Ok(())
    }

    /// The `name` of a table, which must be its own among the tables called `kind`.
    fn name(&mut self, table: Field<'_>, kind: &str) -> Result<String, FileError> {
        let field = table.need("name")?;
        let name = field.filled_text()?.to_owned();
        self.once(field, format!("{kind} \"{name}\""))?;
        Ok(name)
    }
}

fn zone(table: Field<'_>, seen: &mut Seen) -> Result<Zone, FileError> {
    table.only_keys(&["name", "subnets", "interfaces"])?;
    let name = seen.name(table, "zone")?;
    let mut subnets = Vec::new();
    for field in table.list("subnets")? {
        let prefix: Ipv4Net = field.parsed("an IPv4 prefix such as 192.168.4.0/24")?;
        if prefix != prefix.trunc() {
            let text = format!("{prefix} has bits beyond its length; write {}", prefix.trunc());
            return Err(field.error(text));
        }
        subnets.push(prefix);
    }
    let mut interfaces = Vec::new();
    for field in table.list("interfaces")? {
        interfaces.push(field.filled_text()?.to_owned());
    }
    Ok(Zone { name, subnets, interfaces })
}

fn server(table: Field<'_>, seen: &mut Seen) -> Result<Machine, FileError> {
    table.only_keys(&["name", "addresses", "kea", "ctrl-agent"])?;
    let name = seen.name(table, "server")?;
    let mut addresses = Vec::new();
    for field in table.list("addresses")? {
        let address: Ipv4Addr = field.parsed("an IPv4 address")?;
        seen.once(field, format!("address {address}"))?;
        addresses.push(address);
    }
    Ok(Machine { name, addresses, dhcp4: source(table, "kea")?, agent: source(table, "ctrl-agent")? })
}

/// A path behind `key`, relative to the topology file.
fn source<T>(table: Field<'_>, key: &'static str) -> Result<Option<Source<T>>, FileError> {
    let Some(field) = table.get(key)? else {
        return Ok(None);
    };
    let name = field.filled_text()?;
    let place = field.error("");
    let path = place.file.parent().unwrap_or(Path::new("")).join(name);
    Ok(Some(Source::Named { path, place }))
}

fn client(table: Field<'_>, seen: &mut Seen) -> Result<Client, FileError> {
    table.only_keys(&["name", "mac"])?;
    let name = seen.name(table, "client")?;
    let field = table.need("mac")?;
    let mac: HwAddr = field.parsed("a hardware address such as 08:00:27:a2:00:01")?;
    seen.once(field, format!("mac {mac}"))?;
    Ok(Client { name, mac })
}
