//! Message lists written as a script, and the frames that they stand for.
//!
//! One line is one frame:
//!
//! ```text
//! LABEL SECONDS ZONE[:POINT] CLIENT TYPE [key=value…]
//! LABEL SECONDS ZONE[:POINT] copy OF     [key=value…]
//! -     SECONDS ZONE[:POINT] quiet
//! ```
//!
//! and lines of the control channel, see `channel`. A client may also be a MAC address.
//!
//! `POINT` names a second capture file of the zone. A query goes from 0.0.0.0
//! to everybody unless `src` and `to` say otherwise; a reply goes from `from`,
//! whose address is also its option 54, to everybody. The xid is the client's
//! last one when it is left out. `copy` repeats a frame with changes; `quiet`
//! is a frame of another protocol that only lets time pass.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use dhcproto::Encodable;
use dhcproto::v4::{DhcpOption, Flags, HType, Message, MessageType, Opcode, OptionCode, UnknownOption};
use dorascope::capture::Input;
use dorascope::units::{HwAddr, parse_hex};
use etherparse::PacketBuilder;

use super::channel;
use crate::support::files::{Order, PcapFile};
use crate::support::temp::TempDir;

/// Every script begins here.
pub const EPOCH_NS: i64 = 1_700_000_000_000_000_000;

/// Who takes part: clients by name, other machines by name.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    pub clients: HashMap<String, (HwAddr, Option<Vec<u8>>)>,
    pub hosts: HashMap<String, Ipv4Addr>,
}

/// One DHCP message on one wire.
#[derive(Clone, Debug)]
pub struct Frame {
    pub label: String,
    pub ns: i64,
    /// Zone and capture point within it.
    pub place: (String, String),
    pub message: Option<Dhcp>,
    /// A frame of another protocol.
    pub bytes: Option<Vec<u8>>,
}

/// A DHCP message and its path.
#[derive(Clone, Debug)]
pub struct Dhcp {
    pub kind: Option<u8>,
    pub xid: u32,
    pub secs: u16,
    pub hops: u8,
    pub mac: HwAddr,
    pub client_id: Option<Vec<u8>>,
    pub src: Ipv4Addr,
    pub dst: Ipv4Addr,
    pub src_mac: Option<[u8; 6]>,
    pub dst_mac: Option<[u8; 6]>,
    pub ciaddr: Ipv4Addr,
    pub yiaddr: Ipv4Addr,
    pub siaddr: Ipv4Addr,
    pub giaddr: Ipv4Addr,
    pub server_id: Option<Ipv4Addr>,
    pub requested: Option<Ipv4Addr>,
    pub lease: Option<u32>,
    pub relay_info: Vec<u8>,
    pub subnet_selection: Option<Ipv4Addr>,
}

const TYPES: [&str; 8] = ["DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"];

impl Dhcp {
    pub fn new(kind: Option<u8>, mac: HwAddr) -> Self {
        let reply = matches!(kind, Some(2 | 5 | 6));
        Self {
            kind,
            xid: 0,
            secs: 0,
            hops: 0,
            mac,
            client_id: None,
            src: Ipv4Addr::UNSPECIFIED,
            dst: Ipv4Addr::BROADCAST,
            src_mac: None,
            dst_mac: None,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            siaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            server_id: None,
            requested: None,
            lease: reply.then_some(3600),
            relay_info: Vec::new(),
            subnet_selection: None,
        }
    }

    fn is_reply(&self) -> bool {
        matches!(self.kind, Some(2 | 5 | 6))
    }

    fn set(&mut self, cast: &Cast, key: &str, value: &str) {
        let address = || -> Ipv4Addr {
            match value {
                "*" => Ipv4Addr::BROADCAST,
                "0" => Ipv4Addr::UNSPECIFIED,
                _ => cast
                    .hosts
                    .get(value)
                    .copied()
                    .unwrap_or_else(|| value.parse().unwrap_or_else(|_| panic!("{value} is no host"))),
            }
        };
        let mac = || <[u8; 6]>::try_from(parse_hex(value).unwrap()).unwrap();
        let mut relay = |code: u8, bytes: &[u8]| {
            self.relay_info.extend([code, bytes.len() as u8]);
            self.relay_info.extend(bytes);
        };
        match key {
            "xid" => self.xid = u32::from_str_radix(value, 16).unwrap(),
            "secs" => self.secs = value.parse().unwrap(),
            "hops" => self.hops = value.parse().unwrap(),
            "from" => {
                self.src = address();
                self.server_id = Some(self.src);
            }
            "src" => self.src = address(),
            "to" => self.dst = address(),
            "smac" => self.src_mac = Some(mac()),
            "dmac" => self.dst_mac = Some(mac()),
            "ci" => self.ciaddr = address(),
            "y" => self.yiaddr = address(),
            "si" => self.siaddr = address(),
            "gi" => self.giaddr = address(),
            "sid" => self.server_id = (value != "-").then(address),
            "req" => self.requested = Some(address()),
            "lease" => self.lease = (value != "-").then(|| value.parse().unwrap()),
            "id" => self.client_id = (value != "-").then(|| parse_hex(value).unwrap()),
            "118" => self.subnet_selection = Some(address()),
            "circuit" => relay(1, value.as_bytes()),
            "link" => relay(5, &address().octets()),
            "override" => relay(11, &address().octets()),
            _ => panic!("unknown key {key}"),
        }
    }

    /// The DHCP payload as `dhcproto` encodes it.
    fn payload(&self) -> Vec<u8> {
        let (zero, chaddr) = (Ipv4Addr::UNSPECIFIED, self.mac.as_bytes());
        let mut message =
            Message::new_with_id(self.xid, self.ciaddr, self.yiaddr, self.siaddr, self.giaddr, chaddr);
        message.set_opcode(if self.is_reply() { Opcode::BootReply } else { Opcode::BootRequest });
        message.set_htype(HType::Eth).set_secs(self.secs).set_hops(self.hops);
        message.set_flags(Flags::default().set_broadcast());
        let options = message.opts_mut();
        if let Some(kind) = self.kind {
            options.insert(DhcpOption::MessageType(MessageType::from(kind)));
        }
        let typed = [
            self.server_id.map(DhcpOption::ServerIdentifier),
            self.requested.map(DhcpOption::RequestedIpAddress),
            self.lease.filter(|_| self.yiaddr != zero).map(DhcpOption::AddressLeaseTime),
            self.client_id.clone().map(DhcpOption::ClientIdentifier),
        ];
        for option in typed.into_iter().flatten() {
            options.insert(option);
        }
        let raw = |code: OptionCode, data: Vec<u8>| DhcpOption::Unknown(UnknownOption::new(code, data));
        if let Some(subnet) = self.subnet_selection {
            options.insert(raw(OptionCode::SubnetSelection, subnet.octets().to_vec()));
        }
        if !self.relay_info.is_empty() {
            options.insert(raw(OptionCode::RelayAgentInformation, self.relay_info.clone()));
        }
        message.to_vec().unwrap()
    }

    /// The Ethernet frame.
    pub fn frame(&self) -> Vec<u8> {
        let of_address = |address: Ipv4Addr| {
            let [a, b, c, d] = address.octets();
            [2, 0, a, b, c, d]
        };
        let own = <[u8; 6]>::try_from(self.mac.as_bytes()).unwrap_or([2, 0, 0, 0, 0, 1]);
        let src_mac = self.src_mac.unwrap_or_else(|| {
            if self.src.is_unspecified() || (!self.is_reply() && self.src == self.ciaddr) {
                own
            } else {
                of_address(self.src)
            }
        });
        let dst_mac = self
            .dst_mac
            .unwrap_or_else(|| if self.dst.is_broadcast() { [0xff; 6] } else { of_address(self.dst) });
        let to_relay = !self.giaddr.is_unspecified() && self.dst == self.giaddr;
        let ports = match (self.is_reply(), to_relay) {
            (true, true) => (67, 67),
            (true, false) => (67, 68),
            (false, _) if self.giaddr.is_unspecified() => (68, 67),
            (false, _) => (67, 67),
        };
        let payload = self.payload();
        let builder = PacketBuilder::ethernet2(src_mac, dst_mac)
            .ipv4(self.src.octets(), self.dst.octets(), 64)
            .udp(ports.0, ports.1);
        let mut bytes = Vec::with_capacity(builder.size(payload.len()));
        builder.write(&mut bytes, &payload).unwrap();
        bytes
    }
}

/// Reads a script; anything that it does not understand is an error.
pub fn read(cast: &Cast, script: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut xids: HashMap<String, u32> = HashMap::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [label, seconds, place, rest @ ..] = words.as_slice() else { panic!("too short: {line}") };
        let ns = EPOCH_NS + (seconds.parse::<f64>().unwrap() * 1e6).round() as i64 * 1000;
        let place = place.split_once(':').unwrap_or((place, ""));
        let (mut dhcp, settings) = match rest {
            ["quiet"] => (None, &[][..]),
            ["control", words @ ..] => {
                frames.extend(channel::frames(cast, [label, place.0], ns, words, frames.len()));
                continue;
            }
            ["copy", of, settings @ ..] => {
                let first = frames.iter().find(|frame| frame.label == *of);
                (Some(first.unwrap_or_else(|| panic!("no {of}: {line}")).message.clone().unwrap()), settings)
            }
            [client, kind, settings @ ..] => {
                let kind = match *kind {
                    "BOOTP" => None,
                    name => Some(TYPES.iter().position(|known| *known == name).map_or_else(
                        || name.parse().unwrap_or_else(|_| panic!("no type {name}: {line}")),
                        |at| at as u8 + 1,
                    )),
                };
                let known = cast.clients.get(*client).cloned();
                let (mac, id) =
                    known.unwrap_or_else(|| (client.parse().unwrap_or_else(|_| panic!("who: {line}")), None));
                let mut dhcp = Dhcp::new(kind, mac);
                dhcp.xid = xids.get(*client).copied().unwrap_or(1);
                dhcp.client_id = id.filter(|_| !dhcp.is_reply());
                for (key, value) in settings.iter().map(|word| word.split_once('=').unwrap()) {
                    dhcp.set(cast, key, value);
                }
                xids.insert((*client).to_owned(), dhcp.xid);
                (Some(dhcp), &[][..])
            }
            _ => panic!("not understood: {line}"),
        };
        if let Some(dhcp) = &mut dhcp {
            for (key, value) in settings.iter().map(|word| word.split_once('=').unwrap()) {
                dhcp.set(cast, key, value);
            }
        }
        assert!(*label == "-" || frames.iter().all(|frame| frame.label != *label), "{label} twice");
        let place = (place.0.to_owned(), place.1.to_owned());
        frames.push(Frame { label: (*label).to_owned(), ns, place, message: dhcp, bytes: None });
    }
    frames
}

/// Writes one capture file per place, in the order of the script.
///
/// Returns the inputs, and the label of every frame by file and number.
pub fn write(frames: &[Frame], folder: &TempDir) -> (Vec<Input>, HashMap<(PathBuf, u64), String>) {
    let mut files: Vec<((String, String), PcapFile, u64)> = Vec::new();
    let mut labels = HashMap::new();
    let path_of = |place: &(String, String)| folder.path().join(format!("{}-{}.pcap", place.0, place.1));
    for frame in frames {
        let at = files.iter().position(|(place, ..)| *place == frame.place).unwrap_or_else(|| {
            files.push((frame.place.clone(), PcapFile::nano(Order::Little, 1), 0));
            files.len() - 1
        });
        let (place, file, number) = files.remove(at);
        let bytes = match (&frame.message, &frame.bytes) {
            (Some(message), _) => message.frame(),
            (None, Some(bytes)) => bytes.clone(),
            // An ARP request without content is enough to be skipped by its type.
            (None, None) => [&[0xff; 6][..], &[2, 0, 0, 0, 0, 9], &[8, 6], &[0; 28]].concat(),
        };
        labels.insert((path_of(&place), number + 1), frame.label.clone());
        files.insert(at, (place, file.frame(frame.ns.cast_unsigned(), &bytes), number + 1));
    }
    let inputs = files.into_iter().map(|(place, file, _)| {
        let path = path_of(&place);
        std::fs::write(&path, file.bytes).unwrap();
        Input { zone: Some(place.0), path }
    });
    (inputs.collect(), labels)
}
