//! Lines of the control channel in a script:
//!
//! ```text
//! LABEL SECONDS ZONE control FROM TO COMMAND [key=value…]
//! ```
//!
//! `FROM` posts the command to port 8000 of `TO`, which answers a millisecond
//! later. The request is frame `LABEL?`, the answer `LABEL`. Keys: `result`
//! (0), `state`, `scopes` (with commas), `mac` and `ip` of the lease. `refused`
//! in place of a command is a connection that is refused. Every line is a
//! connection of its own, open since before the capture: Kea keeps them open.

use std::net::Ipv4Addr;

use etherparse::PacketBuilder;

use super::script::{Cast, Frame};

const PORT: u16 = 8000;

/// The next byte of the client and of the server before a line.
const CLIENT_SEQ: u32 = 1000;
const SERVER_SEQ: u32 = 5000;

type End = (Ipv4Addr, u16);

/// A segment; `seq` is its own number and the one that it acknowledges.
fn segment(from: End, to: End, flags: &str, seq: (u32, u32), payload: &str) -> Vec<u8> {
    let mut builder = PacketBuilder::ethernet2([2, 0, 0, 0, 1, 1], [2, 0, 0, 0, 1, 2])
        .ipv4(from.0.octets(), to.0.octets(), 64)
        .tcp(from.1, to.1, seq.0, 65_000);
    for flag in flags.chars() {
        builder = match flag {
            'S' => builder.syn(),
            'R' => builder.rst(),
            'P' => builder.psh(),
            _ => builder.ack(seq.1),
        };
    }
    let mut bytes = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut bytes, payload.as_bytes()).unwrap();
    bytes
}

fn http(head: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    format!("{head}\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n{body}", body.len())
}

/// The two frames of a line; `order` makes every connection one of its own.
pub fn frames(cast: &Cast, [label, zone]: [&str; 2], ns: i64, words: &[&str], order: usize) -> [Frame; 2] {
    let [from, to, command, settings @ ..] = words else { panic!("too short: {words:?}") };
    let client = (cast.hosts[*from], 20_000 + (order % 40_000) as u16);
    let server = (cast.hosts[*to], PORT);
    let (mut result, mut ask, mut say) = (0, serde_json::Map::new(), serde_json::Map::new());
    for (key, value) in settings.iter().map(|word| word.split_once('=').unwrap()) {
        match key {
            "result" => result = value.parse::<i64>().unwrap(),
            "state" => drop(say.insert("state".to_owned(), value.into())),
            "scopes" => {
                let scopes: Vec<&str> = value.split(',').filter(|scope| !scope.is_empty()).collect();
                say.insert("scopes".to_owned(), scopes.into());
            }
            "mac" => drop(ask.insert("hw-address".to_owned(), value.into())),
            "ip" => drop(ask.insert("ip-address".to_owned(), value.into())),
            _ => panic!("unknown key {key}"),
        }
    }
    let (request, answer) = if *command == "refused" {
        let syn = segment(client, server, "S", (CLIENT_SEQ, 0), "");
        (syn, segment(server, client, "RA", (0, CLIENT_SEQ + 1), ""))
    } else {
        let call = serde_json::json!({ "command": command, "service": ["dhcp4"], "arguments": ask });
        let reply = serde_json::json!([{ "result": result, "text": "said", "arguments": say }]);
        let (call, reply) = (http("POST / HTTP/1.1", &call), http("HTTP/1.1 200 OK", &reply));
        let asked = CLIENT_SEQ + call.len() as u32;
        let call = segment(client, server, "PA", (CLIENT_SEQ, SERVER_SEQ), &call);
        (call, segment(server, client, "PA", (SERVER_SEQ, asked), &reply))
    };
    let frame = |label: String, ns, bytes| Frame {
        label,
        ns,
        place: (zone.to_owned(), String::new()),
        message: None,
        bytes: Some(bytes),
    };
    [frame(format!("{label}?"), ns, request), frame(label.to_owned(), ns + 1_000_000, answer)]
}
