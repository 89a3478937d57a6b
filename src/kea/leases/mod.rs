//! Kea's lease file `kea-leases4.csv` (memfile, kea-ha §9.1).
//!
//! The file is a journal: the last row of an address wins, and a row with a
//! valid lifetime of 0 deletes the lease. While Kea cleans it up (LFC) parts of
//! it lie beside it; they are read too. A row that cannot be read is reported
//! with its place, and the others count.

mod row;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

pub use row::Row;

use super::text_file::{Unreadable, open};

/// Addresses kept of one server; more than a /10 has.
const MOST_ADDRESSES: usize = 4 << 20;
/// Troubles told one by one; the rest are counted.
const FIRST_TROUBLES: usize = 8;

/// The bindings that a server's lease file ends with.
#[derive(Clone, Debug, Default)]
pub struct LeaseFile {
    /// The path as the user gave it.
    pub name: String,
    /// The last row of every address, deleted leases included ([`Row::is_deleted`]).
    pub rows: BTreeMap<Ipv4Addr, Row>,
    /// What could not be read: one line each for the user, with file and line.
    pub troubles: Vec<String>,
    /// Rows that could not be read, more than [`LeaseFile::troubles`] tells of.
    pub bad_rows: u64,
}

impl LeaseFile {
    /// Reads a lease file, plain or compressed, and what the cleanup left beside it.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let mut file = Self { name: path.display().to_string(), ..Self::default() };
        // The file itself must be readable; it is the newest part and therefore read last.
        let newest = open(path)?;
        for older in older_parts(path) {
            match open(&older) {
                Ok(input) => file.take(&older.display().to_string(), input),
                Err(error) => file.trouble(error.to_string()),
            }
        }
        let name = file.name.clone();
        file.take(&name, newest);
        if file.bad_rows > FIRST_TROUBLES as u64 {
            let more = file.bad_rows - FIRST_TROUBLES as u64;
            file.troubles.push(format!("{name}: {more} more rows cannot be read"));
        }
        Ok(file)
    }

    fn take(&mut self, name: &str, input: impl Read) {
        // Kea quotes nothing and has written fewer columns in the past.
        let mut reader = csv::ReaderBuilder::new().quoting(false).flexible(true).from_reader(input);
        let columns = match reader.headers().map(row::Columns::of) {
            Ok(Ok(columns)) => columns,
            Ok(Err(why)) => return self.trouble(format!("{name}, line 1: {why}")),
            Err(error) => return self.trouble(format!("{name}, line 1: {error}")),
        };
        let mut record = csv::ByteRecord::new();
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.trouble(format!("{name} cannot be read on: {error}")),
            }
            match columns.row(&record) {
                Ok((address, row)) => {
                    if self.rows.len() < MOST_ADDRESSES || self.rows.contains_key(&address) {
                        self.rows.insert(address, row);
                    } else {
                        return self.trouble(format!("{name}: only {MOST_ADDRESSES} addresses are used"));
                    }
                }
                Err(why) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    self.trouble(format!("{name}, line {line}: {why}"));
                }
            }
        }
    }

    fn trouble(&mut self, text: String) {
        self.bad_rows += 1;
        if self.troubles.len() < FIRST_TROUBLES {
            self.troubles.push(text);
        }
    }
}

/// The files of a cleanup that hold older rows, oldest first: a completed one
/// stands for the previous file and the copy that it was made of.
fn older_parts(path: &Path) -> Vec<PathBuf> {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        Some(PathBuf::from(name)).filter(|path| path.is_file())
    };
    match beside(".completed") {
        Some(completed) => vec![completed],
        None => [beside(".2"), beside(".1")].into_iter().flatten().collect(),
    }
}
