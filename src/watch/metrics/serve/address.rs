//! Where to listen: `PORT`, `:PORT` or `HOST:PORT`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

/// Reads where to listen. Without a host that is the loopback address: what is told here names
/// clients' servers and habits, and nothing asks a reader who he is.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let resolved = text.to_socket_addrs().map(|mut addresses| addresses.next());
    match resolved {
        Ok(Some(address)) => Ok(address),
        // The standard library's own words for these are about sockets.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            Err(format!("\"{text}\" is not PORT, :PORT or HOST:PORT, such as 9167 or 192.168.4.2:9167"))
        }
        Err(error) => Err(format!("\"{text}\": {error}")),
        Ok(None) => Err(format!("\"{text}\" names no address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_host_it_is_the_loopback_address() {
        for (text, expected) in [
            ("9167", "127.0.0.1:9167"),
            (":9167", "127.0.0.1:9167"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:9167", "0.0.0.0:9167"),
            ("192.168.4.2:80", "192.168.4.2:80"),
            ("[::1]:9167", "[::1]:9167"),
            ("[::]:9167", "[::]:9167"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), expected);
        }
        assert!(address("localhost:9167").unwrap().ip().is_loopback());
        for wrong in
            ["", ":", "65536", ":65536", "-1", "localhost", "localhost:", "::1", "1.2.3.4:x", "1.2.3.4"]
        {
            let error = address(wrong).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
