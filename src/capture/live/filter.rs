//! Which frames the kernel hands over.

/// Ports of control channels that are captured where no configuration names any: those of Kea's examples.
pub const GUESSED_PORTS: &str = "portrange 8000-8010";

/// DHCP, the fragments behind the first one of a datagram, and the control channel on these ports,
/// all of it also inside one and two VLAN tags.
///
/// `vlan` moves the offsets of everything behind it in an expression (pcap-filter(7)),
/// so what is wanted is written once for each depth.
pub fn default_filter(control_ports: &[u16]) -> String {
    let mut control: Vec<String> = control_ports.iter().map(|port| format!("tcp port {port}")).collect();
    if control.is_empty() {
        control.push(format!("tcp {GUESSED_PORTS}"));
    }
    let fragments = "(udp and ip[6:2] & 0x1fff != 0)";
    let wanted = format!("(udp port 67 or udp port 68 or {fragments} or {})", control.join(" or "));
    format!("{wanted} or (vlan and {wanted}) or (vlan and {wanted})")
}
