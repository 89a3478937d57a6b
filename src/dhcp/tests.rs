#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use super::*;

/// A BOOTREQUEST header with the given `hlen`, the cookie and these option bytes.
fn message(hlen: u8, options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_LEN];
    bytes[..4].copy_from_slice(&[1, 1, hlen, 0]);
    bytes[4..8].copy_from_slice(&[0x76, 0x4a, 0x58, 0x74]);
    bytes[28..34].copy_from_slice(&[8, 0, 0x27, 0xa2, 0, 1]);
    bytes.extend(COOKIE);
    bytes.extend(options);
    bytes
}

fn codes(message: &Message<'_>) -> Vec<String> {
    message.anomalies.iter().map(ToString::to_string).collect()
}

#[test]
fn a_plain_discover_has_no_anomaly() {
    let bytes = message(6, &[53, 1, 1, 61, 7, 1, 8, 0, 0x27, 0xa2, 0, 1, 255, 0, 0]);
    let parsed = Message::parse(&bytes, false);
    assert_eq!(parsed.message_type(), Some(MessageType::DISCOVER));
    assert_eq!(parsed.xid().to_string(), "764a5874");
    assert_eq!(parsed.chaddr().to_string(), "08:00:27:a2:00:01");
    assert_eq!(parsed.client_id().unwrap().len(), 7);
    assert!(parsed.anomalies.is_empty(), "{:?}", parsed.anomalies);
}

#[test]
fn pads_are_single_bytes() {
    let bytes = message(6, &[0, 53, 1, 3, 0, 0, 0, 54, 4, 10, 0, 0, 1, 0, 255]);
    let parsed = Message::parse(&bytes, false);
    assert_eq!(parsed.server_id(), Some(Ipv4Addr::new(10, 0, 0, 1)));
    assert!(parsed.anomalies.is_empty());
}

#[test]
fn split_options_are_joined_in_rfc_3396_order() {
    // Option 12 in the options field, in file and in sname; option 52 = 3.
    let mut bytes = message(6, &[53, 1, 1, 52, 1, 3, 12, 1, b'a', 255]);
    bytes[108..113].copy_from_slice(&[12, 2, b'b', b'c', 255]);
    bytes[44..48].copy_from_slice(&[12, 1, b'd', 255]);
    let parsed = Message::parse(&bytes, false);
    assert_eq!(parsed.hostname().as_deref(), Some("abcd"));
    assert_eq!(parsed.options.get_in(12, Area::Options).as_deref(), Some(&b"a"[..]));
    assert!(parsed.anomalies.is_empty(), "{:?}", codes(&parsed));
}

#[test]
fn a_client_id_in_the_file_field_is_invisible_to_kea() {
    let mut bytes = message(6, &[53, 1, 1, 52, 1, 1, 255]);
    bytes[108..112].copy_from_slice(&[61, 1, 0x61, 255]);
    let parsed = Message::parse(&bytes, false);
    assert_eq!(parsed.client_id().as_deref(), Some(&[0x61][..]));
    assert_eq!(parsed.client_id_for_kea(), None);
}

#[test]
fn what_stands_before_a_bad_option_is_kept() {
    let bytes = message(6, &[53, 1, 5, 54, 4, 10, 0, 0, 1, 12, 200, b'x']);
    let parsed = Message::parse(&bytes, false);
    assert_eq!(parsed.server_id(), Some(Ipv4Addr::new(10, 0, 0, 1)));
    assert_eq!(codes(&parsed), ["option-truncated(12)@249", "op-mismatch@0"]);
    assert_eq!(codes(&Message::parse(&bytes, true)), ["cut-by-snaplen(12)@249", "op-mismatch@0"]);
}

#[test]
fn hostile_hlen_is_clamped() {
    for (hlen, len, code) in
        [(0, 0, "hlen-zero@2"), (255, 16, "hlen-too-long@2"), (17, 16, "hlen-too-long@2")]
    {
        let bytes = message(hlen, &[53, 1, 1, 255]);
        let parsed = Message::parse(&bytes, false);
        assert_eq!(parsed.chaddr().as_bytes().len(), len);
        assert_eq!(codes(&parsed), [code]);
    }
}

#[test]
fn lengths_overload_and_tail_are_checked() {
    let cases: [(&[u8], &str); 6] = [
        (&[53, 1, 1, 54, 3, 10, 0, 0, 255], "option-bad-length(54)@243"),
        (&[53, 1, 1, 61, 0, 255], "option-empty(61)@243"),
        (&[53, 1, 1, 52, 1, 9, 255], "overload-invalid(52)@243"),
        (&[53, 1, 1], "no-end-option@243"),
        (&[53, 1, 1, 255, 0, 7], "data-after-end@245"),
        (&[53, 1, 1, 82, 3, 1, 9, 9, 255], "relay-agent-truncated(82)@243"),
    ];
    for (options, code) in cases {
        assert_eq!(codes(&Message::parse(&message(6, options), false)), [code]);
    }
}

#[test]
fn bootp_and_broken_headers_are_messages_too() {
    let mut bytes = message(6, &[255]);
    bytes[HEADER_LEN] = 0;
    assert_eq!(codes(&Message::parse(&bytes, false)), ["bad-cookie@236"]);
    assert_eq!(codes(&Message::parse(&bytes[..HEADER_LEN], false)), ["no-cookie@236"]);
    assert_eq!(codes(&Message::parse(&bytes[..30], false)), ["header-truncated@30"]);
    assert_eq!(codes(&Message::parse(&bytes[..30], true)), ["cut-by-snaplen@30"]);
    assert_eq!(codes(&Message::parse(&message(6, &[255]), false)), ["no-message-type@240"]);
}

/// `dhcproto` is the oracle on well-formed messages: what it encodes, we read back.
#[test]
fn agrees_with_dhcproto_on_what_it_encodes() {
    use dhcproto::{Encodable, v4};
    let mut message = v4::Message::default();
    message.set_chaddr(&[8, 0, 0x27, 0xa2, 0, 1]).set_secs(7);
    let options = message.opts_mut();
    options.insert(v4::DhcpOption::MessageType(v4::MessageType::Request));
    options.insert(v4::DhcpOption::ServerIdentifier([192, 168, 4, 5].into()));
    options.insert(v4::DhcpOption::RequestedIpAddress([192, 168, 4, 100].into()));
    options.insert(v4::DhcpOption::Hostname("zaldua2bez1".into()));
    options.insert(v4::DhcpOption::AddressLeaseTime(3600));
    let bytes = message.to_vec().unwrap();
    let parsed = Message::parse(&bytes, false);
    assert_eq!(parsed.xid().0, message.xid());
    assert_eq!(parsed.secs(), 7);
    assert_eq!(parsed.message_type(), Some(MessageType::REQUEST));
    assert_eq!(parsed.server_id(), Some([192, 168, 4, 5].into()));
    assert_eq!(parsed.requested_ip(), Some([192, 168, 4, 100].into()));
    assert_eq!(parsed.hostname().as_deref(), Some("zaldua2bez1"));
    assert_eq!(parsed.lease_s(), Some(3600));
    for code in 1..u8::MAX {
        let theirs = dhcproto::v4::MessageType::from(code);
        if let Some(name) = MessageType(code).name() {
            let theirs = format!("{theirs:?}").to_uppercase();
            assert_eq!(theirs, name, "{code}");
        }
    }
}

#[test]
fn options_have_their_usual_names() {
    assert_eq!(option_name(code::HOSTNAME).as_deref(), Some("Hostname"));
    assert_eq!(option_name(code::SERVER_ID).as_deref(), Some("ServerIdentifier"));
    assert_eq!(option_name(250), None);
}

#[test]
fn random_bytes_never_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..20_000 {
        let mut bytes = message(6, &[]);
        for _ in 0..round % 90 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push(state as u8);
        }
        bytes[2] = state as u8;
        bytes.truncate((state >> 8) as usize % (bytes.len() + 1));
        let parsed = Message::parse(&bytes, state & 1 == 0);
        let _ = (parsed.chaddr(), parsed.relay_info(), parsed.client_id(), parsed.vendor_class());
    }
}

#[test]
fn packed_anomalies_come_back() {
    for kind in AnomalyKind::ALL {
        for anomaly in
            [Anomaly::at(kind, 300), Anomaly::of_option(kind, 7, 0), Anomaly::of_option(kind, 1 << 20, 255)]
        {
            assert_eq!(Anomaly::unpack(anomaly.pack()), Some(anomaly));
        }
    }
}
