//! The two servers and what dorascope is told about them: topology.toml and a kea-dhcp4.conf of each.

use std::fmt::Write;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use super::bytes::End;
use super::client::Client;

/// Seconds of a lease.
pub const LEASE: u32 = 7200;

/// A server of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The primary.
    One,
    /// The standby, or the secondary in load-balancing.
    Two,
}

impl Server {
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "server1",
            Self::Two => "server2",
        }
    }

    pub fn partner(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }

    pub fn ip(self) -> Ipv4Addr {
        match self {
            Self::One => Ipv4Addr::new(10, 255, 0, 4),
            Self::Two => Ipv4Addr::new(10, 255, 0, 5),
        }
    }

    /// Where it listens for its partner.
    pub fn end(self) -> End {
        let mac = match self {
            Self::One => [8, 0, 0x27, 0xff, 1, 4],
            Self::Two => [8, 0, 0x27, 0xff, 2, 4],
        };
        End { mac, ip: self.ip(), port: 8001 }
    }

    /// The first address of its pool, which has room for [`super::MOST_CLIENTS`].
    pub fn pool(self) -> Ipv4Addr {
        match self {
            Self::One => Ipv4Addr::new(10, 0, 0, 16),
            Self::Two => Ipv4Addr::new(11, 0, 0, 16),
        }
    }
}

/// The mode of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The primary serves everyone.
    HotStandby,
    /// Each serves half, by the hash of RFC 3074.
    LoadBalancing,
}

impl Mode {
    /// Kea's word; also the state of a healthy pair.
    pub fn word(self) -> &'static str {
        match self {
            Self::HotStandby => "hot-standby",
            Self::LoadBalancing => "load-balancing",
        }
    }

    /// Who answers a client while both are healthy.
    pub fn server_of(self, client: &Client) -> Server {
        match self {
            Self::HotStandby => Server::One,
            Self::LoadBalancing if hash(&client.id()).is_multiple_of(2) => Server::One,
            Self::LoadBalancing => Server::Two,
        }
    }

    /// The scopes that a server serves, as its heartbeat tells them.
    pub fn scopes(self, server: Server) -> &'static str {
        match (self, server) {
            (_, Server::One) => "\"server1\"",
            (Self::HotStandby, Server::Two) => "",
            (Self::LoadBalancing, Server::Two) => "\"server2\"",
        }
    }
}

/// Writes topology.toml and the servers' files into a folder; `updates`: whether an ACK waits for a lease update.
pub fn write_topology(folder: &Path, mode: Mode, updates: bool) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut topology = "[[zone]]\nname = \"bench\"\nsubnets = [\"10.0.0.0/7\"]\n".to_owned();
    for server in [Server::One, Server::Two] {
        let (name, ip) = (server.name(), server.ip());
        let _ = writeln!(
            topology,
            "\n[[server]]\nname = \"{name}\"\naddresses = [\"{ip}\"]\nkea = \"{name}.kea-dhcp4.conf\""
        );
        std::fs::write(folder.join(format!("{name}.kea-dhcp4.conf")), configuration(server, mode, updates))?;
    }
    std::fs::write(folder.join("topology.toml"), topology)
}

/// After the files of captures/load-balancing.
fn configuration(server: Server, mode: Mode, updates: bool) -> String {
    let standby = if mode == Mode::HotStandby { "standby" } else { "secondary" };
    let pool = |server: Server| {
        let (first, last) =
            (server.pool(), Ipv4Addr::from_bits(server.pool().to_bits() + super::MOST_CLIENTS - 1));
        let class = if mode == Mode::HotStandby {
            String::new()
        } else {
            format!(", \"client-class\": \"HA_{}\"", server.name())
        };
        format!("{{ \"pool\": \"{first} - {last}\"{class} }}")
    };
    format!(
        r#"{{
  "Dhcp4": {{
    "interfaces-config": {{ "interfaces": [ "bench" ] }},
    "valid-lifetime": {LEASE},
    "renew-timer": {},
    "rebind-timer": {},
    "multi-threading": {{ "enable-multi-threading": true }},
    "hooks-libraries": [
      {{ "library": "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_lease_cmds.so" }},
      {{
        "library": "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_ha.so",
        "parameters": {{
          "high-availability": [
            {{
              "this-server-name": "{}",
              "mode": "{}",
              "send-lease-updates": {updates},
              "heartbeat-delay": 10000,
              "max-response-delay": 60000,
              "max-ack-delay": 10000,
              "max-unacked-clients": 10,
              "peers": [
                {{ "name": "server1", "url": "http://{}:8001/", "role": "primary" }},
                {{ "name": "server2", "url": "http://{}:8001/", "role": "{standby}" }}
              ]
            }}
          ]
        }}
      }}
    ],
    "subnet4": [
      {{
        "id": 1,
        "subnet": "10.0.0.0/7",
        "pools": [ {}, {} ],
        "option-data": [ {{ "name": "routers", "data": "10.255.0.1" }} ]
      }}
    ]
  }}
}}
"#,
        LEASE / 2,
        LEASE / 8 * 7,
        server.name(),
        mode.word(),
        Server::One.ip(),
        Server::Two.ip(),
        pool(Server::One),
        pool(Server::Two),
    )
}

/// RFC 3074 §6, written once more, because the captures shall not follow the program that is measured.
fn hash(key: &[u8]) -> u8 {
    key.iter().rev().fold(key.len() as u8, |hash, byte| MIXING[usize::from(hash ^ byte)])
}

const MIXING: [u8; 256] = [
    251, 175, 119, 215, 81, 14, 79, 191, 103, 49, 181, 143, 186, 157, 0, 232, //
    31, 32, 55, 60, 152, 58, 17, 237, 174, 70, 160, 144, 220, 90, 57, 223, //
    59, 3, 18, 140, 111, 166, 203, 196, 134, 243, 124, 95, 222, 179, 197, 65, //
    180, 48, 36, 15, 107, 46, 233, 130, 165, 30, 123, 161, 209, 23, 97, 16, //
    40, 91, 219, 61, 100, 10, 210, 109, 250, 127, 22, 138, 29, 108, 244, 67, //
    207, 9, 178, 204, 74, 98, 126, 249, 167, 116, 34, 77, 193, 200, 121, 5, //
    20, 113, 71, 35, 128, 13, 182, 94, 25, 226, 227, 199, 75, 27, 41, 245, //
    230, 224, 43, 225, 177, 26, 155, 150, 212, 142, 218, 115, 241, 73, 88, 105, //
    39, 114, 62, 255, 192, 201, 145, 214, 168, 158, 221, 148, 154, 122, 12, 84, //
    82, 163, 44, 139, 228, 236, 205, 242, 217, 11, 187, 146, 159, 64, 86, 239, //
    195, 42, 106, 198, 118, 112, 184, 172, 87, 2, 173, 117, 176, 229, 247, 253, //
    137, 185, 99, 164, 102, 147, 45, 66, 231, 52, 141, 211, 194, 206, 246, 238, //
    56, 110, 78, 248, 63, 240, 189, 93, 92, 51, 53, 183, 19, 171, 72, 50, //
    33, 104, 101, 69, 8, 252, 83, 120, 76, 135, 85, 54, 202, 125, 188, 213, //
    96, 235, 136, 208, 162, 129, 190, 132, 156, 38, 47, 1, 7, 254, 24, 4, //
    216, 131, 89, 21, 28, 133, 37, 153, 149, 80, 170, 68, 6, 169, 234, 151,
];
