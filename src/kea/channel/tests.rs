use super::*;

/// Everything that a direction says, given in pieces of so many bytes.
fn heard(mut reader: Reader, bytes: &[u8], size: usize) -> Vec<Heard> {
    let mut all = Vec::new();
    for mut piece in bytes.chunks(size) {
        while !piece.is_empty() {
            all.extend(reader.read(&mut piece));
        }
    }
    all.extend(reader.end());
    all
}

fn requests(bytes: &[u8]) -> Vec<Heard> {
    let whole = heard(Reader::of_requests(), bytes, usize::MAX);
    for size in [1, 2, 7] {
        assert_eq!(heard(Reader::of_requests(), bytes, size), whole, "in pieces of {size}");
    }
    whole
}

fn answers(bytes: &[u8]) -> Vec<Heard> {
    let whole = heard(Reader::of_answers(), bytes, usize::MAX);
    for size in [1, 2, 7] {
        assert_eq!(heard(Reader::of_answers(), bytes, size), whole, "in pieces of {size}");
    }
    whole
}

fn post(body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: 192.168.42.4\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn request(body: &str) -> (Request, Vec<Anomaly>) {
    match requests(post(body).as_bytes()).as_slice() {
        [Heard::Message(Some(Control::Request(request)), anomalies)] => (request.clone(), anomalies.clone()),
        other => panic!("{other:?}"),
    }
}

fn response(body: &str) -> (Response, Vec<Anomaly>) {
    match answers(ok(body).as_bytes()).as_slice() {
        [Heard::Message(Some(Control::Response(response)), anomalies)] => {
            (response.clone(), anomalies.clone())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_a_heartbeat_and_its_answer() {
    let body = r#"{ "arguments": { "server-name": "zaldua1zerb2" }, "command": "ha-heartbeat", "service": [ "dhcp4" ] }"#;
    let (heartbeat, anomalies) = request(body);
    assert_eq!((&*heartbeat.command, anomalies), ("ha-heartbeat", vec![]));
    assert_eq!(heartbeat.server_name.as_deref(), Some("zaldua1zerb2"));
    let cut = post(body);
    assert_eq!(requests(&cut.as_bytes()[..cut.len() - 1]), [Heard::Broken(Anomaly::MessageCut)]);

    let (answer, _) = response(
        r#"[ { "arguments": { "date-time": "Sun, 22 Nov 2026 14:04:41 GMT", "scopes": [ "zaldua1zerb1" ], "state": "hot-standby", "unsent-update-count": 15 }, "result": 0, "text": "HA peer status returned." } ]"#,
    );
    assert_eq!((answer.status, answer.result, answer.state.as_deref()), (200, Some(0), Some("hot-standby")));
    assert_eq!(answer.scopes.as_deref(), Some(&["zaldua1zerb1".to_owned()][..]));
    assert_eq!(answer.unsent_update_count, Some(15));
    // date -u -d '2026-11-22 14:04:41' +%s
    assert_eq!(answer.date_time, Some(crate::units::CaptureTime(1_795_356_281_000_000_000)));
    assert_eq!(answer.text.as_deref(), Some("HA peer status returned."));
}

#[test]
fn reads_the_arguments_of_every_version() {
    // Kea 2.2 sends no arguments with a heartbeat, and no origin-id.
    let (heartbeat, _) = request(r#"{ "command": "ha-heartbeat", "service": [ "dhcp4" ] }"#);
    assert_eq!(heartbeat.server_name, None);
    let (disable, _) = request(
        r#"{ "arguments": { "max-period": 60, "origin": "ha-partner" }, "command": "dhcp-disable" }"#,
    );
    assert_eq!(
        (disable.max_period, disable.origin.as_deref(), disable.origin_id),
        (Some(60), Some("ha-partner"), None)
    );
    let (notify, _) = request(
        r#"{ "arguments": { "origin": 2000, "origin-id": 2000, "server-name": "a" }, "command": "ha-sync-complete-notify" }"#,
    );
    assert_eq!((notify.origin.as_deref(), notify.origin_id), (Some("2000"), Some(2000)));
    let (page, _) =
        request(r#"{ "arguments": { "from": "start", "limit": 10000 }, "command": "lease4-get-page" }"#);
    assert_eq!((page.from.as_deref(), page.limit), (Some("start"), Some(10_000)));
    let (maintenance, _) = request(
        r#"{ "arguments": { "cancel": true, "state": "hot-standby" }, "command": "ha-maintenance-notify" }"#,
    );
    assert_eq!((maintenance.cancel, maintenance.state.as_deref()), (Some(true), Some("hot-standby")));
    let (bulk, _) = response(
        r#"[ { "arguments": { "failed-deleted-leases": [ {"result":3} ], "failed-leases": [ {"type":"IA_NA"}, {"type":"IA_PD"} ] }, "result": 0 } ]"#,
    );
    assert_eq!(bulk.failed_leases, Some(3));
}

#[test]
fn reads_a_bare_error_and_a_lease_update() {
    let body = r#"{ "result": 403, "text": "Forbidden" }"#;
    let bytes = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let [Heard::Message(Some(Control::Response(answer)), _)] = &answers(bytes.as_bytes())[..] else {
        panic!()
    };
    assert_eq!((answer.status, answer.result, answer.text.as_deref()), (403, Some(403), Some("Forbidden")));

    let (update, _) = request(
        r#"{"command":"lease4-update","arguments":{"ip-address":"192.168.4.100","hw-address":"08:00:27:a2:00:01","client-id":"01:08","state":0,"subnet-id":7,"valid-lft":600,"user-context":{"state":9,"ISC":{}}}}"#,
    );
    assert_eq!(update.ip, Some([192, 168, 4, 100].into()));
    assert_eq!(update.hw_address.unwrap().to_string(), "08:00:27:a2:00:01");
    assert_eq!(update.client_id.as_deref(), Some(&[1, 8][..]));
    assert_eq!((update.subnet_id, update.valid_lft, update.lease_state), (Some(7), Some(600), Some(0)));
}

#[test]
fn a_command_for_dhcpv6_is_not_for_us() {
    for (service, ours) in [("[ \"dhcp6\" ]", false), ("[ \"dhcp4\" ]", true), ("[]", true)] {
        let (heartbeat, _) = request(&format!(r#"{{ "command": "ha-heartbeat", "service": {service} }}"#));
        assert_eq!(heartbeat.dhcp4, ours, "{service}");
    }
}

#[test]
fn messages_follow_one_another() {
    let two = post(r#"{"command":"a"}"#) + &post(r#"{"command":"b"}"#) + "\r\n" + &post(r#"{"command":"c"}"#);
    let commands: Vec<_> = requests(two.as_bytes())
        .into_iter()
        .map(|heard| match heard {
            Heard::Message(Some(Control::Request(request)), _) => request.command,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(commands, ["a", "b", "c"]);
}

#[test]
fn bodies_in_chunks_without_length_and_without_body() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n[ {\r\n12\r\n \"result\": 0 } ]  \r\n0\r\nX: y\r\n\r\n";
    let until_end = "HTTP/1.1 200 OK\r\n\r\n[ { \"result\": 3 } ]";
    let interim = format!("HTTP/1.1 100 Continue\r\n\r\n{}", ok(r#"{"result":1}"#));
    let none = "HTTP/1.1 204 No Content\r\n\r\n";
    for (bytes, result) in
        [(chunked, Some(0)), (until_end, Some(3)), (interim.as_str(), Some(1)), (none, None)]
    {
        let [Heard::Message(Some(Control::Response(answer)), anomalies)] = &answers(bytes.as_bytes())[..]
        else {
            panic!("{bytes}")
        };
        assert_eq!((answer.result, anomalies.as_slice()), (result, &[][..]), "{bytes}");
    }
}

#[test]
fn heads_that_cannot_be_trusted() {
    let cases = [
        ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", Anomaly::HeadBroken),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", Anomaly::HeadBroken),
        ("POST / HTTP/9\r\n\r\n", Anomaly::HeadBroken),
        ("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", Anomaly::LengthConflict),
        ("POST / HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n", Anomaly::BodyTooLong),
        ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", Anomaly::BodyTooLong),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", Anomaly::ChunkBroken),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", Anomaly::BodyTooLong),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\n", Anomaly::ChunkBroken),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", Anomaly::ChunkBroken),
    ];
    for (bytes, anomaly) in cases {
        assert_eq!(requests(bytes.as_bytes()), [Heard::Broken(anomaly)], "{bytes}");
    }
    let long = format!("POST / HTTP/1.1\r\nX: {}", "x".repeat(100_000));
    assert_eq!(heard(Reader::of_requests(), long.as_bytes(), 1400), [Heard::Broken(Anomaly::HeadTooLong)]);
    let body = "{\"command\":\"a\"}";
    let both = format!(
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n{body}\r\n0\r\n\r\n"
    );
    let [Heard::Message(Some(_), anomalies)] = &requests(both.as_bytes())[..] else { panic!() };
    assert_eq!(anomalies, &[Anomaly::LengthConflict]);
}

#[test]
fn what_is_not_kea_is_no_command() {
    for bytes in ["GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n\r\n"] {
        assert_eq!(requests(bytes.as_bytes()), [Heard::Message(None, vec![])], "{bytes}");
    }
    assert_eq!(requests(post("{}").as_bytes()), [Heard::Message(None, vec![])]);
    assert_eq!(requests(post("a=b").as_bytes()), [Heard::Message(None, vec![Anomaly::JsonBroken])]);
    assert_eq!(requests(b"SSH-2.0-OpenSSH\r\n"), []);
    assert_eq!(requests(b"HTTP/1.1 200 OK\r\n\r\n"), []);
}

#[test]
fn the_next_message_is_found_after_a_hole() {
    let mut reader = Reader::of_answers();
    let bytes = ok(r#"{"result":0,"text":"HTTP/1.1 200 OK"}"#);
    let (mut first, second) = bytes.as_bytes().split_at(30);
    assert_eq!(reader.read(&mut first), None);
    assert_eq!(reader.lost(), Some(Heard::Broken(Anomaly::MessageCut)));
    // The rest of the lost message says nothing, nor does what looks like a head inside it.
    let mut rest = &second[10..];
    assert_eq!(reader.read(&mut rest), None);
    assert!(reader.is_between() && rest.is_empty());
    let mut next = bytes.as_bytes();
    assert!(matches!(reader.read(&mut next), Some(Heard::Message(Some(_), _))));
}

#[test]
fn a_page_of_leases_is_skimmed() {
    let lease = r#"{ "client-id": "01:08:00:27:a1:00:01", "cltt": 1795356301, "fqdn-fwd": false, "hostname": "", "hw-address": "08:00:27:a1:00:01", "ip-address": "192.168.42.100", "state": 0, "subnet-id": 1, "valid-lft": 600 }"#;
    let leases = vec![lease; 3000].join(", ");
    let page = ok(&format!(
        r#"[ {{ "arguments": {{ "count": 3000, "leases": [ {leases} ] }}, "result": 0, "text": "3000 IPv4 lease(s) found." }} ]"#
    ));
    let mut reader = Reader::of_answers();
    let (mut most, mut found) = (0, None);
    for mut piece in page.as_bytes().chunks(1448) {
        found = reader.read(&mut piece).or(found);
        most = most.max(reader.held());
    }
    let Some(Heard::Message(Some(Control::Response(answer)), anomalies)) = found else { panic!() };
    assert_eq!((answer.result, answer.count, anomalies.len()), (Some(0), Some(3000), 0));
    assert_eq!(answer.text.as_deref(), Some("3000 IPv4 lease(s) found."));
    assert!(page.len() > 600_000 && most < 2000, "{most} bytes held");
}

#[test]
fn bodies_without_end_cost_bounded_memory() {
    let mut reader = Reader::of_requests();
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(reader.read(&mut head.as_bytes()), None);
    let chunk = format!("10000\r\n{}\r\n", "[".repeat(65_536));
    let ends = (0..2000).find_map(|_| {
        let heard = reader.read(&mut chunk.as_bytes());
        assert!(reader.held() < 2000);
        heard
    });
    assert_eq!(ends, Some(Heard::Broken(Anomaly::BodyTooLong)));
    // A length of 1 GiB is not believed, one of 60 MiB is followed.
    let head = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", 60 << 20);
    assert_eq!(reader.read(&mut head.as_bytes()), None);
    let text = format!("{{ \"command\": \"{}", "x".repeat(1 << 20));
    assert_eq!(reader.read(&mut text.as_bytes()), None);
    assert!(reader.held() < 3000, "{}", reader.held());
}

#[test]
fn hostile_json_is_told_and_bounded() {
    let deep = format!(r#"{{"command":"a","arguments":{}"#, "[".repeat(100_000));
    assert_eq!(requests(post(&deep).as_bytes()), [Heard::Message(None, vec![Anomaly::JsonTooDeep])]);
    let (twice, anomalies) = request(r#"{"command":"a","arguments":{"limit":1,"limit":2},"command":"b"}"#);
    assert_eq!((&*twice.command, twice.limit), ("b", Some(2)));
    assert_eq!(anomalies, [Anomaly::JsonDuplicateKey]);
    let (huge, anomalies) = request(&format!(
        r#"{{"arguments":{{"limit":{},"max-period":1e999,"subnet-id":-1}},"command":"a"}}"#,
        "9".repeat(100_000)
    ));
    assert_eq!((huge.limit, huge.max_period, huge.subnet_id), (None, None, None));
    assert_eq!(anomalies, [Anomaly::JsonNumberRange]);
    let (long, anomalies) = response(&format!(r#"{{"result":0,"text":"{}"}}"#, "é".repeat(5000)));
    assert_eq!((long.text.unwrap().len(), anomalies), (1024, vec![Anomaly::JsonTextTooLong]));
    let many = vec![r#""x""#; 10_000].join(",");
    let (scopes, _) = response(&format!(r#"{{"result":0,"arguments":{{"scopes":[{many}]}}}}"#));
    assert_eq!(scopes.scopes.unwrap().len(), 16);
    for broken in
        ["{", "[", "[{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "{} {}", "1", "\"\\x\"", "{'a':1}"]
    {
        let (answer, anomalies) = response(broken);
        assert_eq!((answer.result, anomalies.as_slice()), (None, &[Anomaly::JsonBroken][..]), "{broken}");
    }
}

#[test]
fn records_of_tls_are_counted_and_not_read() {
    let hello = [&[22, 3, 1, 0, 4][..], b"\x01\0\0\0"].concat();
    let data = [&[23, 3, 3, 0, 3][..], b"abc"].concat();
    let stream = [hello, data.clone(), data].concat();
    let expected = [Heard::Tls(Record::Setup), Heard::Tls(Record::Data), Heard::Tls(Record::Data)];
    assert_eq!(requests(&stream), expected);
    assert_eq!(answers(&stream), expected);
    // A record of no length, or of another version, is none.
    assert_eq!(requests(&[23, 3, 3, 0, 0]), []);
    assert_eq!(requests(&[23, 9, 3, 0, 1, 0]), []);
}

/// The reader picks out of random JSON what `serde_json` finds there.
#[test]
fn json_is_read_as_serde_json_reads_it() {
    use serde_json::{Value, json};
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    let texts = ["", "a", "\u{1f600}\"\\\n", "dhcp4", "ünï", "{", "]", "\u{7}"];
    for round in 0..3000 {
        let mut some = |depth: u32| {
            fn value(depth: u32, random: &mut dyn FnMut(u64) -> u64, texts: &[&str]) -> Value {
                match random(if depth == 0 { 5 } else { 8 }) {
                    0 => Value::Null,
                    1 => json!(random(2) == 0),
                    2 => json!(random(100_000)),
                    3 => json!(random(1000) as f64 / 8.0),
                    4 => json!(texts[random(texts.len() as u64) as usize]),
                    5 | 6 => (0..random(4)).map(|_| value(depth - 1, random, texts)).collect(),
                    _ => (0..random(4))
                        .map(|n| {
                            (
                                format!("{}{n}", ["limit", "k"][random(2) as usize]),
                                value(depth - 1, random, texts),
                            )
                        })
                        .collect(),
                }
            }
            value(depth, &mut random, &texts)
        };
        let body = json!({
            "a": some(3), "arguments": { "b": some(3), "client-id": some(0), "from": some(2), "limit": some(1),
            "origin": some(0), "cancel": some(0), "z": some(3) }, "command": "c", "service": some(1),
        });
        let text =
            if round % 2 == 0 { body.to_string() } else { serde_json::to_string_pretty(&body).unwrap() };
        // Half of the characters beyond ASCII as escapes.
        let text: String = text
            .chars()
            .flat_map(|c| {
                let mut units = [0; 2];
                let escape = round % 4 < 2 && !c.is_ascii();
                let escaped: Vec<String> =
                    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")).collect();
                (if escape { escaped.concat() } else { c.to_string() }).chars().collect::<Vec<_>>()
            })
            .collect();
        let (found, anomalies) = request(&text);
        let arguments = &body["arguments"];
        assert_eq!(anomalies, [], "{text}");
        assert_eq!(found.from.as_deref(), arguments["from"].as_str(), "{text}");
        assert_eq!(found.limit, arguments["limit"].as_u64(), "{text}");
        assert_eq!(found.cancel, arguments["cancel"].as_bool(), "{text}");
        let origin = &arguments["origin"];
        let origin = origin.as_str().map(str::to_owned).or(origin.is_number().then(|| origin.to_string()));
        assert_eq!(found.origin.as_deref(), origin.as_deref(), "{text}");
        let services = body["service"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<_> = services.iter().filter_map(Value::as_str).collect();
        assert_eq!(found.dhcp4, texts.is_empty() || texts.contains(&"dhcp4"), "{text}");
        // Cut anywhere it is no JSON any more.
        let at = random(text.len() as u64 - 1) as usize + 1;
        let (answer, anomalies) = {
            let cut: String =
                text.char_indices().take_while(|(start, _)| *start < at).map(|(_, c)| c).collect();
            assert!(serde_json::from_str::<Value>(&cut).is_err());
            response(&cut)
        };
        assert_eq!((answer.result, anomalies.as_slice()), (None, &[Anomaly::JsonBroken][..]));
    }
}
