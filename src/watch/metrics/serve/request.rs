//! One request and what is said to it.

/// Most bytes of a request's head.
pub(super) const MOST_HEAD: usize = 8 << 10;
/// Most header fields.
const MOST_FIELDS: usize = 64;

/// The page at `/`.
const INDEX: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>dorascope</title>\n\
    <p>dorascope watches DHCP here. Its numbers for Prometheus: <a href=\"/metrics\">/metrics</a>\n</html>\n";

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Its head is not complete.
    More,
    /// `/metrics`.
    Metrics {
        /// `HEAD`: without the text itself.
        head: bool,
    },
    /// `/`.
    Index {
        /// `HEAD`: without the page itself.
        head: bool,
    },
    /// Nothing that there is: the status, with its words.
    Refused(&'static str),
}

/// Reads what came so far.
pub(super) fn read(bytes: &[u8]) -> Asked {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if bytes.len() < MOST_HEAD => return Asked::More,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Asked::Refused("431 Request Header Fields Too Large");
        }
        Err(_) => return Asked::Refused("400 Bad Request"),
    }
    let hosts = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("host")).count();
    // RFC 9112 §3.2.
    if hosts > 1 || (hosts == 0 && request.version == Some(1)) {
        return Asked::Refused("400 Bad Request");
    }
    let target = request.path.unwrap_or_default();
    // What a proxy is asked for has the host in front (RFC 9112 §3.2.2).
    let path =
        target.strip_prefix("http://").map_or(target, |rest| rest.find('/').map_or("/", |at| &rest[at..]));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let head = request.method == Some("HEAD");
    match path {
        "/metrics" | "/" if !head && request.method != Some("GET") => {
            Asked::Refused("405 Method Not Allowed")
        }
        "/metrics" => Asked::Metrics { head },
        "/" => Asked::Index { head },
        _ => Asked::Refused("404 Not Found"),
    }
}

/// The answer's bytes; `text` gives the metrics.
pub(super) fn answer(asked: Asked, text: &impl Fn() -> String) -> Vec<u8> {
    const PAGE: &str = "text/html; charset=utf-8";
    const PLAIN: &str = "text/plain; charset=utf-8";
    let (status, kind, body, head) = match asked {
        Asked::Metrics { head } => {
            ("200 OK", prometheus_client::encoding::prometheus_text::CONTENT_TYPE, text(), head)
        }
        Asked::Index { head } => ("200 OK", PAGE, INDEX.to_owned(), head),
        Asked::Refused(status) => (status, PLAIN, format!("{status}\n"), false),
        // Whoever does not ask to the end waits no longer.
        Asked::More => ("408 Request Timeout", PLAIN, "408 Request Timeout\n".to_owned(), false),
    };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{allow}\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    if !head {
        bytes.extend_from_slice(body.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_http_has_them() {
        let host = "Host: zerb\r\n\r\n";
        for (request, asked) in [
            (format!("GET /metrics HTTP/1.1\r\n{host}"), Asked::Metrics { head: false }),
            (format!("HEAD /metrics HTTP/1.1\r\n{host}"), Asked::Metrics { head: true }),
            (format!("GET /metrics?name[]=x HTTP/1.1\r\n{host}"), Asked::Metrics { head: false }),
            (format!("GET http://zerb:9167/metrics HTTP/1.1\r\n{host}"), Asked::Metrics { head: false }),
            (format!("GET http://zerb HTTP/1.1\r\n{host}"), Asked::Index { head: false }),
            (format!("GET / HTTP/1.1\r\n{host}"), Asked::Index { head: false }),
            ("GET /metrics HTTP/1.0\r\n\r\n".to_owned(), Asked::Metrics { head: false }),
            ("GET /metrics HTTP/1.1\r\n\r\n".to_owned(), Asked::Refused("400 Bad Request")),
            (format!("GET / HTTP/1.1\r\nhost: a\r\n{host}"), Asked::Refused("400 Bad Request")),
            (format!("POST /metrics HTTP/1.1\r\n{host}"), Asked::Refused("405 Method Not Allowed")),
            (format!("POST /x HTTP/1.1\r\n{host}"), Asked::Refused("404 Not Found")),
            (format!("GET /metrics/ HTTP/1.1\r\n{host}"), Asked::Refused("404 Not Found")),
            (format!("GET /metrics HTTP/2.0\r\n{host}"), Asked::Refused("400 Bad Request")),
            ("\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), Asked::Refused("400 Bad Request")),
            ("GET /metr".to_owned(), Asked::More),
            (String::new(), Asked::More),
        ] {
            assert_eq!(read(request.as_bytes()), asked, "{request}");
        }
        let fields = "a: b\r\n".repeat(MOST_FIELDS + 1);
        let refused = Asked::Refused("431 Request Header Fields Too Large");
        assert_eq!(read(format!("GET / HTTP/1.1\r\n{fields}{host}").as_bytes()), refused);
        assert_eq!(read(format!("GET / HTTP/1.1\r\na: {}", "b".repeat(MOST_HEAD)).as_bytes()), refused);
    }
}
