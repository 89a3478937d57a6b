//! The text of the metrics as others read it, with names that strangers chose, and how much of it there is.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use dorascope::capture::Input;
use dorascope::ha::topology::Topology;
use dorascope::units::CaptureTime;
use dorascope::watch::metrics::Metrics;

use crate::support::dhcp::{frame, message};
use crate::support::exposition::{Sample, number, samples};
use crate::support::files::{Order, PcapFile};
use crate::support::temp::TempDir;
use crate::support::watched::{scenario, watch};
use crate::truth::captures;

/// Everything that the format, a page or a terminal may stumble over.
const HOSTILE: &str = "a\"} 1\nfake_metric{x=\"\\\t\u{1b}[31m\u{202e}ß</script># HELP \u{0}";

/// A recording whose zone and servers have such names.
fn hostile() -> String {
    let folder = captures().join("load-balancing");
    let mut topology = Topology::load(&folder.join("topology.toml")).unwrap();
    for server in &mut topology.servers {
        server.name.push_str(HOSTILE);
    }
    let inputs = [Input { zone: Some(HOSTILE.to_owned()), path: folder.join("haran.pcap") }];
    watch(&inputs, &topology, Metrics::new(CaptureTime(0))).pop().unwrap().text
}

#[test]
fn hostile_names_stay_label_values() {
    let text = hostile();
    let samples = samples(&text);
    assert!(
        samples.iter().all(|it| it.name.starts_with("dorascope_") || it.name == "process_start_time_seconds")
    );
    let labels = [("zone", HOSTILE), ("type", "ACK"), ("server", &format!("haranzerb1{HOSTILE}"))];
    assert_eq!(number(&samples, "dorascope_messages_total", &labels), 32);
}

/// The Python that scripts/peers.sh makes, if Prometheus' client is there.
fn python() -> Option<std::path::PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let python = target.join("peers/bin/python");
    let there = Command::new(&python).args(["-c", "import prometheus_client"]).output();
    there.is_ok_and(|output| output.status.success()).then_some(python)
}

#[test]
fn prometheus_own_client_reads_the_same() {
    let Some(python) = python() else {
        println!(
            "SKIPPED: no Python with prometheus_client (scripts/peers.sh); only our own reader read the metrics"
        );
        return;
    };
    // Every sample as JSON, types beside it.
    let program = "
import json, sys
from prometheus_client.parser import text_string_to_metric_families
text = open(sys.argv[1], encoding='utf-8', newline='').read()
for family in text_string_to_metric_families(text):
    assert family.documentation and family.type in ('counter', 'gauge', 'histogram'), family
    for sample in family.samples:
        # As text: not every reader of JSON rounds to the nearest number.
        print(json.dumps([sample.name, sample.labels, repr(sample.value)]))
";
    for text in [hostile(), scenario("zaldua2zerb1-killed").pop().unwrap().text] {
        let temp = TempDir::new("exposition");
        let file = temp.file("metrics", text.as_bytes());
        let output = Command::new(&python).args(["-c", program]).arg(file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = String::from_utf8(output.stdout).unwrap();
        let mut theirs: Vec<String> = theirs
            .lines()
            .map(|line| {
                let (name, labels, value): (String, std::collections::BTreeMap<String, String>, String) =
                    serde_json::from_str(line).unwrap();
                format!("{name} {labels:?} {}", value.parse::<f64>().unwrap())
            })
            .collect();
        let line = |it: Sample| format!("{} {:?} {}", it.name, it.labels, it.value);
        let mut ours: Vec<String> = samples(&text).into_iter().map(line).collect();
        theirs.sort();
        ours.sort();
        assert!(ours.len() > 150, "{}", ours.len());
        assert_eq!(ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs), None);
        assert_eq!(ours.len(), theirs.len());
    }
}

#[test]
fn a_flood_of_forged_servers_makes_few_series() {
    const REPLIES: u32 = 20_000;
    let mut file = PcapFile::nano(Order::Little, 1);
    for at in 0..REPLIES {
        let [_, b, c, d] = at.to_be_bytes();
        // Any server, any client and any type of message.
        let (kind, server, client) = ([d], [10, b, c, d], [2, 0, 0, b, c, d]);
        let reply = message(2, at, client, [192, 168, 4, 7], &[(53, &kind), (54, &server)]);
        file = file.frame(1_000_000_000_000 + u64::from(at) * 1_000_000, &frame(2, &reply));
    }
    let temp = TempDir::new("flood");
    let path = temp.file("flood.pcap", &file.bytes);
    let looks = watch(&[Input { zone: None, path }], &Topology::default(), Metrics::new(CaptureTime(0)));
    let last = samples(&looks.last().unwrap().text);
    assert_eq!(number(&last, "dorascope_messages_total", &[]), u64::from(REPLIES));
    let servers: BTreeSet<&String> = last.iter().filter_map(|it| it.labels.get("server")).collect();
    assert!(servers.contains(&"other".to_owned()) && servers.len() <= 66, "{servers:?}");
    println!("{REPLIES} forged replies: {} series, {} bytes", last.len(), looks.last().unwrap().text.len());
    assert!(last.len() < 4000, "{}", last.len());
}
