//! 802.11 data frames, with or without a radiotap header.

use super::bytes::{after, array_at, u8_at, u16_at};
use super::{Context, Decoded, Decoder, Skip};

/// Radiotap flag: padding between the 802.11 header and its payload.
const RADIOTAP_DATA_PAD: u8 = 0x20;

/// Words of radiotap field bits that are followed; the format has no limit.
const MAX_PRESENT_WORDS: usize = 32;

impl Decoder {
    /// A radiotap header (radiotap.org), in little-endian order, then 802.11.
    pub(super) fn radiotap<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let length = u16_at(data, 2).ok_or(Skip::LinkTooShort)?.swap_bytes();
        let (header, frame) = data.split_at_checked(length.into()).ok_or(Skip::LinkTooShort)?;
        self.wlan(frame, radiotap_flags(header), context)
    }

    /// An 802.11 MAC frame (IEEE 802.11 §9.2); `flags` are radiotap's.
    pub(super) fn wlan<'a>(
        &mut self,
        data: &'a [u8],
        flags: u8,
        mut context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        let [control, bits] = array_at(data, 0).ok_or(Skip::LinkTooShort)?;
        // Version 0, type 2 (data), and none of the subtypes without data.
        if control & 0x0f != 0x08 || control & 0x40 != 0 {
            return Err(Skip::WlanOther);
        }
        let address = |offset| array_at::<6>(data, offset).ok_or(Skip::LinkTooShort);
        let (to_ds, from_ds) = (bits & 1 != 0, bits & 2 != 0);
        let mut header = 24;
        let (dst, src) = match (to_ds, from_ds) {
            (false, false) => (address(4)?, address(10)?),
            (false, true) => (address(4)?, address(16)?),
            (true, false) => (address(16)?, address(10)?),
            (true, true) => {
                header += 6;
                (address(16)?, address(24)?)
            }
        };
        let sequence = u16_at(data, 22).ok_or(Skip::LinkTooShort)?.swap_bytes();
        if bits & 0x40 != 0 {
            return Err(Skip::EncryptedWlan);
        }
        if bits & 0x04 != 0 || sequence & 0x0f != 0 {
            return Err(Skip::WlanOther);
        }
        if control & 0x80 != 0 {
            if u8_at(data, header).ok_or(Skip::LinkTooShort)? & 0x80 != 0 {
                return Err(Skip::WlanAggregate);
            }
            // QoS control, and HT control when the order bit is set.
            header += if bits & 0x80 != 0 { 6 } else { 2 };
        }
        if flags & RADIOTAP_DATA_PAD != 0 {
            header = header.next_multiple_of(4);
        }
        context.link.src_mac = Some(src);
        context.link.dst_mac = Some(dst);
        self.llc(after(data, header), context)
    }
}

/// The flags field of a radiotap header; 0 when it has none.
fn radiotap_flags(header: &[u8]) -> u8 {
    let word = |index: usize| array_at(header, 4 + 4 * index).map(u32::from_le_bytes);
    let Some(first) = word(0) else { return 0 };
    let mut words = 1;
    let mut present = first;
    while present & 1 << 31 != 0 && words < MAX_PRESENT_WORDS {
        let Some(next) = word(words) else { return 0 };
        (present, words) = (next, words + 1);
    }
    if first & 2 == 0 {
        return 0;
    }
    let fields = 4 + 4 * words;
    // The timestamp before it has 8 bytes, aligned to 8 from the header's begin.
    let offset = if first & 1 != 0 { fields.next_multiple_of(8) + 8 } else { fields };
    u8_at(header, offset).unwrap_or_default()
}
