//! HTTP in pieces of any size, and JSON bodies beside `serde_json`.

use dorascope::kea::channel::{Anomaly, Control, Heard, Reader};
use serde_json::Value;

use super::Input;

fn reader(answers: bool) -> Reader {
    if answers { Reader::of_answers() } else { Reader::of_requests() }
}

/// What is heard in these pieces, and whether nothing was passed over: what begins no
/// message, or follows a broken one, is passed over up to the end of its piece.
fn read<'a>(answers: bool, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Heard>, bool) {
    let mut reader = reader(answers);
    let (mut heard, mut clean, mut fed) = (Vec::new(), true, 0);
    for piece in pieces {
        let mut rest = piece;
        fed += piece.len();
        while !rest.is_empty() {
            let (before, was_between) = (rest, reader.is_between());
            let said = reader.read(&mut rest);
            assert!(rest.len() < before.len(), "it goes on");
            let taken = &before[..before.len() - rest.len()];
            clean &= match &said {
                Some(it) => !matches!(it, Heard::Broken(_)),
                // Line ends between messages are lawful (RFC 9112 §2.2).
                None => {
                    !reader.is_between()
                        || (was_between && taken.iter().all(|byte| matches!(byte, b'\r' | b'\n')))
                }
            };
            heard.extend(said);
            if !clean {
                return (heard, false);
            }
        }
        // A byte that is no UTF-8 becomes three, and a kept value has a fixed cost.
        assert!(reader.held() <= 3 * fed + 40 * 32, "{} bytes held of {fed}", reader.held());
    }
    heard.extend(reader.end());
    assert!(reader.is_between());
    (heard, true)
}

/// The same messages, however the stream is cut into pieces.
///
/// The first byte says whose stream it is (bit 0) and how long the pieces are.
pub fn http(bytes: &[u8]) {
    let mut input = Input(bytes);
    let settings = input.u8();
    let (answers, most) = (settings & 1 == 1, usize::from(settings >> 1) + 1);
    let stream = input.0;
    let (whole, clean) = read(answers, std::iter::once(stream));
    // The shortest is an answer's or a request's line and an empty line; a TLS record has six bytes.
    assert!(whole.len() <= stream.len() / 6 + 1, "{} messages", whole.len());
    for size in [1, most] {
        let (pieces, also_clean) = read(answers, stream.chunks(size));
        let same = pieces.len().min(whole.len());
        if clean {
            assert_eq!(pieces, whole, "in pieces of {size}");
            assert!(also_clean);
        } else {
            assert_eq!(pieces[..same], whole[..same], "in pieces of {size}");
        }
    }
}

/// The one message in a stream.
fn message(stream: &[u8]) -> (Option<Control>, Vec<Anomaly>) {
    let (heard, clean) = read(false, std::iter::once(stream));
    assert!(clean);
    match <[Heard; 1]>::try_from(heard) {
        Ok([Heard::Message(control, anomalies)]) => (control, anomalies),
        other => panic!("{other:?}"),
    }
}

/// A body is the same with a length and in chunks, and what `serde_json` takes is read the same here.
pub fn json(body: &[u8]) {
    let mut stream = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    stream.extend(body);
    let found = message(&stream);
    for size in [1, 7] {
        let mut stream = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(size) {
            stream.extend(format!("{:x}\r\n", chunk.len()).bytes());
            stream.extend(chunk);
            stream.extend(b"\r\n");
        }
        stream.extend(b"0\r\n\r\n");
        assert_eq!(message(&stream), found, "chunks of {size}");
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return };
    beside_serde(&value, &found);
}

fn beside_serde(value: &Value, (control, anomalies): &(Option<Control>, Vec<Anomaly>)) {
    let message = match value {
        Value::Array(messages) if messages.iter().all(Value::is_object) => messages.first(),
        Value::Object(_) => Some(value),
        // Of a list of other things Kea makes nothing either.
        _ => return,
    };
    assert!(!anomalies.contains(&Anomaly::JsonBroken), "{value}");
    if !anomalies.is_empty() {
        return;
    }
    let message = message.unwrap_or(&Value::Null);
    let Some(Control::Request(request)) = control else {
        assert!(!message["command"].is_string(), "{value}");
        return;
    };
    assert_eq!(Some(&*request.command), message["command"].as_str());
    let arguments = &message["arguments"];
    assert_eq!(request.from.as_deref(), arguments["from"].as_str(), "{value}");
    assert_eq!(request.server_name.as_deref(), arguments["server-name"].as_str(), "{value}");
    assert_eq!(request.state.as_deref(), arguments["state"].as_str(), "{value}");
    assert_eq!(request.limit, arguments["limit"].as_u64(), "{value}");
    assert_eq!(request.cancel, arguments["cancel"].as_bool(), "{value}");
}
