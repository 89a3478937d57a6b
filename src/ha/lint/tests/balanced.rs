//! Pools of a load-balancing pair.

use super::*;

/// A load-balancing server with these pools and class definitions.
fn balanced(test: &str, pools: &str, classes: &str) -> Vec<String> {
    let pair = |name: &str| {
        format!(
            r#"{{ "Dhcp4": {{ "hooks-libraries": [ {{ "library": "libdhcp_lease_cmds.so" }}, {{ "library": "libdhcp_ha.so",
                "parameters": {{ "high-availability": [ {{ "this-server-name": "{name}", "mode": "load-balancing", "peers": [
                  {{ "name": "one", "url": "http://10.0.0.1:8000/", "role": "primary" }},
                  {{ "name": "two", "url": "http://10.0.0.2:8000/", "role": "secondary" }},
                  {{ "name": "three", "url": "http://10.0.0.3:8000/", "role": "backup" }} ] }} ] }} }} ],
                "client-classes": [ {classes} ],
                "subnet4": [ {{ "id": 1, "subnet": "10.0.0.0/16", "pools": [ {pools} ] }} ] }} }}"#
        )
    };
    let folder = format!("lint-balanced-{test}");
    let files: Vec<_> = ["one", "two", "three"]
        .map(|name| (Some(name.to_owned()), write(&folder, &format!("{name}.conf"), &pair(name))))
        .into();
    let findings = check(None, &files).unwrap();
    findings.iter().map(|it| format!("{} {}", it.code.code(), it.server)).collect()
}

#[test]
fn pools_of_a_load_balancing_pair() {
    let pool =
        |range: &str, class: &str| format!(r#"{{ "pool": "10.0.{range}.0/24", "client-class": "{class}" }}"#);
    let both = [pool("1", "HA_one"), pool("2", "HA_two")].join(",");
    assert_eq!(balanced("split", &both, ""), [] as [&str; 0]);
    assert_eq!(
        balanced("whole", r#"{ "pool": "10.0.1.0/24" }"#, ""),
        ["pools-not-split one", "pools-not-split two"]
    );
    let phones = [pool("1", "phones"), pool("2", "phones2")].join(",");
    assert_eq!(balanced("phones", &phones, ""), ["pools-not-split one", "pools-not-split two"]);
    // The manual's way: a class of one's own whose test asks for the server's class, here over a third one.
    let classes = r#"{ "name": "phones", "test": "option[60].text == 'x' and member('HA_one')" },
        { "name": "phones2", "test": "member('other')" }, { "name": "other", "test": "member('HA_two') and member('phones2')" }"#;
    assert_eq!(balanced("tested", &phones, classes), [] as [&str; 0]);
    assert_eq!(
        balanced("half", &pool("1", "HA_one"), ""),
        ["peer-without-pool one", "peer-without-pool two"]
    );
    let wrong = [&both, ",", &pool("3", "HA_three"), ",", &pool("4", "HA_Two")].concat();
    // Kea loads such classes (2.6.3): every server's file has two.
    assert_eq!(
        balanced("wrong", &wrong, ""),
        [
            "class-of-no-peer one",
            "class-of-no-peer one",
            "class-of-no-peer three",
            "class-of-no-peer three",
            "class-of-no-peer two",
            "class-of-no-peer two"
        ]
    );
}
