//! The load-balancing hash of RFC 3074 §6 as Kea uses it: key, hash, owner.

use crate::units::HwAddr;

/// The mixing table of RFC 3074 §6, a permutation of 0..=255.
const MIXING: [u8; 256] = [
    251, 175, 119, 215, 81, 14, 79, 191, 103, 49, 181, 143, 186, 157, 0, 232, //
    31, 32, 55, 60, 152, 58, 17, 237, 174, 70, 160, 144, 220, 90, 57, 223, //
    59, 3, 18, 140, 111, 166, 203, 196, 134, 243, 124, 95, 222, 179, 197, 65, //
    180, 48, 36, 15, 107, 46, 233, 130, 165, 30, 123, 161, 209, 23, 97, 16, //
    40, 91, 219, 61, 100, 10, 210, 109, 250, 127, 22, 138, 29, 108, 244, 67, //
    207, 9, 178, 204, 74, 98, 126, 249, 167, 116, 34, 77, 193, 200, 121, 5, //
    20, 113, 71, 35, 128, 13, 182, 94, 25, 226, 227, 199, 75, 27, 41, 245, //
    230, 224, 43, 225, 177, 26, 155, 150, 212, 142, 218, 115, 241, 73, 88, 105, //
    39, 114, 62, 255, 192, 201, 145, 214, 168, 158, 221, 148, 154, 122, 12, 84, //
    82, 163, 44, 139, 228, 236, 205, 242, 217, 11, 187, 146, 159, 64, 86, 239, //
    195, 42, 106, 198, 118, 112, 184, 172, 87, 2, 173, 117, 176, 229, 247, 253, //
    137, 185, 99, 164, 102, 147, 45, 66, 231, 52, 141, 211, 194, 206, 246, 238, //
    56, 110, 78, 248, 63, 240, 189, 93, 92, 51, 53, 183, 19, 171, 72, 50, //
    33, 104, 101, 69, 8, 252, 83, 120, 76, 135, 85, 54, 202, 125, 188, 213, //
    96, 235, 136, 208, 162, 129, 190, 132, 156, 38, 47, 1, 7, 254, 24, 4, //
    216, 131, 89, 21, 28, 133, 37, 153, 149, 80, 170, 68, 6, 169, 234, 151,
];

/// Which active peer a query belongs to in load-balancing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Even hash.
    Primary,
    /// Odd hash.
    Secondary,
}

impl Owner {
    /// Kea's role word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }

    /// The owner of a hash: its parity (Kea takes the hash modulo the two active servers).
    pub const fn of(hash: u8) -> Self {
        if hash.is_multiple_of(2) { Self::Primary } else { Self::Secondary }
    }
}

/// The hash of a key, 0..=255.
///
/// The seed is the key's length modulo 256 and the bytes are taken last to
/// first (RFC 3074 §6, textually unchanged in every Kea release since 1.4.0).
pub fn loadb_hash(key: &[u8]) -> u8 {
    key.iter().rev().fold(key.len() as u8, |hash, byte| {
        // The table has an entry for every byte, so the default is never taken.
        MIXING.get(usize::from(hash ^ byte)).copied().unwrap_or_default()
    })
}

/// The bytes that Kea hashes for a DHCPv4 query: the whole option 61 when it
/// is present and not empty, else `chaddr` cut to `hlen`.
///
/// `hlen` 17 to 20 gives the 16 bytes of `chaddr` padded with zeros; above 20
/// Kea cannot parse the packet. `None` means that no peer owns the query.
pub fn hash_key(client_id: Option<&[u8]>, chaddr: &HwAddr, hlen: u8) -> Option<Vec<u8>> {
    with_key(client_id, chaddr, hlen, <[u8]>::to_vec)
}

/// The hash of a query's [`hash_key`].
pub fn of_identifier(client_id: Option<&[u8]>, chaddr: &HwAddr, hlen: u8) -> Option<u8> {
    with_key(client_id, chaddr, hlen, loadb_hash)
}

fn with_key<T>(
    client_id: Option<&[u8]>,
    chaddr: &HwAddr,
    hlen: u8,
    then: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    if let Some(id) = client_id.filter(|id| !id.is_empty()) {
        return Some(then(id));
    }
    if hlen == 0 {
        return None;
    }
    let mut key = [0; 20];
    for (to, from) in key.iter_mut().zip(chaddr.as_bytes()) {
        *to = *from;
    }
    key.get(..usize::from(hlen)).map(then)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::parse_hex;

    /// Vectors computed outside this project and checked against Kea's and
    /// ISC dhcpd's own functions (kea-ha reference, test vectors).
    #[test]
    fn known_vectors() {
        let vectors: [(&str, usize, u8); 26] = [
            ("010203040506", 1, 179),
            ("112233445566", 1, 66),
            ("001122334455", 1, 135),
            ("001122334456", 1, 34),
            ("525400123456", 1, 156),
            ("08002b023f4e", 1, 249),
            ("000000000000", 1, 254),
            ("ffffffffffff", 1, 79),
            ("aabbccddeeff", 1, 57),
            ("ffeeddccbbaa", 1, 21),
            ("00", 1, 175),
            ("010203040506000000000000000000000000", 1, 17),
            ("01001122334455", 1, 223),
            ("01525400123456", 1, 253),
            ("0108002b023f4e", 1, 184),
            ("01010203040506", 1, 198),
            ("00686f7374", 1, 46),
            ("ff12345678000100012a3b4c5d001122334455", 1, 101),
            ("ff00112233000200000ab1deadbeef", 1, 17),
            ("61", 1, 20),
            ("000100012a3b4c5d001122334455", 1, 150),
            ("00030001001122334455", 1, 238),
            ("000200000ab1deadbeef", 1, 160),
            ("0004f81d4fae7dec11d0a76500a0c91e6bf6", 1, 124),
            ("ab", 256, 219),
            ("ab", 300, 244),
        ];
        for (hex, times, expected) in vectors {
            let key = parse_hex(hex).unwrap().repeat(times);
            assert_eq!(loadb_hash(&key), expected, "{hex} x {times}");
        }
    }

    #[test]
    fn the_mixing_table_is_a_permutation() {
        let mut seen = [false; 256];
        for byte in MIXING {
            assert!(!std::mem::replace(&mut seen[usize::from(byte)], true), "{byte} twice");
        }
    }

    #[test]
    fn option_61_wins_and_lengths_follow_kea() {
        let mac = HwAddr::new(&[0, 0x11, 0x22, 0x33, 0x44, 0x55]);
        assert_eq!(hash_key(Some(&[0x61]), &mac, 6).as_deref(), Some(&[0x61][..]));
        assert_eq!(loadb_hash(&hash_key(Some(&[]), &mac, 6).unwrap()), 135);
        assert_eq!(hash_key(None, &HwAddr::default(), 0), None);
        assert_eq!(hash_key(None, &mac, 21), None);
        let long = HwAddr::new(&[1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(loadb_hash(&hash_key(None, &long, 18).unwrap()), 17);
    }
}
