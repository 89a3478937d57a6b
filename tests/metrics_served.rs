//! The metrics over HTTP, on loopback.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use dorascope::units::{CaptureTime, SECOND};
use dorascope::watch::metrics::Metrics;
use dorascope::watch::metrics::serve::{Ready, Server, Serving, address};

/// A server of the metrics of nothing.
fn server() -> (SocketAddr, Ready, Serving) {
    let server = Server::bind(address("0").unwrap()).unwrap();
    let (at, ready) = (server.address().unwrap(), Ready::default());
    assert!(at.ip().is_loopback());
    ready.set(Metrics::new(CaptureTime(SECOND)).text());
    let shown = ready.clone();
    (at, ready, server.serve(move || shown.text()).unwrap())
}

/// What comes back for some bytes, until the server closes.
fn answer(at: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The head's lines and the body.
fn parts(answer: &str) -> (Vec<&str>, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split("\r\n").collect(), body)
}

const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn curl_gets_the_metrics() {
    let (at, ready, _serving) = server();
    let curl = |arguments: &[&str], path: &str| {
        let url = format!("http://{at}{path}");
        let output = Command::new("curl").args(["-sS", "--max-time", "10"]).args(arguments).arg(url).output();
        output.ok().map(|output| String::from_utf8(output.stdout).unwrap())
    };
    let Some(text) = curl(&[], "/metrics") else {
        println!("SKIPPED: curl is not installed; it was not asked for the metrics");
        return;
    };
    assert_eq!(text, ready.text());
    assert!(text.contains("process_start_time_seconds 1.0\n"), "{text}");
    let index = curl(&[], "/").unwrap();
    assert!(index.contains("<a href=\"/metrics\">"), "{index}");
    let head = curl(&["--head"], "/metrics").unwrap();
    assert!(head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", ready.text().len())), "{head}");
    let status = |arguments: &[&str], path: &str| {
        let arguments = [&["-o", "/dev/null", "-w", "%{http_code}"], arguments].concat();
        curl(&arguments, path).unwrap()
    };
    assert_eq!(status(&["-X", "POST", "-d", "x=y"], "/metrics"), "405");
    assert_eq!(status(&[], "/favicon.ico"), "404");
    assert_eq!(status(&["--http1.0"], "/metrics"), "200");
    assert_eq!(status(&["--http2-prior-knowledge"], "/metrics"), "000", "no HTTP/2");
    assert_eq!(status(&[], "/metrics"), "200", "after that too");
}

#[test]
fn an_answer_has_what_its_request_asks_for() {
    let (at, ready, _serving) = server();
    let full = answer(at, GET);
    let (head, body) = parts(&full);
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert!(head.contains(&"Connection: close"));
    assert_eq!(body, ready.text());
    let bodiless = answer(at, b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(parts(&bodiless), (head, ""));
    let refused = answer(at, b"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(parts(&refused).0.contains(&"Allow: GET, HEAD"), "{refused}");
    // What comes in pieces is one request.
    let mut slow = TcpStream::connect(at).unwrap();
    for piece in GET.chunks(9) {
        slow.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut text = String::new();
    slow.read_to_string(&mut text).unwrap();
    assert_eq!(text, full);
    // The text is the one that is ready.
    ready.set("another 1\n".to_owned());
    assert_eq!(parts(&answer(at, GET)).1, "another 1\n");
}

#[test]
fn whoever_sends_no_request_is_told_so_and_the_next_is_served() {
    let (at, _ready, _serving) = server();
    let status = |request: &[u8]| parts(&answer(at, request)).0[0].to_owned();
    assert_eq!(
        status(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 a TLS hello\r\n\r\n"),
        "HTTP/1.1 400 Bad Request"
    );
    assert_eq!(status(b"GET /metrics\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let huge = format!("GET /metrics HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "x".repeat(200 << 10));
    assert_eq!(status(huge.as_bytes()), "HTTP/1.1 431 Request Header Fields Too Large");
    let many = format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{}\r\n", "a: b\r\n".repeat(1000));
    assert_eq!(status(many.as_bytes()), "HTTP/1.1 431 Request Header Fields Too Large");
    // Gone without a word, or in the middle of one.
    drop(TcpStream::connect(at).unwrap());
    let mut half = TcpStream::connect(at).unwrap();
    half.write_all(b"GET /met").unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    let mut text = String::new();
    half.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert_eq!(status(GET), "HTTP/1.1 200 OK");
}

#[test]
fn whoever_is_slow_holds_up_others_for_seconds_only() {
    let (at, ready, _serving) = server();
    // Two that say nothing, and one that asks for much and does not read it.
    let mut silent: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(at).unwrap()).collect();
    let begun = Instant::now();
    assert!(answer(at, GET).starts_with("HTTP/1.1 200 OK"));
    let waited = begun.elapsed();
    assert!(waited > Duration::from_secs(3) && waited < Duration::from_secs(6), "{waited:?}");
    for stream in &mut silent {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    }
    let text = ready.text();
    ready.set("# a comment that is longer than what sockets hold\n".repeat(1 << 20));
    let mut greedy = TcpStream::connect(at).unwrap();
    greedy.write_all(GET).unwrap();
    // Its answer has begun, and does not go on.
    greedy.read_exact(&mut [0; 15]).unwrap();
    ready.set(text);
    let begun = Instant::now();
    assert!(answer(at, GET).starts_with("HTTP/1.1 200 OK"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn it_stops_at_once_whatever_it_is_doing() {
    let stop = |serving: Serving| {
        let begun = Instant::now();
        drop(serving);
        begun.elapsed()
    };
    let limit = Duration::from_millis(200);
    let (at, _ready, serving) = server();
    assert!(stop(serving) < limit, "idle");
    assert!(TcpStream::connect(at).is_err(), "nobody listens any more");

    let (at, _ready, serving) = server();
    let silent = TcpStream::connect(at).unwrap();
    std::thread::sleep(Duration::from_millis(150));
    assert!(stop(serving) < limit, "listening to somebody who says nothing");
    drop(silent);

    let (at, ready, serving) = server();
    ready.set("x 1\n".repeat(16 << 20));
    let mut greedy = TcpStream::connect(at).unwrap();
    greedy.write_all(GET).unwrap();
    greedy.read_exact(&mut [0; 15]).unwrap();
    assert!(stop(serving) < limit, "writing to somebody who does not read");
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let first = Server::bind(address("0").unwrap()).unwrap();
    assert!(Server::bind(first.address().unwrap()).is_err());
}
