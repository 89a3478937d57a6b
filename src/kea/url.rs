//! Control URLs of HA peers.

use std::net::{IpAddr, Ipv6Addr};

/// Reads `http://ADDRESS:PORT/`; the error says what is wrong, without quoting the URL.
///
/// Kea takes http and https with a literal address only, IPv6 in brackets. A
/// URL without a port keeps port 0.
pub(super) fn parse(url: &str) -> Result<(IpAddr, u16), String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or("must begin with http:// or https://")?;
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, port) = bracketed.split_once(']').ok_or("has a '[' without ']'")?;
        let address: Ipv6Addr = host.parse().map_err(|_| format!("has the bad IPv6 address \"{host}\""))?;
        (IpAddr::V6(address), port)
    } else {
        let (host, port) = authority.find(':').map_or((authority, ""), |colon| authority.split_at(colon));
        (IpAddr::V4(host.parse().map_err(|_| not_an_address(host))?), port)
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, 0)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map(|port| (host, port)).map_err(|_| format!("has the bad port \"{digits}\""))
        }
        _ => Err(format!("has the bad port \"{}\"", port.trim_start_matches(':'))),
    }
}

/// Why a host is no IPv4 address.
fn not_an_address(host: &str) -> String {
    if host.is_empty() {
        "has no address".to_owned()
    } else if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        format!("has the bad IPv4 address \"{host}\"")
    } else {
        format!("has the host name \"{host}\"; Kea wants a literal IP address")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_addresses_are_read() {
        let v4 = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(parse("http://192.168.42.4:8001/"), Ok((v4("192.168.42.4"), 8001)));
        assert_eq!(parse("https://192.168.42.4:8001"), Ok((v4("192.168.42.4"), 8001)));
        assert_eq!(parse("http://192.168.42.4/"), Ok((v4("192.168.42.4"), 0)));
        assert_eq!(parse("http://[2001:db8::1]:8001/x"), Ok((v4("2001:db8::1"), 8001)));
        assert_eq!(parse("http://[2001:db8::1]"), Ok((v4("2001:db8::1"), 0)));
    }

    #[test]
    fn everything_else_says_why_not() {
        let why = |url: &str| parse(url).unwrap_err();
        assert_eq!(why("192.168.42.4:8001"), "must begin with http:// or https://");
        assert_eq!(why("http://"), "has no address");
        assert_eq!(why("http://zerb2:8001/"), "has the host name \"zerb2\"; Kea wants a literal IP address");
        assert_eq!(why("http://192.168.42.444:8001/"), "has the bad IPv4 address \"192.168.42.444\"");
        assert_eq!(why("http://[::zz]:8001/"), "has the bad IPv6 address \"::zz\"");
        assert_eq!(why("http://[::1:8001/"), "has a '[' without ']'");
        assert_eq!(why("http://[::1]8001/"), "has the bad port \"8001\"");
        assert_eq!(why("http://192.168.42.4:80001/"), "has the bad port \"80001\"");
        assert_eq!(why("http://192.168.42.4:/"), "has the bad port \"\"");
        assert_eq!(why("http://192.168.42.4:+80/"), "has the bad port \"+80\"");
    }
}
