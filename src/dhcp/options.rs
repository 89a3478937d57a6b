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

/// Places in the table of wanted options; place 0 stands for all others.
const PLACES: usize = 16;

/// The wanted options with the length that RFC 2132 and RFC 3011 fix, 0 for none.
const WANTED: [(u8, u8); 15] = [
    (code::MESSAGE_TYPE, 1),
    (code::SUBNET_MASK, 4),
    (code::REQUESTED_IP, 4),
    (code::LEASE_TIME, 4),
    (code::SERVER_ID, 4),
    (code::T1, 4),
    (code::T2, 4),
    (code::SUBNET_SELECTION, 4),
    (code::OVERLOAD, 0),
    (code::HOSTNAME, 0),
    (code::PARAM_LIST, 0),
    (code::MESSAGE, 0),
    (code::VENDOR_CLASS, 0),
    (code::CLIENT_ID, 0),
    (code::RELAY_AGENT, 0),
];

/// Place and fixed length of every code.
#[expect(clippy::indexing_slicing, reason = "done at compile time")]
const TABLE: [(u8, u8); 256] = {
    let mut table = [(0, 0); 256];
    let mut at = 0;
    while at < WANTED.len() {
        let (code, fixed) = WANTED[at];
        at += 1;
        table[code as usize] = (at as u8, fixed);
    }
    table
};

/// Where an option's data is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    /// From the start of the payload, which is never longer than this counts.
    at: u16,
    len: u8,
    /// Instances: none, one, or more, which RFC 3396 joins.
    seen: u8,
}

/// Every option of a message in the order of RFC 3396 §5: the options field, then `file`, then `sname`.
///
/// One walk fills a table of the options that are asked for. Whatever else is
/// wanted, and options that come in parts, are looked up in the bytes again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    payload: &'a [u8],
    slots: [Slot; PLACES],
    /// One bit for each place that is taken.
    present: u16,
    /// Option 52 as far as it is valid: 1 for `file`, 2 for `sname`.
    overload: u8,
    /// Something is in parts, empty or of another length than it should be.
    odd: bool,
}

/// What stands at a place of an area.
enum Word<'a> {
    Pad,
    End,
    Option {
        code: u8,
        data: &'a [u8],
    },
    /// An option that reaches past the area.
    Truncated(u8),
    /// Nothing: the area is over.
    Over,
}

#[inline]
fn word(field: &[u8], at: usize) -> Word<'_> {
    match field.get(at..).unwrap_or_default() {
        [] => Word::Over,
        [code::PAD, ..] => Word::Pad,
        [code::END, ..] => Word::End,
        [code, len, rest @ ..] => match rest.get(..usize::from(*len)) {
            Some(data) => Word::Option { code: *code, data },
            None => Word::Truncated(*code),
        },
        [code] => Word::Truncated(*code),
    }
}

impl<'a> Options<'a> {
    /// Walks the options field of `payload`, and the overloaded fields if option 52 says so.
    pub(super) fn walk(payload: &'a [u8], cut: bool, anomalies: &mut Vec<Anomaly>) -> Self {
        let mut options = Self { payload, ..Self::default() };
        options.walk_area(Area::Options, cut, anomalies);
        if options.has_any_of([code::OVERLOAD]) {
            options.walk_overloaded(anomalies);
        }
        if options.odd {
            options.check_lengths(anomalies);
        } else if options.has_any_of([code::RELAY_AGENT]) {
            options.check_relay(anomalies);
        }
        options
    }

    #[cold]
    fn walk_overloaded(&mut self, anomalies: &mut Vec<Anomaly>) {
        if let Some([which @ 1..=3]) = self.exactly(code::OVERLOAD) {
            self.overload = which;
            for area in [Area::File, Area::Sname] {
                if self.is_used(area) {
                    self.walk_area(area, false, anomalies);
                }
            }
        } else {
            let at = self.first(code::OVERLOAD).map_or(super::OPTIONS, |option| option.offset);
            anomalies.push(Anomaly::of_option(AnomalyKind::OverloadInvalid, at, code::OVERLOAD));
        }
    }

    const fn is_used(&self, area: Area) -> bool {
        match area {
            Area::Options => true,
            Area::File => self.overload & 1 != 0,
            Area::Sname => self.overload & 2 != 0,
        }
    }

    /// The bytes of an area and where they begin.
    fn area(&self, area: Area) -> (&'a [u8], usize) {
        let range = match area {
            Area::Options => super::OPTIONS..self.payload.len(),
            Area::File => super::FILE,
            Area::Sname => super::SNAME,
        };
        let start = range.start;
        (self.payload.get(range).unwrap_or_default(), start)
    }

    #[inline]
    fn walk_area(&mut self, area: Area, cut: bool, anomalies: &mut Vec<Anomaly>) {
        let (field, base) = self.area(area);
        let mut at = 0;
        loop {
            match word(field, at) {
                Word::Pad => at += 1,
                Word::Option { code, data } => {
                    self.enter(code, data.len(), base + at + 2);
                    at += 2 + data.len();
                }
                Word::End => {
                    let rest = field.get(at + 1..).unwrap_or_default();
                    // Nearly always padding: seen at a glance, without looking for a place.
                    if rest.iter().fold(0, |all, byte| all | byte) != 0 {
                        let odd = rest.iter().position(|&byte| byte != 0).unwrap_or_default();
                        anomalies.push(Anomaly::at(AnomalyKind::DataAfterEnd, base + at + 1 + odd));
                    }
                    return;
                }
                Word::Truncated(code) => {
                    let kind = if cut { AnomalyKind::CutBySnaplen } else { AnomalyKind::OptionTruncated };
                    anomalies.push(Anomaly::of_option(kind, base + at, code));
                    return;
                }
                Word::Over => {
                    let kind = if cut { AnomalyKind::CutBySnaplen } else { AnomalyKind::NoEnd };
                    anomalies.push(Anomaly::at(kind, base + field.len()));
                    return;
                }
            }
        }
    }

    #[inline]
    fn enter(&mut self, code: u8, len: usize, at: usize) {
        let (place, fixed) = TABLE.get(usize::from(code)).copied().unwrap_or_default();
        self.odd |= len == 0 || (fixed != 0 && usize::from(fixed) != len);
        if place == 0 {
            return;
        }
        if let Some(slot) = self.slots.get_mut(usize::from(place)) {
            if slot.seen == 0 {
                *slot = Slot { at: at as u16, len: len as u8, seen: 1 };
                self.present |= 1 << (place & 15);
            } else {
                slot.seen = 2;
                self.odd = true;
            }
        }
    }

    /// Checks the options whose size RFC 2132 fixes, after joining.
    #[cold]
    fn check_lengths(&self, anomalies: &mut Vec<Anomaly>) {
        let mut lengths = [0; 256];
        for option in self.iter() {
            if let Some(length) = lengths.get_mut(usize::from(option.code)) {
                *length += option.data.len();
            }
        }
        let mut checked = [false; 256];
        for option in self.iter() {
            let at = usize::from(option.code);
            if checked.get_mut(at).is_none_or(|checked| std::mem::replace(checked, true)) {
                continue;
            }
            let len = lengths.get(at).copied().unwrap_or_default();
            let (_, fixed) = TABLE.get(at).copied().unwrap_or_default();
            let may_be_empty = matches!(option.code, 80 | code::RELAY_AGENT | 125);
            if len == 0 && !may_be_empty {
                anomalies.push(Anomaly::of_option(AnomalyKind::OptionEmpty, option.offset, option.code));
            } else if fixed != 0 && usize::from(fixed) != len {
                anomalies.push(Anomaly::of_option(AnomalyKind::OptionBadLength, option.offset, option.code));
            }
            if option.code == code::RELAY_AGENT {
                self.check_relay(anomalies);
            }
        }
    }

    fn check_relay(&self, anomalies: &mut Vec<Anomaly>) {
        if self.get(code::RELAY_AGENT).is_some_and(|bytes| RelayInfo::new(bytes).is_cut()) {
            let at = self.first(code::RELAY_AGENT).map_or(super::OPTIONS, |option| option.offset);
            anomalies.push(Anomaly::of_option(AnomalyKind::RelayTruncated, at, code::RELAY_AGENT));
        }
    }

    fn instances(&self, code: u8) -> impl Iterator<Item = RawOption<'a>> {
        self.iter().filter(move |option| option.code == code)
    }

    /// Every option as it stood, in order, unjoined.
    pub fn iter(&self) -> impl Iterator<Item = RawOption<'a>> {
        let fields = [Area::Options, Area::File, Area::Sname].map(|area| {
            let (field, base) = self.area(area);
            (area, if self.is_used(area) { field } else { &[] }, base)
        });
        fields.into_iter().flat_map(|(area, field, base)| {
            let mut at = 0;
            std::iter::from_fn(move || {
                loop {
                    match word(field, at) {
                        Word::Pad => at += 1,
                        Word::Option { code, data } => {
                            let offset = base + at;
                            at += 2 + data.len();
                            return Some(RawOption { code, data, area, offset });
                        }
                        Word::End | Word::Truncated(_) | Word::Over => return None,
                    }
                }
            })
        })
    }

    /// The first instance of an option.
    pub fn first(&self, code: u8) -> Option<RawOption<'a>> {
        self.instances(code).next()
    }

    /// The data of an option, all its instances joined (RFC 3396).
    #[inline]
    pub fn get(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        let (place, _) = TABLE.get(usize::from(code)).copied().unwrap_or_default();
        if place == 0 {
            return self.join_all(code);
        }
        if self.present & 1 << (place & 15) == 0 {
            return None;
        }
        let Slot { at, len, seen } = self.slots.get(usize::from(place)).copied()?;
        if seen > 1 {
            return self.join_all(code);
        }
        let at = usize::from(at);
        self.payload.get(at..at + usize::from(len)).map(Cow::Borrowed)
    }

    #[cold]
    fn join_all(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        join(self.instances(code))
    }

    /// The data of a wanted option that holds exactly `N` bytes.
    #[inline]
    pub(super) fn exactly<const N: usize>(&self, code: u8) -> Option<[u8; N]> {
        let (place, _) = TABLE.get(usize::from(code)).copied().unwrap_or_default();
        if place == 0 || self.present & 1 << (place & 15) == 0 {
            return None;
        }
        let slot = self.slots.get(usize::from(place))?;
        if slot.seen > 1 {
            return self.joined(code);
        }
        let data = self.payload.get(usize::from(slot.at)..)?;
        if usize::from(slot.len) == N { data.first_chunk().copied() } else { None }
    }

    #[cold]
    fn joined<const N: usize>(&self, code: u8) -> Option<[u8; N]> {
        self.get(code)?.as_ref().try_into().ok()
    }

    /// Whether any of these wanted options is there.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a byte is an index of this table")]
    pub const fn has_any_of<const N: usize>(&self, codes: [u8; N]) -> bool {
        let (mut bits, mut at) = (0, 0);
        while at < N {
            bits |= 1 << (TABLE[codes[at] as usize].0 & 15);
            at += 1;
        }
        self.present & bits != 0
    }

    /// The same for the instances of one area only.
    pub fn get_in(&self, code: u8, area: Area) -> Option<Cow<'a, [u8]>> {
        if self.overload == 0 && area == Area::Options {
            return self.get(code);
        }
        join(self.instances(code).filter(|option| option.area == area))
    }
}

fn join<'a>(mut instances: impl Iterator<Item = RawOption<'a>>) -> Option<Cow<'a, [u8]>> {
    let mut data = Cow::Borrowed(instances.next()?.data);
    for more in instances {
        data.to_mut().extend_from_slice(more.data);
    }
    Some(data)
}
