//! The option walk: pads, end, truncation, overload (option 52, RFC 2132 §9.3)
//! and the joining of split options (RFC 3396).

use std::borrow::Cow;

use super::anomaly::{Anomaly, AnomalyKind};
use super::relay::RelayInfo;

/// Option codes that this program looks at (RFC 2132 unless noted).
pub mod code {
    /// Pad, a single byte.
    pub const PAD: u8 = 0;
    /// Host name.
    pub const HOSTNAME: u8 = 12;
    /// Requested IP address.
    pub const REQUESTED_IP: u8 = 50;
    /// IP address lease time.
    pub const LEASE_TIME: u8 = 51;
    /// Option overload.
    pub const OVERLOAD: u8 = 52;
    /// DHCP message type.
    pub const MESSAGE_TYPE: u8 = 53;
    /// Subnet mask.
    pub const SUBNET_MASK: u8 = 1;
    /// Server identifier.
    pub const SERVER_ID: u8 = 54;
    /// Parameter request list.
    pub const PARAM_LIST: u8 = 55;
    /// Message text.
    pub const MESSAGE: u8 = 56;
    /// Renewal time T1.
    pub const T1: u8 = 58;
    /// Rebinding time T2.
    pub const T2: u8 = 59;
    /// Vendor class identifier.
    pub const VENDOR_CLASS: u8 = 60;
    /// Client identifier.
    pub const CLIENT_ID: u8 = 61;
    /// Relay agent information (RFC 3046).
    pub const RELAY_AGENT: u8 = 82;
    /// Subnet selection (RFC 3011).
    pub const SUBNET_SELECTION: u8 = 118;
    /// End, a single byte.
    pub const END: u8 = 255;
}

/// The usual name of an option code, where it is a registered one.
pub fn name(code: u8) -> Option<String> {
    match dhcproto::v4::OptionCode::from(code) {
        dhcproto::v4::OptionCode::Unknown(_) => None,
        known => Some(format!("{known:?}")),
    }
}

/// The part of a message that an option stood in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// The options field after the cookie.
    Options,
    /// The `file` field, overloaded.
    File,
    /// The `sname` field, overloaded.
    Sname,
}

/// One option as it stood in the message, before joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawOption<'a> {
    /// Its code.
    pub code: u8,
    /// Its data.
    pub data: &'a [u8],
    /// Where it stood.
    pub area: Area,
    /// Its first byte, from the start of the UDP payload.
    pub offset: usize,
}

/// Every option of a message in the order of RFC 3396 §5: the options field, then `file`, then `sname`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    list: Vec<RawOption<'a>>,
}

impl<'a> Options<'a> {
    /// Walks the options field of `payload` from `start`, and the overloaded fields if option 52 says so.
    pub(super) fn walk(
        payload: &'a [u8],
        start: usize,
        sname: &'a [u8],
        file: &'a [u8],
        cut: bool,
        anomalies: &mut Vec<Anomaly>,
    ) -> Self {
        // Clients send about a dozen options; one allocation serves nearly every message.
        let mut options = Self { list: Vec::with_capacity(16) };
        let field = payload.get(start..).unwrap_or_default();
        options.walk_area(field, start, Area::Options, cut, anomalies);
        match options.get_in(code::OVERLOAD, Area::Options).as_deref() {
            None => {}
            Some(&[1]) => options.walk_area(file, super::FILE.start, Area::File, false, anomalies),
            Some(&[2]) => options.walk_area(sname, super::SNAME.start, Area::Sname, false, anomalies),
            Some(&[3]) => {
                options.walk_area(file, super::FILE.start, Area::File, false, anomalies);
                options.walk_area(sname, super::SNAME.start, Area::Sname, false, anomalies);
            }
            Some(_) => {
                let at = options.first(code::OVERLOAD).map_or(start, |option| option.offset);
                anomalies.push(Anomaly::of_option(AnomalyKind::OverloadInvalid, at, code::OVERLOAD));
            }
        }
        options.check_lengths(anomalies);
        options
    }

    fn walk_area(
        &mut self,
        field: &'a [u8],
        base: usize,
        area: Area,
        cut: bool,
        anomalies: &mut Vec<Anomaly>,
    ) {
        let mut at = 0;
        while let Some(&code) = field.get(at) {
            if code == code::PAD {
                at += 1;
                continue;
            }
            if code == code::END {
                let rest = field.get(at + 1..).unwrap_or_default();
                if let Some(odd) = rest.iter().position(|&byte| byte != 0) {
                    anomalies.push(Anomaly::at(AnomalyKind::DataAfterEnd, base + at + 1 + odd));
                }
                return;
            }
            let data = field.get(at + 1).and_then(|&len| field.get(at + 2..at + 2 + usize::from(len)));
            let Some(data) = data else {
                let kind = if cut { AnomalyKind::CutBySnaplen } else { AnomalyKind::OptionTruncated };
                anomalies.push(Anomaly::of_option(kind, base + at, code));
                return;
            };
            self.list.push(RawOption { code, data, area, offset: base + at });
            at += 2 + data.len();
        }
        let kind = if cut { AnomalyKind::CutBySnaplen } else { AnomalyKind::NoEnd };
        anomalies.push(Anomaly::at(kind, base + field.len()));
    }

    /// Checks the options whose size RFC 2132 fixes, after joining.
    fn check_lengths(&self, anomalies: &mut Vec<Anomaly>) {
        for (i, option) in self.list.iter().enumerate() {
            let first = self.list.iter().take(i).all(|earlier| earlier.code != option.code);
            if !first {
                continue;
            }
            let len: usize = self.instances(option.code).map(|one| one.data.len()).sum();
            let fixed = match option.code {
                code::SUBNET_MASK
                | code::REQUESTED_IP
                | code::LEASE_TIME
                | code::SERVER_ID
                | code::T1
                | code::T2 => Some(4),
                code::MESSAGE_TYPE => Some(1),
                code::SUBNET_SELECTION => Some(4),
                _ => None,
            };
            let may_be_empty = matches!(option.code, 80 | code::RELAY_AGENT | 125);
            if len == 0 && !may_be_empty {
                anomalies.push(Anomaly::of_option(AnomalyKind::OptionEmpty, option.offset, option.code));
            } else if fixed.is_some_and(|fixed| fixed != len) {
                anomalies.push(Anomaly::of_option(AnomalyKind::OptionBadLength, option.offset, option.code));
            }
            if option.code == code::RELAY_AGENT
                && self.get(option.code).is_some_and(|bytes| RelayInfo::parse(&bytes).1)
            {
                anomalies.push(Anomaly::of_option(AnomalyKind::RelayTruncated, option.offset, option.code));
            }
        }
    }

    fn instances(&self, code: u8) -> impl Iterator<Item = &RawOption<'a>> {
        self.list.iter().filter(move |option| option.code == code)
    }

    /// Every option as it stood, in order, unjoined.
    pub fn iter(&self) -> impl Iterator<Item = &RawOption<'a>> {
        self.list.iter()
    }

    /// The first instance of an option.
    pub fn first(&self, code: u8) -> Option<&RawOption<'a>> {
        self.instances(code).next()
    }

    /// The data of an option, all its instances joined (RFC 3396).
    pub fn get(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        join(self.instances(code))
    }

    /// The same for the instances of one area only.
    pub fn get_in(&self, code: u8, area: Area) -> Option<Cow<'a, [u8]>> {
        join(self.instances(code).filter(|option| option.area == area))
    }
}

fn join<'o, 'a: 'o>(mut instances: impl Iterator<Item = &'o RawOption<'a>>) -> Option<Cow<'a, [u8]>> {
    let mut data = Cow::Borrowed(instances.next()?.data);
    for more in instances {
        data.to_mut().extend_from_slice(more.data);
    }
    Some(data)
}
