//! DHCP messages and the frames that carry them.

use super::frames::{BROADCAST, CLIENT, udp};

/// The server of these messages.
pub const SERVER: [u8; 4] = [192, 168, 4, 5];
/// What it gives.
pub const ADDRESS: [u8; 4] = [192, 168, 4, 100];

/// A message with these options, each a code and its value.
pub fn message(op: u8, xid: u32, chaddr: [u8; 6], yiaddr: [u8; 4], options: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![op, 1, 6, 0];
    bytes.extend(xid.to_be_bytes());
    // secs and flags (broadcast), then ciaddr.
    bytes.extend([0, 0, 0x80, 0, 0, 0, 0, 0]);
    bytes.extend(yiaddr);
    bytes.extend([0; 8]);
    bytes.extend(chaddr);
    bytes.resize(236, 0);
    bytes.extend([0x63, 0x82, 0x53, 0x63]);
    for (code, value) in options {
        bytes.extend([*code, value.len() as u8]);
        bytes.extend(*value);
    }
    bytes.push(255);
    bytes.resize(bytes.len().max(300), 0);
    bytes
}

/// A broadcast between the ports of client and server: from the client where `op` is 1.
pub fn frame(op: u8, message: &[u8]) -> Vec<u8> {
    let (source, mac, from, to) =
        if op == 1 { ([0; 4], CLIENT, 68, 67) } else { (SERVER, [2, 0, 0, 0, 4, 5], 67, 68) };
    let payload = udp(from, to, message);
    let mut packet = vec![0x45, 0];
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, 17, 0, 0]);
    packet.extend(source);
    packet.extend([255; 4]);
    packet.extend(payload);
    let mut bytes = BROADCAST.to_vec();
    bytes.extend(mac);
    bytes.extend([8, 0]);
    bytes.extend(packet);
    bytes
}

/// DISCOVER, OFFER, REQUEST, ACK of a client that sends these options in each of its messages.
pub fn dora(xid: u32, chaddr: [u8; 6], own: &[(u8, &[u8])]) -> [Vec<u8>; 4] {
    let client = |kind: u8, further: &[(u8, &[u8])]| {
        let kind = [kind];
        let options = [&[(53, &kind[..])], own, further].concat();
        frame(1, &message(1, xid, chaddr, [0; 4], &options))
    };
    let server = |kind: u8| {
        let (kind, lease) = ([kind], 3600u32.to_be_bytes());
        let options: [(u8, &[u8]); 3] = [(53, &kind), (54, &SERVER), (51, &lease)];
        frame(2, &message(2, xid, chaddr, ADDRESS, &options))
    };
    [client(1, &[]), server(2), client(3, &[(50, &ADDRESS), (54, &SERVER)]), server(5)]
}
