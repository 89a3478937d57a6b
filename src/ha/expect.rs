//! expect.toml: which server each client should get its lease from, for every
//! combination of servers that are on.
//!
//! ```toml
//! [[table]]
//! title = "zaldua1"
//! servers = ["zaldua1zerb1", "zaldua1zerb2"]
//! clients = ["zaldua1bez1", "zaldua3bez1"]
//! rows = [
//!   { on = ["zaldua1zerb1", "zaldua1zerb2"], lease = ["zaldua1zerb1", "zaldua1zerb1"] },
//!   { on = ["zaldua1zerb2"],                 lease = ["zaldua1zerb2", "none"] },
//! ]
//! ```

use std::collections::BTreeSet;
use std::path::Path;

use super::topology::Topology;
use crate::kea::document::{Document, FileError};
use crate::kea::field::{Field, nearest};
use crate::units::HwAddr;

/// All tables of an expect.toml.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// The tables in file order.
    pub tables: Vec<Table>,
}

/// One table: columns of servers and clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// The servers that are switched on and off.
    pub servers: Vec<String>,
    /// The clients whose leases are looked at.
    pub clients: Vec<String>,
    /// The combinations, in file order.
    pub rows: Vec<Row>,
}

/// One combination of servers and what the clients should get then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The servers that are on; the table's others are off.
    pub on: Vec<String>,
    /// For every client of the table the server that should answer; `None` for no lease.
    pub lease: Vec<Option<String>>,
}

/// The word for no lease.
const NONE: &str = "none";

impl Expectations {
    /// Reads an expect.toml.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        Self::from_document(&Document::load_toml(path)?)
    }

    /// Reads expectations from text; `path` is its name in errors.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        Self::from_document(&Document::parse_toml(path, text.as_bytes().to_vec())?)
    }

    fn from_document(document: &Document) -> Result<Self, FileError> {
        let root = Field::root(document);
        root.only_keys(&["table"])?;
        let mut tables: Vec<Table> = Vec::new();
        for field in root.need("table")?.items()? {
            let table = table(field)?;
            if tables.iter().any(|other| other.title == table.title) {
                let text = format!("two tables are called \"{}\"", table.title);
                return Err(field.need("title")?.error(text));
            }
            tables.push(table);
        }
        Ok(Self { tables })
    }

    /// Names that a topology does not know, each with the nearest that it does; for warnings.
    ///
    /// A row that hangs on a misspelt name would otherwise be reported as never seen.
    pub fn unknown_names(&self, topology: &Topology) -> Vec<String> {
        let servers: Vec<&str> = topology.servers.iter().map(|server| server.name.as_str()).collect();
        let clients: Vec<&str> = topology.clients.iter().map(|client| client.name.as_str()).collect();
        let mut used = BTreeSet::new();
        for table in &self.tables {
            let leases = table.rows.iter().flat_map(|row| row.lease.iter().flatten());
            used.extend(table.servers.iter().chain(leases).map(|name| ("server", name.as_str())));
            used.extend(table.clients.iter().map(|name| ("client", name.as_str())));
        }
        let known = |kind: &str| if kind == "server" { &servers } else { &clients };
        // A client may also stand there by its hardware address.
        let by_mac = |kind: &str, name: &str| kind == "client" && name.parse::<HwAddr>().is_ok();
        let unknown =
            used.into_iter().filter(|(kind, name)| !known(kind).contains(name) && !by_mac(kind, name));
        unknown
            .map(|(kind, name)| {
                let near = nearest(name, known(kind)).map(|near| format!("; did you mean \"{near}\"?"));
                format!("no {kind} is called \"{name}\"{}", near.unwrap_or_default())
            })
            .collect()
    }
}

fn table(field: Field<'_>) -> Result<Table, FileError> {
    field.only_keys(&["title", "servers", "clients", "rows"])?;
    let title = field.need("title")?.filled_text()?.to_owned();
    let servers = names(field.need("servers")?)?;
    let clients = names(field.need("clients")?)?;
    let mut rows: Vec<Row> = Vec::new();
    for row_field in field.need("rows")?.items()? {
        let row = row(row_field, &servers, &clients)?;
        let set = |row: &Row| row.on.iter().cloned().collect::<BTreeSet<_>>();
        if rows.iter().any(|other| set(other) == set(&row)) {
            return Err(row_field.error("two rows have the same servers on"));
        }
        rows.push(row);
    }
    Ok(Table { title, servers, clients, rows })
}

fn row(field: Field<'_>, servers: &[String], clients: &[String]) -> Result<Row, FileError> {
    field.only_keys(&["on", "lease"])?;
    let mut on = Vec::new();
    for item in field.need("on")?.items()? {
        let name = item.filled_text()?;
        if !servers.iter().any(|server| server == name) {
            let columns = servers.join(", ");
            return Err(item.error(format!("\"{name}\" is not one of this table's servers: {columns}")));
        }
        if on.iter().any(|other| other == name) {
            return Err(item.error(format!("\"{name}\" stands twice")));
        }
        on.push(name.to_owned());
    }
    let lease_field = field.need("lease")?;
    let mut lease = Vec::new();
    for item in lease_field.items()? {
        let name = item.filled_text()?;
        lease.push((name != NONE).then(|| name.to_owned()));
    }
    if lease.len() != clients.len() {
        let text =
            format!("\"lease\" has {} for {}", count(lease.len(), "name"), count(clients.len(), "client"));
        return Err(lease_field.error(text));
    }
    Ok(Row { on, lease })
}

/// A list of different names, at least one.
fn names(field: Field<'_>) -> Result<Vec<String>, FileError> {
    let mut names: Vec<String> = Vec::new();
    for item in field.items()? {
        let name = item.filled_text()?;
        if name == NONE {
            return Err(item.error("\"none\" stands for no lease and cannot be a name"));
        }
        if names.iter().any(|other| other == name) {
            return Err(item.error(format!("\"{name}\" stands twice")));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(field.error(format!("{} must not be empty", field.name())));
    }
    Ok(names)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
