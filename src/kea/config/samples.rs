//! Configurations as people keep them, for tests.

use std::path::{Path, PathBuf};

use super::{ControlAgent, Dhcp4File, KeaFile};
use crate::kea::document::{Document, FileError};

/// A hub: primary of one relationship, standby of another under a second name, a third zone alone.
pub(crate) const HUB: &str = r#"// zaldua1zerb1: primary for zaldua1, standby for zaldua2
{
  "Dhcp4": {
    "interfaces-config": { "interfaces": [ "enp0s3/192.168.42.4", "enp0s8/192.168.4.4", "enp0s9/192.168.43.4" ] },
    "control-socket": { "socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket" },
    "lease-database": { "type": "memfile", "lfc-interval": 3600 }, # journal
    "multi-threading": { "enable-multi-threading": true, },
    "t1-percent": 0.5,
    "hooks-libraries": [
      { "library": "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_lease_cmds.so" },
      {
        "library": "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_ha.so",
        "parameters": {
          "high-availability": [
            {
              "this-server-name": "zaldua1zerb1",
              "mode": "hot-standby",
              "heartbeat-delay": 2000, "max-response-delay": 6000, "max-ack-delay": 3000,
              "max-unacked-clients": 10,
              "peers": [
                { "name": "zaldua1zerb2", "url": "http://192.168.42.5:8001/", "role": "standby" },
                { "name": "zaldua1zerb1", "url": "http://192.168.42.4:8001/", "role": "primary", "auto-failover": true },
              ]
            },
            {
              "this-server-name": "zaldua1zerb1-zaldua2",
              "mode": "hot-standby",
              "heartbeat-delay": 2000, "max-response-delay": 6000, "max-ack-delay": 3000,
              "peers": [
                { "name": "zaldua2zerb1", "url": "http://192.168.4.5:8002/", "role": "primary" },
                { "name": "zaldua1zerb1-zaldua2", "url": "http://192.168.4.4:8002/", "role": "standby", "auto-failover": false }
              ]
            }
          ]
        }
      }
    ],
    "option-data": [ { "name": "domain-name-servers", "data": "192.168.42.4" } ],
    "subnet4": [
      {
        "id": 1, "subnet": "192.168.42.0/24", "interface": "zaldua1",
        "pools": [ { "pool": "192.168.42.100 - 192.168.42.199" } ],
        "user-context": { "ha-server-name": "zaldua1zerb1" }
      },
      {
        "id": 2, "subnet": "192.168.4.0/24", "interface": "zaldua2",
        "user-context": { "ha-server-name": "zaldua2zerb1" }
      },
      /* the zone without a partner
         still needs a relationship */
      {
        "id": 3, "subnet": "192.168.43.0/24",
        "user-context": { "ha-server-name": "zaldua1zerb1" }
      },
    ]
  }
}
"#;

/// The hub's partner in zaldua1.
pub(crate) const ZALDUA1ZERB2: &str = r#"{ "Dhcp4": {
    "hooks-libraries": [ { "library": "libdhcp_ha.so", "parameters": { "high-availability": [ {
        "this-server-name": " zaldua1zerb2 ", "mode": "hot-standby",
        "heartbeat-delay": 2000, "max-response-delay": 6000, "max-ack-delay": 3000,
        "peers": [
          { "name": "zaldua1zerb1", "url": "http://192.168.42.4:8001/", "role": "primary" },
          { "name": "zaldua1zerb2", "url": "http://192.168.42.5:8001/", "role": "standby" } ] } ] } } ],
    "subnet4": [
      { "id": 1, "subnet": "192.168.42.0/24", "user-context": { "ha-server-name": "zaldua1zerb1" } },
      { "id": 3, "subnet": "192.168.43.0/24", "user-context": { "ha-server-name": "zaldua1zerb1" } } ]
} }"#;

/// The hub's partner in zaldua2.
pub(crate) const ZALDUA2ZERB1: &str = r#"{ "Dhcp4": {
    "hooks-libraries": [ { "library": "libdhcp_ha.so", "parameters": { "high-availability": [ {
        "this-server-name": "zaldua2zerb1", "mode": "hot-standby",
        "heartbeat-delay": 2000, "max-response-delay": 6000, "max-ack-delay": 3000,
        "peers": [
          { "name": "zaldua2zerb1", "url": "http://192.168.4.5:8002/", "role": "primary" },
          { "name": "zaldua1zerb1-zaldua2", "url": "http://192.168.4.4:8002/", "role": "standby" } ] } ] } } ],
    "subnet4": [ { "id": 2, "subnet": "192.168.4.0/24", "user-context": { "ha-server-name": "zaldua2zerb1" } } ]
} }"#;

/// A load-balancing pair with two backups, shared networks and relays.
pub(crate) const BALANCED: &str = r#"{ "Dhcp4": {
    "compatibility": { "ignore-dhcp-server-identifier": true },
    "control-sockets": [
      { "socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket" },
      { "socket-type": "http", "socket-address": "10.0.0.1" } ],
    "option-data": [ { "code": 54, "data": "10.0.0.1" } ],
    "hooks-libraries": [ { "library": "/opt/kea/libdhcp_ha.so", "parameters": { "high-availability": [ {
        "this-server-name": "server1", "mode": "load-balancing", "sync-timeout": 90000,
        "delayed-updates-limit": 50, "max-rejected-lease-updates": 0, "send-lease-updates": false,
        "peers": [
          { "name": "backup1", "url": "http://10.0.0.3:8000/", "role": "backup" },
          { "name": "server2", "url": "http://10.0.0.2:8000/", "role": "secondary" },
          { "name": "server1", "url": "http://10.0.0.1:8000/", "role": "primary" },
          { "name": "backup2", "url": "https://[2001:db8::4]:8000/", "role": "backup", "auto-failover": false } ] } ] } } ],
    "shared-networks": [ {
        "name": "campus", "relay": { "ip-addresses": [ "10.1.0.1", "10.1.0.2" ] },
        "user-context": { "ha-server-name": "server2" },
        "option-data": [ { "name": "dhcp-server-identifier", "csv-format": false, "data": "0A 00 00 FE" } ],
        "subnet4": [
          { "subnet": "10.1.0.0/16" },
          { "subnet": "10.2.0.7/16", "relay": { "ip-address": "10.2.0.1" },
            "user-context": { "ha-server-name": "server1" },
            "option-data": [ { "name": "dhcp-server-identifier", "data": "10.2.0.254" } ] } ] } ],
    "subnet4": [ { "id": 9, "subnet": "10.3.0.0/16", "relay": { "ip-address": "0.0.0.0" } } ]
} }"#;

/// The Control Agent of the documentation's zaldua1zerb2.
pub(crate) const AGENT: &str = r#"{
  "Control-agent": {
    "http-host": "192.168.42.5",
    "http-port": 8000,
    "control-sockets": {
      "dhcp4": {
	    "comment": "zaldua1zerb2",
        "socket-type": "unix",
        "socket-name": "/run/kea/kea4-ctrl-socket"
      }
    }
  }
}"#;

/// Reads text as the file `test.conf`.
pub(crate) fn document(text: &str) -> Result<Document, FileError> {
    Document::parse_kea(Path::new("test.conf"), text.as_bytes().to_vec())
}

/// The error that text gives as the file `test.conf`.
pub(crate) fn error(text: &str) -> String {
    KeaFile::parse(Path::new("test.conf"), text.as_bytes().to_vec()).unwrap_err().to_string()
}

/// A kea-dhcp4.conf that loads.
pub(crate) fn dhcp4(text: &str) -> Dhcp4File {
    match KeaFile::parse(Path::new("test.conf"), text.as_bytes().to_vec()) {
        Ok(KeaFile::Dhcp4(file)) => file,
        other => panic!("{other:?}"),
    }
}

/// A kea-ctrl-agent.conf that loads.
pub(crate) fn agent(text: &str) -> ControlAgent {
    match KeaFile::parse(Path::new("test.conf"), text.as_bytes().to_vec()) {
        Ok(KeaFile::ControlAgent(file)) => file,
        other => panic!("{other:?}"),
    }
}

/// A folder of a test's own beside the test program, so that nothing is left behind elsewhere.
pub(crate) fn folder(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().join("configuration-tests").join(name)
}

/// Writes a file into a test's folder.
pub(crate) fn write(folder_name: &str, name: &str, text: &str) -> PathBuf {
    let path = folder(folder_name).join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}
