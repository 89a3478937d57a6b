//! The clients that a server counts while its partner is silent (kea-ha §3.4, §3.6).

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::units::HwAddr;

/// Whether a client has waited too long: `secs`, already repaired
/// ([`repair_secs`](crate::exchange::observed::repair_secs)), is strictly above
/// `max-ack-delay` (kea-ha §3.4).
pub const fn is_unacked(secs: u16, max_ack_delay_ms: u32) -> bool {
    secs as u64 * 1000 > max_ack_delay_ms as u64
}

/// Clients that are still missing before the partner counts as failed, as
/// Kea's log prints it: with a limit of 10 the first unacked client leaves 10,
/// the eleventh none (kea-ha §3.6).
pub const fn unacked_left(total: u32, max_unacked_clients: u32) -> u32 {
    if total > max_unacked_clients { 0 } else { (max_unacked_clients - total).saturating_add(1) }
}

/// Whom Kea takes for one client: hardware address and option 61, empty when
/// there is none (kea-ha §3.6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClientKey(pub HwAddr, pub SmallVec<[u8; 16]>);

/// What counting one query changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// A client that was not known, and has not waited long.
    New,
    /// This query made the client unacked, known or not.
    Unacked,
    /// Nothing changed.
    Known,
}

/// The clients counted since the last good heartbeat.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    known: HashMap<ClientKey, bool>,
    unacked: u32,
}

impl Clients {
    /// Counts a query. A known client can only become unacked, never be forgiven.
    pub fn note(&mut self, client: ClientKey, unacked: bool) -> Noted {
        let known = self.known.get(&client).copied();
        match known {
            Some(true) => Noted::Known,
            Some(false) if !unacked => Noted::Known,
            _ => {
                self.known.insert(client, unacked);
                self.unacked = self.unacked.saturating_add(u32::from(unacked));
                if unacked { Noted::Unacked } else { Noted::New }
            }
        }
    }

    /// Clients counted.
    pub fn len(&self) -> u32 {
        u32::try_from(self.known.len()).unwrap_or(u32::MAX)
    }

    /// Whether none was counted.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Those of them that have waited too long.
    pub const fn unacked(&self) -> u32 {
        self.unacked
    }

    /// Whether the traffic shows a failure: a limit of 0 asks for none (kea-ha §3.1).
    pub const fn failure_detected(&self, max_unacked_clients: u32) -> bool {
        max_unacked_clients == 0 || self.unacked > max_unacked_clients
    }

    /// A good heartbeat forgets everybody; nothing else does (kea-ha §3.2).
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::observed::repair_secs;

    /// The values of Kea's own unit tests (kea-ha §3.4), threshold 10000, and the threshold's edge.
    #[test]
    fn secs_are_those_of_keas_unit_tests() {
        for (wire, repaired, unacked) in [
            (15, 15, true),
            (9, 9, false),
            (6, 6, false),
            (0x0500, 5, false),
            (0x0f00, 15, true),
            (0x0501, 1281, true),
            (0x0030, 48, true),
            (10, 10, false),
            (11, 11, true),
            // Genuine multiples of 256 are taken for swapped bytes; 255 is below the test.
            (256, 1, false),
            (255, 255, true),
            (0x2c01, 0x2c01, true),
            (u16::MAX, u16::MAX, true),
        ] {
            assert_eq!(repair_secs(wire), repaired);
            assert_eq!(is_unacked(repaired, 10_000), unacked, "{wire}");
        }
        assert!(!is_unacked(5, 5000) && is_unacked(6, 5000));
        assert!(is_unacked(1, 0) && !is_unacked(0, 0));
    }

    #[test]
    fn left_is_what_kea_prints() {
        // "With max 10: first unacked prints total 1, left 10; the 11th prints total 11, left 0."
        for (total, left) in [(1, 10), (2, 9), (10, 1), (11, 0), (12, 0)] {
            assert_eq!(unacked_left(total, 10), left);
        }
        assert_eq!(unacked_left(0, u32::MAX), u32::MAX);
    }

    #[test]
    fn a_client_only_becomes_unacked() {
        let key = |last: u8, id: &[u8]| ClientKey(HwAddr::new(&[8, 0, 0x27, 0, 0, last]), id.into());
        let mut clients = Clients::default();
        assert_eq!(clients.note(key(1, b""), false), Noted::New);
        assert_eq!(clients.note(key(1, b""), false), Noted::Known);
        assert_eq!(clients.note(key(1, b""), true), Noted::Unacked);
        assert_eq!(clients.note(key(1, b""), true), Noted::Known);
        assert_eq!(clients.note(key(1, b""), false), Noted::Known, "never back");
        // The same hardware address with a client identifier is another client.
        assert_eq!(clients.note(key(1, b"\x01a"), true), Noted::Unacked);
        assert_eq!((clients.len(), clients.unacked()), (2, 2));
        assert!(!clients.failure_detected(2) && clients.failure_detected(1) && clients.failure_detected(0));
        clients.clear();
        assert!(clients.is_empty() && clients.unacked() == 0);
        assert!(!clients.failure_detected(10) && clients.failure_detected(0));
    }
}
