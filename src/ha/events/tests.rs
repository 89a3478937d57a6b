use super::*;
use crate::frame::Link;

const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 2), 8000);
const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

fn push(
    reader: &mut ControlReader<'_>,
    seconds: i64,
    port: u16,
    to_server: bool,
    flags: u8,
    body: &str,
) -> bool {
    let head = if to_server { "POST / HTTP/1.1" } else { "HTTP/1.1 200 OK" };
    let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let ((src, src_port), (dst, dst_port)) =
        if to_server { ((PEER, port), SERVER) } else { (SERVER, (PEER, port)) };
    let payload = if body.is_empty() { &[] } else { text.as_bytes() };
    let link = Link::default();
    let segment = Segment { link, src, dst, src_port, dst_port, seq: 1, ack: 1, flags, payload, cut: false };
    reader.push(&segment, CaptureTime(seconds * SECOND), FrameRef::default())
}

#[test]
fn a_partner_that_is_off_for_days_does_not_fill_the_table() {
    let topology = Topology::default();
    let mut reader = ControlReader::new(&topology);
    let heartbeat = r#"{ "command": "ha-heartbeat" }"#;
    assert!(push(&mut reader, 0, 40_000, true, ACK, heartbeat));
    // Every attempt comes from another port and is never answered.
    for n in 0..3 * FLOW_CAP {
        push(&mut reader, 10 + 10 * i64::try_from(n).unwrap(), n as u16, true, SYN, "");
        assert!(reader.opening.len() + reader.pending.len() <= FLOW_CAP);
    }
    let back = 100 * i64::try_from(FLOW_CAP).unwrap();
    push(&mut reader, back, 41_000, true, ACK, heartbeat);
    push(&mut reader, back + 1, 41_000, false, ACK, r#"[ { "result": 0 } ]"#);
    let events = reader.finish();
    let results: Vec<_> = events.iter().map(|event| (event.request_time.0 / SECOND, event.result)).collect();
    assert_eq!(results, [(0, None), (back, Some(0))], "the lost request is told, the answered one too");
}
