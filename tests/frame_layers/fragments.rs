//! IPv4 fragments of DHCP messages: order, repetition, contradiction, limits.

use dorascope::frame::{Decoder, Skip};
use dorascope::units::SECOND;

use super::{datagram, decode, message};
use crate::support::frames::{fragment, udp};

/// The fragments of one DHCP message: two of 120 bytes and the rest.
fn fragments(id: u16) -> [Vec<u8>; 3] {
    let whole = udp(67, 68, &message());
    let part = |from: usize, to: usize| {
        let more = if to < whole.len() { 0x2000 } else { 0 };
        fragment(17, id, more | (from / 8) as u16, &whole[from..to])
    };
    [part(0, 120), part(120, 240), part(240, whole.len())]
}

#[test]
fn fragments_in_any_order_give_the_datagram_once() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (mut decoder, parts) = (Decoder::new(), fragments(5));
        for index in &order[..2] {
            // A mirror port may show each fragment twice.
            for _ in 0..2 {
                assert_eq!(decode(&mut decoder, 101, 0, &parts[*index]), Err(Skip::FragmentHeld));
            }
        }
        let whole = datagram(decode(&mut decoder, 101, 0, &parts[order[2]])).unwrap();
        assert_eq!(*whole.payload, *message(), "{order:?}");
        assert_eq!((whole.src_port, whole.dst_port, whole.cut), (67, 68, false));
        assert_eq!((decoder.fragments().reassembled, decoder.fragments().waiting), (1, 0));
    }
}

#[test]
fn fragments_that_contradict_each_other_are_dropped() {
    let [first, second, last] = fragments(5);
    let mut other = second.clone();
    other[30] ^= 1;
    let mut decoder = Decoder::new();
    decode(&mut decoder, 101, 0, &first).unwrap_err();
    decode(&mut decoder, 101, 0, &second).unwrap_err();
    assert_eq!(decode(&mut decoder, 101, 0, &other), Err(Skip::FragmentConflict));
    assert_eq!(decode(&mut decoder, 101, 0, &last), Err(Skip::FragmentHeld), "nothing is left of it");
    // The ping of death: an end beyond 65,535 bytes.
    let beyond = fragment(17, 6, 0x1fff, &[0; 64]);
    assert_eq!(decode(&mut decoder, 101, 0, &beyond), Err(Skip::FragmentConflict));
    assert_eq!(decoder.fragments().conflicting, 2);
}

#[test]
fn waiting_fragments_are_bounded_in_age_and_number() {
    let (mut decoder, [first, second, last]) = (Decoder::new(), fragments(5));
    decode(&mut decoder, 101, 0, &first).unwrap_err();
    decode(&mut decoder, 101, 0, &second).unwrap_err();
    assert_eq!(decode(&mut decoder, 101, 31 * SECOND, &last), Err(Skip::FragmentHeld));
    assert_eq!(decoder.fragments().expired, 1);
    for id in 0..2000 {
        decode(&mut decoder, 101, 32 * SECOND, &fragment(17, id, 0x3f40, &[0; 1000])).unwrap_err();
    }
    let counts = decoder.fragments();
    assert!(counts.waiting <= 256 && counts.evicted >= 1700, "{counts:?}");
}

#[test]
fn fragments_of_other_ports_and_protocols_are_not_held() {
    let mut decoder = Decoder::new();
    let whole = udp(2049, 700, &[1; 100]);
    let first = fragment(17, 1, 0x2000, &whole[..80]);
    assert_eq!(decode(&mut decoder, 101, 0, &first), Err(Skip::UdpOther));
    assert_eq!(decode(&mut decoder, 101, 0, &fragment(17, 1, 10, &whole[80..])), Err(Skip::FragmentOther));
    assert_eq!(decode(&mut decoder, 101, 0, &fragment(6, 2, 0x2000, &[0; 80])), Err(Skip::FragmentOther));
    assert_eq!(decode(&mut decoder, 101, 0, &fragment(1, 2, 0x2000, &[0; 80])), Err(Skip::Icmp));
}

#[test]
fn a_fragment_cut_by_a_snap_length_shows_what_it_has() {
    let [first, second, _] = fragments(5);
    let found = datagram(decode(&mut Decoder::new(), 101, 0, &first[..100])).unwrap();
    assert!(found.cut && found.payload.len() == 72);
    assert_eq!(decode(&mut Decoder::new(), 101, 0, &second[..100]), Err(Skip::FragmentCut));
}
