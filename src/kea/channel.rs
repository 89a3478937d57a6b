//! Kea's control channel: HTTP/1.1 requests and answers with JSON bodies.
//!
//! Reads one message that lies complete in a buffer; nothing in it is trusted.

use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::Value;

use crate::units::{HwAddr, parse_hex};

/// Headers of a message at most; Kea sends four.
const MAX_HEADERS: usize = 32;

/// One message of the control channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// A command.
    Request(Request),
    /// Its answer.
    Response(Response),
}

/// A command as Kea's HA library or an administrator sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Such as `ha-heartbeat`.
    pub command: String,
    /// Whether it is meant for the DHCPv4 server; one Control Agent may serve DHCPv6 as well.
    pub dhcp4: bool,
    /// `server-name`: the sender's own peer name (Kea ≥ 2.5.5).
    pub server_name: Option<String>,
    /// `ip-address` of a lease update.
    pub ip: Option<Ipv4Addr>,
    /// `hw-address` of a lease update.
    pub hw_address: Option<HwAddr>,
    /// `client-id` of a lease update.
    pub client_id: Option<Vec<u8>>,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// 0 success, 1 error, 2 unsupported, 3 empty, 4 conflict, 5 fatal.
    pub result: i64,
    /// Kea's sentence.
    pub text: Option<String>,
    /// `state` of a heartbeat's answer.
    pub state: Option<String>,
    /// `scopes` of a heartbeat's answer.
    pub scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Call {
    command: String,
    #[serde(default)]
    service: Vec<String>,
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct Answer {
    result: i64,
    text: Option<String>,
    #[serde(default)]
    arguments: Value,
}

/// Reads a complete request or answer from the beginning of `bytes`.
///
/// `None` for anything else: no HTTP, a body that is not all there, no Kea command.
pub fn read(bytes: &[u8]) -> Option<Control> {
    if bytes.starts_with(b"POST ") {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(start) = request.parse(bytes).ok()? else { return None };
        let command: Call = serde_json::from_slice(body(bytes, start, request.headers)?).ok()?;
        return Some(Control::Request(command.into()));
    }
    if bytes.starts_with(b"HTTP/1.") {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(start) = response.parse(bytes).ok()? else { return None };
        let body = body(bytes, start, response.headers)?;
        // Kea answers with a list of one object, or with a bare object for errors of the transport.
        let answer = serde_json::from_slice::<Vec<Answer>>(body)
            .ok()
            .and_then(|list| list.into_iter().next())
            .or_else(|| serde_json::from_slice(body).ok())?;
        return Some(Control::Response(answer.into()));
    }
    None
}

fn body<'a>(bytes: &'a [u8], start: usize, headers: &[httparse::Header<'_>]) -> Option<&'a [u8]> {
    let length = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
    let length: usize = std::str::from_utf8(length.value).ok()?.trim().parse().ok()?;
    bytes.get(start..start.checked_add(length)?)
}

fn text(arguments: &Value, key: &str) -> Option<String> {
    arguments.get(key)?.as_str().map(str::to_owned)
}

impl From<Call> for Request {
    fn from(Call { command, service, arguments }: Call) -> Self {
        Self {
            command,
            dhcp4: service.is_empty() || service.iter().any(|name| name == "dhcp4"),
            server_name: text(&arguments, "server-name"),
            ip: text(&arguments, "ip-address").and_then(|ip| ip.parse().ok()),
            hw_address: text(&arguments, "hw-address").and_then(|mac| mac.parse().ok()),
            client_id: text(&arguments, "client-id").and_then(|id| parse_hex(&id)),
        }
    }
}

impl From<Answer> for Response {
    fn from(Answer { result, text: sentence, arguments }: Answer) -> Self {
        let scopes = arguments.get("scopes").and_then(Value::as_array);
        Self {
            result,
            text: sentence,
            state: text(&arguments, "state"),
            scopes: scopes.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_heartbeat_and_its_answer() {
        let body = r#"{ "arguments": { "server-name": "zaldua1zerb2" }, "command": "ha-heartbeat", "service": [ "dhcp4" ] }"#;
        let bytes =
            format!("POST / HTTP/1.1\r\nHost: 192.168.42.4\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let Some(Control::Request(request)) = read(bytes.as_bytes()) else { panic!("no request") };
        assert_eq!(request.command, "ha-heartbeat");
        assert_eq!(request.server_name.as_deref(), Some("zaldua1zerb2"));
        assert_eq!(read(&bytes.as_bytes()[..bytes.len() - 1]), None, "a cut body");

        let body =
            r#"[ { "arguments": { "scopes": [ "zaldua1zerb1" ], "state": "hot-standby" }, "result": 0 } ]"#;
        let bytes = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let Some(Control::Response(response)) = read(bytes.as_bytes()) else { panic!("no answer") };
        assert_eq!((response.result, response.state.as_deref()), (0, Some("hot-standby")));
        assert_eq!(response.scopes.as_deref(), Some(&["zaldua1zerb1".to_owned()][..]));
    }

    #[test]
    fn reads_a_bare_error_and_a_lease_update() {
        let body = r#"{ "result": 403, "text": "Forbidden" }"#;
        let bytes = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let Some(Control::Response(response)) = read(bytes.as_bytes()) else { panic!("no answer") };
        assert_eq!((response.result, response.text.as_deref()), (403, Some("Forbidden")));

        let body = r#"{"command":"lease4-update","arguments":{"ip-address":"192.168.4.100","hw-address":"08:00:27:a2:00:01","client-id":"01:08"}}"#;
        let bytes = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let Some(Control::Request(request)) = read(bytes.as_bytes()) else { panic!("no request") };
        assert_eq!(request.ip, Some([192, 168, 4, 100].into()));
        assert_eq!(request.hw_address.unwrap().to_string(), "08:00:27:a2:00:01");
        assert_eq!(request.client_id.as_deref(), Some(&[1, 8][..]));
    }

    #[test]
    fn a_command_for_dhcpv6_is_not_for_us() {
        for (service, ours) in [("[ \"dhcp6\" ]", false), ("[ \"dhcp4\" ]", true), ("[]", true)] {
            let body = format!("{{ \"command\": \"ha-heartbeat\", \"service\": {service} }}");
            let bytes = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let Some(Control::Request(request)) = read(bytes.as_bytes()) else { panic!("no request") };
            assert_eq!(request.dhcp4, ours, "{service}");
        }
    }

    #[test]
    fn what_is_not_the_control_channel_is_nothing() {
        for bytes in [
            &b""[..],
            b"POST / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n[]",
            b"GET / HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        ] {
            assert_eq!(read(bytes), None, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
