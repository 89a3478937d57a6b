//! The control channel: heartbeats and lease updates over one TCP connection each way, byte for byte what Kea
//! 2.6.3 wrote in captures/load-balancing, other than names and numbers.

use chrono::DateTime;

use super::bytes::{self, End, Segment};
use super::client::Client;
use super::world::{LEASE, Mode, Server};

/// Both directions.
pub struct Channel {
    links: [Link; 2],
    /// Frames that are not written yet, with their times.
    pub ready: Vec<(u64, Vec<u8>)>,
}

/// The connection on which one server asks the other.
struct Link {
    from: End,
    to: End,
    /// Next sequence number of each side.
    sent: u32,
    answered: u32,
    open: bool,
}

impl Default for Channel {
    fn default() -> Self {
        let link = |server: Server, port| Link {
            from: End { port, ..server.end() },
            to: server.partner().end(),
            sent: 0xc9c7_0882,
            answered: 0x4e63_c714,
            open: false,
        };
        Self { links: [link(Server::One, 51_058), link(Server::Two, 47_236)], ready: Vec::new() }
    }
}

impl Channel {
    /// Both servers ask each other how they are.
    pub fn heartbeats(&mut self, mode: Mode, at: u64) {
        for (delay, server) in [(0, Server::One), (40_000, Server::Two)] {
            let request = format!(
                r#"{{ "arguments": {{ "server-name": "{}" }}, "command": "ha-heartbeat", "service": [ "dhcp4" ] }}"#,
                server.name()
            );
            let scopes = mode.scopes(server.partner());
            let answer = format!(
                r#"[ {{ "arguments": {{ "date-time": "{}", "scopes": [ {scopes} ], "state": "{}", "unsent-update-count": 0 }}, "result": 0, "text": "HA peer status returned." }} ]"#,
                date(at),
                mode.word()
            );
            self.ask(server, &request, &answer, at + delay);
        }
    }

    /// The server tells its partner of a lease before it sends the ACK.
    pub fn lease_update(&mut self, server: Server, client: &Client, at: u64) {
        let request = format!(
            r#"{{ "arguments": {{ "client-id": "{}", "expire": {}, "force-create": true, "fqdn-fwd": false, "fqdn-rev": false, "hostname": "c{:07x}", "hw-address": "{}", "ip-address": "{}", "origin": "ha-partner", "state": 0, "subnet-id": 1, "valid-lft": {LEASE} }}, "command": "lease4-update", "service": [ "dhcp4" ] }}"#,
            colons(&client.id()),
            at / 1_000_000_000 + u64::from(LEASE),
            client.number,
            colons(&client.mac),
            client.address(server),
        );
        self.ask(server, &request, r#"[ { "result": 0, "text": "IPv4 lease updated." } ]"#, at);
    }

    fn ask(&mut self, server: Server, request: &str, answer: &str, at: u64) {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n{request}",
            server.partner().ip(),
            request.len()
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Type: application/json\r\nDate: {}\r\n\r\n{answer}",
            answer.len(),
            date(at)
        );
        let link = &mut self.links[usize::from(server == Server::Two)];
        let ready = &mut self.ready;
        if !link.open {
            link.open = true;
            link.segment(ready, at, true, bytes::SYN, &[]);
            link.segment(ready, at + 2_000, false, bytes::SYN | bytes::ACK, &[]);
            link.segment(ready, at + 4_000, true, bytes::ACK, &[]);
        }
        link.segment(ready, at + 6_000, true, bytes::DATA, request.as_bytes());
        link.segment(ready, at + 20_000, false, bytes::DATA, answer.as_bytes());
        link.segment(ready, at + 22_000, true, bytes::ACK, &[]);
    }
}

impl Link {
    /// A segment from the side that asks, or from the other.
    fn segment(&mut self, ready: &mut Vec<(u64, Vec<u8>)>, at: u64, asks: bool, flags: u8, data: &[u8]) {
        let (from, to, seq, ack) = if asks {
            (self.from, self.to, &mut self.sent, self.answered)
        } else {
            (self.to, self.from, &mut self.answered, self.sent)
        };
        let mut options = vec![1, 1, 8, 10];
        let mut ack = ack;
        if flags & bytes::SYN != 0 {
            options = vec![2, 4, 5, 180, 4, 2, 8, 10];
            ack = if flags & bytes::ACK == 0 { 0 } else { ack };
        }
        options.extend_from_slice(&((at / 1_000_000) as u32).to_be_bytes());
        options.extend_from_slice(&((at / 1_000_000) as u32).to_be_bytes());
        if flags & bytes::SYN != 0 {
            options.extend_from_slice(&[1, 3, 3, 10]);
        }
        let mut frame = Vec::new();
        let segment = Segment { seq: *seq, ack, flags, options: &options };
        bytes::tcp(&mut frame, from, to, segment, data);
        ready.push((at, frame));
        *seq = seq.wrapping_add(data.len() as u32 + u32::from(flags & bytes::SYN != 0));
    }
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// The date of RFC 1123 for a time in nanoseconds.
fn date(at: u64) -> String {
    let time = DateTime::from_timestamp_nanos(at.cast_signed());
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
