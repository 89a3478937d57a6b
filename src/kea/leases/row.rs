//! One row of a lease file.

use std::net::Ipv4Addr;

use csv::{ByteRecord, StringRecord};

use crate::units::{CaptureTime, HwAddr, SECOND, parse_hex};

/// A binding as Kea's lease file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The client's hardware address; empty when Kea knew none.
    pub mac: HwAddr,
    /// Option 61.
    pub client_id: Option<Box<[u8]>>,
    /// Seconds; 0 deletes the lease, `u32::MAX` is infinite.
    pub valid_s: u32,
    /// When it ends: seconds since 1970 by the server's clock.
    pub expire_s: i64,
    /// Kea's subnet id.
    pub subnet_id: u32,
    /// 0 in use, 1 declined, 2 expired and reclaimed, 3 released.
    pub state: u32,
    /// The client's name, Kea's escapes undone.
    pub hostname: Box<str>,
}

impl Row {
    /// Whether the row deletes the lease.
    pub const fn is_deleted(&self) -> bool {
        self.valid_s == 0
    }

    /// Whether a client holds the address.
    pub const fn is_bound(&self) -> bool {
        !self.is_deleted() && self.state == 0
    }

    /// When it ends; `None` for an infinite lease.
    pub fn expires(&self) -> Option<CaptureTime> {
        (self.valid_s != u32::MAX).then(|| CaptureTime(self.expire_s.saturating_mul(SECOND)))
    }

    /// When the client last got it (`cltt`); for an infinite lease too, where
    /// Kea writes `cltt` + 4294967295.
    pub fn since(&self) -> CaptureTime {
        CaptureTime(self.expire_s.saturating_sub(i64::from(self.valid_s)).saturating_mul(SECOND))
    }
}

/// Where the columns stand in one file; those that a file lacks take Kea's defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    address: usize,
    hwaddr: usize,
    client_id: usize,
    valid: usize,
    expire: usize,
    subnet: Option<usize>,
    hostname: Option<usize>,
    state: Option<usize>,
}

impl Columns {
    pub(super) fn of(header: &StringRecord) -> Result<Self, String> {
        let place = |name: &str| header.iter().position(|column| column.trim() == name);
        let needed = |name: &str| {
            place(name).ok_or_else(|| format!("there is no column {name}, so this is no kea-leases4.csv"))
        };
        Ok(Self {
            address: needed("address")?,
            hwaddr: needed("hwaddr")?,
            client_id: needed("client_id")?,
            valid: needed("valid_lifetime")?,
            expire: needed("expire")?,
            subnet: place("subnet_id"),
            hostname: place("hostname"),
            state: place("state"),
        })
    }

    pub(super) fn row(&self, record: &ByteRecord) -> Result<(Ipv4Addr, Row), String> {
        let cell = |at: usize| {
            record.get(at).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default().trim()
        };
        let wrong = |name: &str, at: usize| format!("{name} is \"{}\"", cell(at).escape_debug());
        let number = |name: &str, at: usize| cell(at).parse::<u32>().map_err(|_| wrong(name, at));
        let hex = |name: &str, at: usize| match cell(at) {
            "" => Ok(Vec::new()),
            text => parse_hex(text).ok_or_else(|| wrong(name, at)),
        };
        let address = cell(self.address).parse().map_err(|_| wrong("address", self.address))?;
        let client_id = hex("client_id", self.client_id)?;
        let row = Row {
            mac: HwAddr::new(&hex("hwaddr", self.hwaddr)?),
            client_id: (!client_id.is_empty()).then(|| client_id.into_boxed_slice()),
            valid_s: number("valid_lifetime", self.valid)?,
            expire_s: cell(self.expire).parse().map_err(|_| wrong("expire", self.expire))?,
            subnet_id: self.subnet.map_or(Ok(0), |at| number("subnet_id", at))?,
            // A row of an older Kea may end before a column that the header has.
            state: self.state.filter(|at| !cell(*at).is_empty()).map_or(Ok(0), |at| number("state", at))?,
            hostname: self.hostname.map(|at| unescape(cell(at))).unwrap_or_default().into(),
        };
        Ok((address, row))
    }
}

/// Undoes Kea's `&#xHH`, which has no semicolon.
fn unescape(text: &str) -> String {
    let mut parts = text.split("&#x");
    let mut plain: Vec<u8> = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => plain.push(byte),
            None => plain.extend_from_slice(b"&#x"),
        }
        let rest = if byte.is_some() { part.get(2..).unwrap_or_default() } else { part };
        plain.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8_lossy(&plain).into_owned()
}
