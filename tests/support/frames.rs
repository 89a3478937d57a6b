//! Frames, layer by layer, from the inside out.

pub const CLIENT: [u8; 6] = [0x08, 0x00, 0x27, 0xa2, 0x00, 0x01];
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// A UDP datagram.
pub fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for n in [src, dst, 8 + payload.len() as u16, 0] {
        bytes.extend(n.to_be_bytes());
    }
    bytes.extend(payload);
    bytes
}

/// A TCP segment with sequence number 7, acknowledgment 9 and PSH+ACK.
pub fn tcp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(src.to_be_bytes());
    bytes.extend(dst.to_be_bytes());
    bytes.extend([0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    bytes
}

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2.
pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    fragment(protocol, 1, 0, payload)
}

/// An IPv4 packet with this identification, and flags and offset in 8-byte units.
pub fn fragment(protocol: u8, id: u16, flags_offset: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + payload.len() as u16).to_be_bytes());
    bytes.extend(id.to_be_bytes());
    bytes.extend(flags_offset.to_be_bytes());
    bytes.extend([64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    bytes.extend(payload);
    bytes
}

/// An Ethernet frame from [`CLIENT`] to everybody.
pub fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = BROADCAST.to_vec();
    bytes.extend(CLIENT);
    bytes.extend(ether_type.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A UDP datagram from port 68 to 67 in an IPv4 packet.
pub fn dhcp_packet(payload: &[u8]) -> Vec<u8> {
    ipv4(17, &udp(68, 67, payload))
}

/// The same in an Ethernet frame.
pub fn dhcp_frame(payload: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &dhcp_packet(payload))
}
