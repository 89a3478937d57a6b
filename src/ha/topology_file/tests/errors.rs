//! Every error of topology.toml and `--kea`, in full.

use super::*;

/// The error after replacing `from` in the laboratory's file, without the folder.
fn broken(test: &str, from: &str, to: &str) -> String {
    assert!(TOPOLOGY.contains(from), "{from}");
    let path = laboratory(test);
    let path = write(test, path.file_name().unwrap().to_str().unwrap(), &TOPOLOGY.replacen(from, to, 1));
    let error = Topology::load(&path).unwrap_err().to_string();
    error.replace(&format!("{}/", path.parent().unwrap().display()), "")
}

#[test]
fn unknown_keys_name_the_nearest() {
    let broken = |from: &str, to: &str| broken("keys", from, to);
    assert_eq!(
        broken("addresses", "adresses"),
        r#"topology.toml:17:1: unknown key "adresses"; did you mean "addresses"?"#
    );
    assert_eq!(
        broken("ctrl-agent", "ctrl_agent"),
        r#"topology.toml:24:1: unknown key "ctrl_agent"; did you mean "ctrl-agent"?"#
    );
    assert_eq!(
        broken("[[client]]", "[[clients]]"),
        r#"topology.toml:30:3: unknown key "clients"; did you mean "client"?"#
    );
    assert_eq!(
        broken("subnets", "vlan"),
        r#"topology.toml:4:1: unknown key "vlan"; known keys: name, subnets, interfaces"#
    );
}

#[test]
fn nothing_stands_twice() {
    let broken = |from: &str, to: &str| broken("twice-toml", from, to);
    assert_eq!(
        broken("\"zaldua2\"", "\"zaldua1\""),
        r#"topology.toml:8:8: zone "zaldua1" stands twice, first on line 3"#
    );
    assert_eq!(
        broken("\"zaldua1zerb2\"", "\"zaldua1zerb1\""),
        r#"topology.toml:21:8: server "zaldua1zerb1" stands twice, first on line 16"#
    );
    assert_eq!(
        broken("192.168.42.5", "192.168.4.4"),
        "topology.toml:22:14: address 192.168.4.4 stands twice, first on line 17"
    );
    let client = "mac = \"08:00:27:A2:0:1\"";
    assert_eq!(
        broken(client, &format!("{client}\n[[client]]\nname = \"x\"\nmac = \"080027a20001\"")),
        "topology.toml:35:7: mac 08:00:27:a2:00:01 stands twice, first on line 32"
    );
    assert_eq!(broken("interfaces", "name = \"a\"\ninterfaces"), "topology.toml:5:1: duplicate key");
}

#[test]
fn bad_values() {
    let broken = |from: &str, to: &str| broken("values", from, to);
    assert_eq!(
        broken("192.168.42.5", "192.168.42.500"),
        r#"topology.toml:22:14: an entry of "addresses" must be an IPv4 address, not "192.168.42.500""#
    );
    assert_eq!(
        broken("192.168.4.0/24", "192.168.4.0/33"),
        r#"topology.toml:9:12: an entry of "subnets" must be an IPv4 prefix such as 192.168.4.0/24, not "192.168.4.0/33""#
    );
    assert_eq!(
        broken("192.168.4.0/24", "192.168.4.5/24"),
        "topology.toml:9:12: 192.168.4.5/24 has bits beyond its length; write 192.168.4.0/24"
    );
    assert_eq!(
        broken("08:00:27:A2:0:1", "08:00:27:A2:0:zz"),
        r#"topology.toml:32:7: "mac" must be a hardware address such as 08:00:27:a2:00:01, not "08:00:27:A2:0:zz""#
    );
    assert_eq!(
        broken("[\"192.168.4.0/24\"]", "\"192.168.4.0/24\""),
        r#"topology.toml:9:11: "subnets" must be a list, not a string"#
    );
    assert_eq!(
        broken("name = \"zaldua2bez1\"\n", ""),
        r#"topology.toml:30:1: an entry of "client" needs "name""#
    );
    assert_eq!(
        broken("name = \"zaldua2bez1\"", "name = 1979-05-27"),
        r#"topology.toml:31:8: "name" must be a string, not a date"#
    );
    assert_eq!(
        broken("name = \"zaldua2\"", "name = zaldua2"),
        "topology.toml:8:8: string values must be quoted, expected literal string"
    );
}

#[test]
fn kea_files_of_the_wrong_kind_or_not_there() {
    let broken = |from: &str, to: &str| broken("kinds", from, to);
    assert_eq!(
        broken("kea/zaldua1zerb1.kea-dhcp4.conf", "nothing.conf"),
        "topology.toml:18:7: nothing.conf cannot be read: No such file or directory (os error 2)"
    );
    assert_eq!(
        broken("kea/zaldua1zerb2.kea-dhcp4.conf", "kea/zaldua1zerb2.kea-ctrl-agent.conf"),
        r#"topology.toml:23:7: "kea" names a Control-agent file, which belongs in "ctrl-agent""#
    );
    assert_eq!(
        broken("kea/zaldua1zerb2.kea-ctrl-agent.conf", "kea/zaldua1zerb2.kea-dhcp4.conf"),
        r#"topology.toml:24:14: "ctrl-agent" names a Dhcp4 file, which belongs in "kea""#
    );
    let part = write("kinds", "kea/bad.conf", "{\n \"Dhcp4\": [] }");
    assert_eq!(
        broken("kea/zaldua1zerb1.kea-dhcp4.conf", "kea/bad.conf"),
        r#"kea/bad.conf:2:11: "Dhcp4" must be a map, not a list"#
    );
    let mut files = TopologyFiles::default();
    files.add_kea("zaldua2zerb1", &write("kinds", "a.conf", ZALDUA2ZERB1)).unwrap();
    let again = write("kinds", "b.conf", ZALDUA2ZERB1);
    let text = format!(
        "{}: is the second file of its kind for \"zaldua2zerb1\", after {}",
        again.display(),
        again.with_file_name("a.conf").display()
    );
    assert_eq!(files.add_kea("zaldua2zerb1", &again).unwrap_err().to_string(), text);
    assert_eq!(
        files.add_kea("x", &part).unwrap_err().to_string(),
        format!("{}:2:11: \"Dhcp4\" must be a map, not a list", part.display())
    );
}

#[test]
fn text_that_is_not_toml() {
    let path = write("latin", "topology.toml", "");
    std::fs::write(&path, b"# caf\xe9\n").unwrap();
    let text = format!("{}:1:6: TOML must be UTF-8 text", path.display());
    assert_eq!(Topology::load(&path).unwrap_err().to_string(), text);
}
