//! Lease files by hand, after kea-ha §9.1.

use super::*;

const HEADER: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n";

fn file(text: &str) -> LeaseFile {
    let mut file = LeaseFile::default();
    file.take("leases", text.as_bytes());
    file
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn rows_of_every_schema_are_read() {
    let new = file(&format!(
        "{HEADER}192.0.2.10,52:54:00:12:34:56,01:52:54:00:12:34:56,3600,1735693200,7,0,0,host1,0,,0\n"
    ));
    let row = &new.rows[&ip("192.0.2.10")];
    assert_eq!(row.mac.to_string(), "52:54:00:12:34:56");
    assert_eq!(row.client_id.as_deref(), Some([1, 0x52, 0x54, 0, 0x12, 0x34, 0x56].as_slice()));
    assert_eq!((row.valid_s, row.expire_s, row.subnet_id, row.state), (3600, 1_735_693_200, 7, 0));
    assert_eq!((&*row.hostname, row.is_bound()), ("host1", true));
    assert_eq!(row.since().0, (1_735_693_200 - 3600) * 1_000_000_000);
    // The nine columns of Kea 1.x, without a state.
    let old = file(
        "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname\n192.0.2.10,52:54:00:12:34:56,,3600,1735693200,1,0,0,\n",
    );
    assert!(old.rows[&ip("192.0.2.10")].is_bound() && old.troubles.is_empty());
}

#[test]
fn the_last_row_wins_and_a_lifetime_of_zero_deletes() {
    let text = format!(
        "{HEADER}192.0.2.1,02:00:00:00:00:01,,600,1000,1,0,0,,0,,0\n192.0.2.2,02:00:00:00:00:02,,600,1000,1,0,0,,0,,0\n\
         192.0.2.1,02:00:00:00:00:03,,600,1100,1,0,0,,0,,0\n192.0.2.2,02:00:00:00:00:02,,0,1000,1,0,0,,0,,0\n"
    );
    let file = file(&text);
    assert_eq!(file.rows[&ip("192.0.2.1")].mac.to_string(), "02:00:00:00:00:03");
    assert!(file.rows[&ip("192.0.2.2")].is_deleted());
}

#[test]
fn escapes_and_infinite_lifetimes_are_understood() {
    let text = format!(
        "{HEADER}192.0.2.1,02:00:00:00:00:01,,4294967295,6030654495,1,0,0,a&#x2cb&#x26#x&#xzz,0,,0\n"
    );
    let row = &file(&text).rows[&ip("192.0.2.1")];
    assert_eq!(&*row.hostname, "a,b&#x&#xzz");
    assert_eq!((row.expires(), row.since().0), (None, 1_735_687_200 * 1_000_000_000));
}

#[test]
fn a_bad_row_is_named_and_the_rest_goes_on() {
    let text = format!(
        "{HEADER}nonsense\n192.0.2.1,02:zz,,600,1000,1,0,0,,0,,0\n192.0.2.2,02:00:00:00:00:02,,600,x,1,0,0,,0,,0\n\
         192.0.2.3,02:00:00:00:00:03,,600,1000,1,0,0,,0,,0\n192.0.2.4,\"a,,600,1000\n"
    );
    let file = file(&text);
    assert_eq!(
        file.troubles,
        [
            "leases, line 2: address is \"nonsense\"",
            "leases, line 3: hwaddr is \"02:zz\"",
            "leases, line 4: expire is \"x\"",
            "leases, line 6: hwaddr is \"\\\"a\""
        ]
    );
    assert_eq!(file.rows.len(), 1);
    assert_eq!(super::tests::file("a,b\n1,2\n").troubles.len(), 1, "no lease file at all");
}

/// The last row of every address, as `sort` and `uniq` give them.
#[test]
fn keas_own_file_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kea-logs/kea-2.6.3-leases4.csv");
    let file = LeaseFile::read(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let addresses: std::collections::BTreeSet<&str> =
        text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(file.troubles, Vec::<String>::new());
    assert_eq!(file.rows.len(), addresses.len());
    assert!(file.rows.values().all(|row| row.valid_s == 600 && row.subnet_id == 4 && row.is_bound()));
}

#[test]
fn parts_of_a_cleanup_come_before_the_file() {
    let folder = std::env::temp_dir().join(format!("dorascope-leases-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("kea-leases4.csv");
    let write = |suffix: &str, last: u8| {
        let name = format!("{}{suffix}", path.display());
        let row = |ip: &str| format!("{ip},02:00:00:00:00:0{last},,600,1000,1,0,0,,0,,0\n");
        let rows = match suffix {
            "" => row("192.0.2.1"),
            ".1" => row("192.0.2.1") + &row("192.0.2.2"),
            _ => row("192.0.2.1") + &row("192.0.2.2") + &row("192.0.2.3"),
        };
        std::fs::write(name, format!("{HEADER}{rows}")).unwrap();
    };
    let macs = || -> Vec<u8> {
        let file = LeaseFile::read(&path).unwrap();
        file.rows.values().filter_map(|row| row.mac.as_bytes().last().copied()).collect()
    };
    write("", 1);
    assert_eq!(macs(), [1]);
    write(".1", 2);
    write(".2", 3);
    assert_eq!(macs(), [1, 2, 3]);
    write(".completed", 4);
    assert_eq!(macs(), [1, 4, 4]);
    std::fs::remove_dir_all(&folder).unwrap();
    let error = LeaseFile::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("kea-leases4.csv: no such file"), "{error}");
}
