//! Tables of a capture that goes on: Parquet files that are complete every few
//! seconds, in directories by zone and day as Hive names them.
//!
//! ```text
//! DIR/exchanges/zone=zaldua2/date=2026-11-26/20261126T120000Z-000001.parquet
//! DIR/ha_events/date=2026-11-26/…      the control channel belongs to no zone
//! DIR/findings.parquet, DIR/sources.parquet   small, and replaced as a whole
//! ```
//!
//! A file has its name only when it is complete and on the disk, so a program that is
//! killed loses what it had not closed yet, and nothing else. Rows of a file are in the
//! order in which they were settled.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::cell::Cell;
use super::directory::{Directory, TableFile};
use super::error::Error;
use super::fill::{Filler, Seen};
use super::rows::Rows;
use super::schema::{self, Table};
use super::text::date_and_time;
use super::write::{Format, GROUP_ROWS};
use crate::findings::Finding;
use crate::pipeline::Analysis;
use crate::units::CaptureTime;

/// Bytes of rows that may wait to be written; beyond it they are dropped, and counted.
const ROOM: usize = 512 << 20;

/// Bytes of rows of one file that are held before it is written, although its time has not come.
const FILE_BYTES: usize = 32 << 20;

/// What the writing thread is told.
enum Order {
    /// Append rows.
    Take(Vec<Rows>),
    /// Complete the files.
    Close(CaptureTime),
}

/// Writes what batches settle, on a thread of its own.
pub struct Segments {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    troubles: Receiver<Error>,
    waiting: Arc<AtomicUsize>,
    seen: Seen,
    dropped: u64,
}

impl Segments {
    /// Makes the directory, which may have such files in it already, and starts the thread.
    pub fn create(path: &Path) -> Result<Self, Error> {
        // Beside what an earlier run has left, so nothing needs to be forced.
        Directory::create(path, true)?;
        let (orders, received) = channel();
        let (trouble, troubles) = channel();
        let waiting = Arc::<AtomicUsize>::default();
        let mut files = Files { path: path.to_owned(), open: BTreeMap::new(), number: 0 };
        let counter = Arc::clone(&waiting);
        let work = move || {
            for order in received {
                // Whatever could not be written is told, and the next rows are tried again.
                for error in files.follow(order, &counter) {
                    let _ = trouble.send(error);
                }
            }
        };
        let thread = std::thread::Builder::new().name("segments".to_owned()).spawn(work);
        let thread = thread.map_err(|e| Error::file("write", path, e))?;
        let (orders, thread) = (Some(orders), Some(thread));
        Ok(Self { orders, thread, troubles, waiting, seen: Seen::default(), dropped: 0 })
    }

    /// Appends the rows that a batch settles.
    pub fn take(&mut self, batch: &Analysis<'_>) {
        let filler = Filler::new(batch);
        let events = filler.event_entries(&mut self.seen).rows(&schema::HA_EVENTS, filler.ranks());
        let rows = [filler.messages(), filler.exchanges(), filler.leases(), filler.decisions(), events];
        self.send(rows.into_iter().filter(|rows| !rows.is_empty()).collect());
    }

    /// Completes the files of everything that was taken before `now`; findings and sources are those of a peek.
    pub fn close(&mut self, peek: &Analysis<'_>, findings: &[Finding], now: CaptureTime) {
        let filler = Filler::new(peek);
        self.send(vec![filler.finding_rows(findings), filler.sources()]);
        self.order(Order::Close(now));
    }

    /// Takes the last batch, completes all files and waits until they are there.
    pub fn finish(mut self, last: &Analysis<'_>, findings: &[Finding], now: CaptureTime) -> Vec<Error> {
        self.take(last);
        self.close(last, findings, now);
        drop(self.orders.take());
        if let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
        {
            std::panic::resume_unwind(panic);
        }
        self.troubles().collect()
    }

    /// What could not be written since the last call.
    pub fn troubles(&self) -> impl Iterator<Item = Error> + '_ {
        self.troubles.try_iter()
    }

    /// Rows that were dropped because the disk was too slow.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes of rows that wait to be written.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn send(&mut self, rows: Vec<Rows>) {
        if rows.is_empty() {
            return;
        }
        let size: usize = rows.iter().map(Rows::size).sum();
        if self.waiting() + size > ROOM {
            self.dropped += rows.iter().map(|rows| rows.len() as u64).sum::<u64>();
            return;
        }
        self.waiting.fetch_add(size, Ordering::Relaxed);
        self.order(Order::Take(rows));
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread ends only after this side.
            let _ = orders.send(order);
        }
    }
}

/// A file to be: its table by name, its zone where it has one, its day.
type Key = (&'static str, Option<String>, String);

/// Rows by the file that they belong to.
struct Files {
    path: PathBuf,
    open: BTreeMap<Key, Rows>,
    number: u64,
}

impl Files {
    fn follow(&mut self, order: Order, waiting: &AtomicUsize) -> Vec<Error> {
        let mut troubles = Vec::new();
        match order {
            Order::Take(list) => {
                for rows in &list {
                    waiting.fetch_sub(rows.size(), Ordering::Relaxed);
                    let whole = [schema::FINDINGS.name, schema::SOURCES.name].contains(&rows.table().name);
                    troubles.extend(if whole { self.replace(rows).err() } else { self.add(rows).err() });
                }
            }
            Order::Close(now) => {
                for (key, rows) in std::mem::take(&mut self.open) {
                    troubles.extend(self.write(&key, &rows, now).err());
                }
            }
        }
        troubles
    }

    fn add(&mut self, rows: &Rows) -> Result<(), Error> {
        let mut parts: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for row in 0..rows.len() {
            parts.entry(key(rows, row)).or_default().push(row);
        }
        for (key, list) in parts {
            let part = rows.reordered(&list);
            let open = self.open.entry(key.clone()).or_insert_with(|| Rows::new(rows.table()));
            open.forget();
            open.append(&part);
            if (open.len() >= GROUP_ROWS || open.size() > FILE_BYTES)
                && let Some((key, full)) = self.open.remove_entry(&key)
            {
                let now = instant(&full, full.len().saturating_sub(1));
                self.write(&key, &full, now)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, (table, zone, date): &Key, rows: &Rows, now: CaptureTime) -> Result<(), Error> {
        let mut folder = self.path.join(table);
        if let Some(zone) = zone {
            folder.push(format!("zone={}", encoded(zone)));
        }
        folder.push(format!("date={date}"));
        fs::create_dir_all(&folder).map_err(|e| Error::file("create", &folder, e))?;
        let target = loop {
            self.number += 1;
            let (date, time) = date_and_time(now.0);
            let compact = |text: &str| text.replace(['-', ':'], "");
            let time = compact(time.split('.').next().unwrap_or_default());
            let name = format!("{}T{time}Z-{:06}.parquet", compact(&date), self.number);
            let target = folder.join(name);
            // Another run may have had the same second and number.
            if !target.exists() {
                break target;
            }
        };
        put(target, rows)
    }

    fn replace(&self, rows: &Rows) -> Result<(), Error> {
        put(self.path.join(format!("{}.parquet", rows.table().name)), rows)
    }
}

fn put(target: PathBuf, rows: &Rows) -> Result<(), Error> {
    let mut file = TableFile::create(target, rows.table(), Format::Parquet)?;
    file.write(rows)?;
    file.finish_for_good().map(drop)
}

/// The file that a row belongs to.
fn key(rows: &Rows, row: usize) -> Key {
    let zone = match rows.get(row, "zone") {
        Cell::Text(zone) => Some(zone.to_string()),
        _ => None,
    };
    let zone = zone.or_else(|| has_zone(rows.table()).then(String::new));
    (rows.table().name, zone, date_and_time(instant(rows, row).0).0)
}

fn has_zone(table: &Table) -> bool {
    table.position("zone").is_some()
}

/// When what a row tells of began.
fn instant(rows: &Rows, row: usize) -> CaptureTime {
    let of = |column| match rows.get(row, column) {
        Cell::I64(ns) => Some(CaptureTime(ns)),
        _ => None,
    };
    of("ts_ns").or_else(|| of("start_ns")).unwrap_or_default()
}

/// A value in a path as Hive writes it: what is not plain is a percent sign and the byte in hexadecimal.
fn encoded(text: &str) -> String {
    if text.is_empty() {
        return "__HIVE_DEFAULT_PARTITION__".to_owned();
    }
    let mut path = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_. ".contains(&byte) && !(path.is_empty() && byte == b'.') {
            path.push(byte.into());
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_names_of_directories() {
        assert_eq!(encoded("zaldua2"), "zaldua2");
        assert_eq!(encoded("a/b=c%"), "a%2Fb%3Dc%25");
        assert_eq!(encoded(".."), "%2E.");
        assert_eq!(encoded("größe"), "gr%C3%B6%C3%9Fe");
        assert_eq!(encoded(""), "__HIVE_DEFAULT_PARTITION__");
    }
}
