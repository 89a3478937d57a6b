//! Kea files to topology.toml and back.

use super::*;

/// What an imported file can say: everything but zones, which Kea does not know, and warnings.
fn without_zones(topology: Topology) -> Topology {
    Topology { zones: Vec::new(), warnings: Vec::new(), ..topology }
}

fn unnamed(paths: &[PathBuf]) -> Vec<(Option<String>, PathBuf)> {
    paths.iter().map(|path| (None, path.clone())).collect()
}

#[test]
fn the_laboratory_survives_the_round_trip() {
    let folder = "round-trip";
    let base = laboratory(folder).parent().unwrap().to_path_buf();
    let names = ["zaldua1zerb1", "zaldua1zerb2", "zaldua2zerb1"];
    let mut paths: Vec<PathBuf> =
        names.iter().map(|name| base.join(format!("kea/{name}.kea-dhcp4.conf"))).collect();
    paths.push(base.join("kea/zaldua1zerb2.kea-ctrl-agent.conf"));
    let text = import(&unnamed(&paths), &base).unwrap();
    assert!(text.contains("name = \"zaldua1\"\nsubnets = [\"192.168.42.0/24\"]\n"), "{text}");
    assert!(text.contains("name = \"192.168.43.0-24\"\nsubnets = [\"192.168.43.0/24\"]\n"), "{text}");
    assert!(text.contains("kea = \"kea/zaldua2zerb1.kea-dhcp4.conf\"\n"), "{text}");
    let loaded = Topology::load(&write(folder, "imported.toml", &text)).unwrap();

    let owners = ["zaldua1zerb1", "zaldua1zerb2", "zaldua2zerb1", "zaldua1zerb2"];
    let kea: Vec<_> = owners.iter().map(|name| (*name).to_owned()).zip(paths).collect();
    let direct = Topology::load_with(None, &kea).unwrap();
    assert_eq!(without_zones(loaded.clone()), without_zones(direct));
    let hears = |zone: &str| loaded.servers_in_zone(loaded.zone_named(zone).unwrap()).count();
    assert_eq!((hears("zaldua1"), hears("zaldua2"), hears("192.168.43.0-24")), (2, 2, 1));
}

#[test]
fn peers_without_files_and_shared_networks_survive_too() {
    let folder = "balanced-trip";
    let path = write(folder, "kea-dhcp4.conf", BALANCED);
    let base = path.parent().unwrap();
    let text = import(&unnamed(std::slice::from_ref(&path)), base).unwrap();
    assert!(text.contains("name = \"campus\"\nsubnets = [\"10.1.0.0/16\", \"10.2.0.0/16\"]\n"), "{text}");
    let loaded = Topology::load(&write(folder, "imported.toml", &text)).unwrap();
    let direct = Topology::load_with(None, &[("server1".to_owned(), path)]).unwrap();
    assert_eq!(without_zones(loaded), without_zones(direct));
}

#[test]
fn odd_names_are_quoted() {
    let folder = "odd-names";
    let path = write(folder, "x.conf", &ZALDUA2ZERB1.replace("\"zaldua2zerb1\"", r#""a \"b\" \\ c\n""#));
    let text = import(&[(Some("m \"1\" \\".to_owned()), path)], Path::new("/nonexistent")).unwrap();
    let loaded = Topology::load(&write(folder, "imported.toml", &text)).unwrap();
    assert_eq!(machine_names(&loaded), ["m \"1\" \\", "zaldua1zerb1-zaldua2"]);
}

#[test]
fn names_are_found_in_folders_and_addresses() {
    let folder = "guess";
    let one = write(folder, "alpha/kea-dhcp4.conf", ZALDUA1ZERB2);
    let one_agent = write(folder, "alpha/kea-ctrl-agent.conf", &AGENT.replace("192.168.42.5", "127.0.0.1"));
    let two = write(folder, "beta/etc/kea/kea-dhcp4.conf", "{ \"Dhcp4\": {} }");
    let other = write(folder, "agents/kea-ctrl-agent.conf", &AGENT.replace("192.168.42.5", "192.168.42.77"));
    let by_address = write(folder, "elsewhere/kea-ctrl-agent.conf", AGENT);
    let text = import(&unnamed(&[one.clone(), one_agent, two, other]), one.parent().unwrap()).unwrap();
    let loaded = Topology::load(&write(folder, "alpha/imported.toml", &text)).unwrap();
    assert_eq!(machine_names(&loaded), ["zaldua1zerb2", "beta", "agents", "zaldua1zerb1"]);
    assert_eq!(loaded.servers[0].control, [(ip("127.0.0.1"), 8000)]);
    let text = import(&unnamed(&[by_address, one]), Path::new("")).unwrap();
    assert!(text.contains("elsewhere/kea-ctrl-agent.conf\"\n"), "{text}");
    assert_eq!(text.matches("[[server]]").count(), 2, "{text}");
    let nameless = import(&[(None, PathBuf::from("/etc/kea/nothing.conf"))], Path::new("")).unwrap_err();
    assert_eq!(
        nameless.to_string(),
        "/etc/kea/nothing.conf: cannot be read: No such file or directory (os error 2)"
    );
}
