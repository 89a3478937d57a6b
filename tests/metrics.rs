//! Metrics of recordings that are watched as if they were captured now, against Kea's log and tshark.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use dorascope::dhcp::MessageType;
use dorascope::ha::state::State;
use dorascope::ha::topology::Topology;
use dorascope::units::SECOND;

use crate::support::exposition::{Sample, number, samples, sum};
use crate::support::watched::{Look, scenario};
use crate::truth::{captures, inputs, scenarios, truths};

const SERVER_STATE: &str = "dorascope_server_state";

/// The only state that is 1 of a server in the relationship of a server, Kea's name for it.
fn state(samples: &[Sample], server: &str, relationship: &str) -> String {
    let ours = |it: &&Sample| {
        let names = it.labels.get("relationship").map(|it| it.split(" + "));
        it.name == SERVER_STATE
            && it.has(&[("server", server)])
            && names.is_some_and(|mut names| names.next() == Some(relationship))
    };
    let of_seat: Vec<&Sample> = samples.iter().filter(ours).collect();
    assert_eq!(of_seat.len(), State::ALL.len() + 2, "{server} {relationship}");
    let mut set = of_seat.iter().filter(|it| it.number() == 1);
    let word = set.next().unwrap().labels["state"].clone();
    assert!(set.next().is_none() && of_seat.iter().all(|it| it.number() <= 1));
    word
}

/// Kea's log of every change of state, the lab's diary of when a server ran, by server and relationship.
fn logged_states(folder: &Path) -> BTreeMap<(String, String), Vec<(i64, String)>> {
    let mut logged: BTreeMap<(String, String), Vec<(i64, String)>> = BTreeMap::new();
    let lines = truths(folder);
    for line in lines.iter().filter(|line| line.event == "state") {
        let seat = (line.server.clone(), line.relationship.clone().unwrap());
        logged.entry(seat).or_default().push((line.ts_ns, line.to_state.clone().unwrap().to_lowercase()));
    }
    for ((server, _), changes) in &mut logged {
        let diary = lines.iter().filter(|line| line.server == *server);
        changes.extend(diary.filter_map(|line| match line.event.as_str() {
            "killed" => Some((line.ts_ns, "unavailable".to_owned())),
            "started" | "returned" => Some((line.ts_ns, "waiting".to_owned())),
            _ => None,
        }));
        changes.sort();
    }
    logged
}

#[test]
fn states_are_those_of_keas_log() {
    let (mut compared, mut unseen, mut different) = (0, 0, Vec::new());
    for folder in scenarios() {
        // There nothing on the wire can be read but who answers clients.
        let name = folder.file_name().unwrap().to_str().unwrap();
        if name == "tls" {
            continue;
        }
        let logged = logged_states(&folder);
        for look in scenario(name) {
            let samples = samples(&look.text);
            for ((server, relationship), changes) in &logged {
                // A partner shows its state once in a heartbeat, which comes every second here, and a silence
                // is seen with the heartbeat that fails.
                let settled = look.time.plus(-5 * SECOND).0;
                let Some((at, logged)) = changes.iter().rfind(|(at, _)| *at <= look.time.0) else { continue };
                // A backup takes no part in it, and nobody asks for its state.
                if *at > settled || logged == "backup" {
                    continue;
                }
                compared += 1;
                let ours = state(&samples, server, relationship);
                if ours != *logged && logged == "unavailable" {
                    // Without power a machine refuses nothing: that it is gone, only its silence tells.
                    unseen += 1;
                    let ours = |it: &&Sample| {
                        it.name == "dorascope_last_heartbeat_timestamp_seconds"
                            && it.has(&[("server", server)])
                            && it.labels["relationship"].starts_with(relationship)
                    };
                    assert!(
                        samples.iter().filter(ours).all(|it| it.value < *at as f64 / 1e9),
                        "{name} {server}"
                    );
                } else if ours != *logged {
                    different.push(format!(
                        "{name} {} {server} {relationship}: {ours}, logged {logged}",
                        look.time.0
                    ));
                }
            }
        }
    }
    println!("{compared} states compared with Kea's log, {} differ, {unseen} without power", different.len());
    assert!(different.is_empty(), "{different:#?}");
    assert!(compared > 500 && unseen < 25, "{compared}, {unseen}");
}

#[test]
fn unacked_clients_are_those_that_kea_counts() {
    let name = "zaldua2zerb1-killed";
    let truth = truths(&captures().join(name));
    let counted: Vec<i64> =
        truth.iter().filter(|line| line.event == "unacked").map(|line| line.ts_ns).collect();
    assert_eq!(counted.len(), 13, "see its README");
    // The partner returns, and its first good heartbeat forgets them.
    let returns = truth.iter().find(|line| line.event == "returned").unwrap().ts_ns;
    let back = truth.iter().rfind(|line| line.event == "state").unwrap().ts_ns;
    let seat = [("server", "zaldua1zerb1"), ("relationship", "zaldua2zerb1 + zaldua1zerb1")];
    let mut most = 0;
    for look in scenario(name) {
        let samples = samples(&look.text);
        let ours = number(&samples, "dorascope_unacked_clients", &seat);
        let before = counted.iter().filter(|at| **at <= look.time.0).count() as u64;
        if look.time.0 < returns {
            assert_eq!(ours, before, "{}", look.time.0);
        } else if look.time.0 > back {
            assert_eq!(ours, 0, "{}", look.time.0);
        }
        most = most.max(ours);
        // The configuration says 10.
        assert_eq!(number(&samples, "dorascope_unacked_clients_limit", &seat), 10);
        let other = [seat[0], ("relationship", "zaldua1zerb1 + zaldua1zerb2")];
        assert_eq!(number(&samples, "dorascope_unacked_clients", &other), 0);
    }
    assert_eq!(most, 13);
}

#[test]
fn acknowledgements_and_exchanges_are_those_of_keas_log() {
    for name in ["zaldua2zerb1-killed", "load-balancing", "load-balancing-killed", "hub-release"] {
        let truth = truths(&captures().join(name));
        let looks = scenario(name);
        let samples = samples(&looks.last().unwrap().text);
        let mut servers: BTreeMap<&str, u64> = BTreeMap::new();
        for line in truth.iter().filter(|line| line.is_ack()) {
            *servers.entry(&line.server).or_default() += 1;
        }
        for (server, acks) in &servers {
            let ours = number(&samples, "dorascope_request_ack_seconds_count", &[("server", server)]);
            assert_eq!(ours, *acks, "{name}: {server}");
        }
        // Every verdict counts from 0 on, and none comes with an outcome that it should not come with.
        let counted = |look: &Look| {
            let samples = crate::support::exposition::samples(&look.text);
            samples.iter().filter(|it| it.name == "dorascope_exchanges_total").count()
        };
        assert_eq!(counted(&looks[0]), counted(looks.last().unwrap()), "{name}");
        let bound = number(&samples, "dorascope_exchanges_total", &[("outcome", "bound")]);
        assert_eq!(bound, servers.values().sum::<u64>(), "{name}");
        // Nothing ever falls but what is set anew.
        let mut before: BTreeMap<String, f64> = BTreeMap::new();
        for look in &looks {
            for sample in crate::support::exposition::samples(&look.text) {
                if !sample.name.ends_with("_total") && !sample.name.ends_with("_count") {
                    continue;
                }
                let key = format!("{} {:?}", sample.name, sample.labels);
                let last = before.insert(key.clone(), sample.value).unwrap_or_default();
                assert!(last <= sample.value, "{name}: {key} fell from {last} to {}", sample.value);
            }
        }
    }
}

/// A message as tshark reads it.
struct Shark {
    kind: MessageType,
    /// The server's identifier in a reply, else the source.
    from: String,
    xid: String,
    mac: String,
    time: f64,
}

fn tshark(file: &Path) -> Option<Vec<Shark>> {
    let fields = [
        "dhcp.option.dhcp",
        "dhcp.option.dhcp_server_id",
        "ip.src",
        "dhcp.id",
        "dhcp.hw.mac_addr",
        "frame.time_epoch",
    ];
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(file).args(["-Y", "dhcp.option.dhcp", "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let kind = MessageType(cells[0].parse().unwrap());
        let from = if cells[1].is_empty() || !kind.is_reply() { cells[2] } else { cells[1] };
        let (from, xid, mac) = (from.to_owned(), cells[3].to_owned(), cells[4].to_owned());
        Shark { kind, from, xid, mac, time: cells[5].parse().unwrap() }
    };
    Some(String::from_utf8(output.stdout).unwrap().lines().map(line).collect())
}

#[test]
fn messages_and_their_times_are_those_of_tshark() {
    for name in ["zaldua2zerb1-killed", "load-balancing", "relayed"] {
        let folder = captures().join(name);
        let topology = Topology::load(&folder.join("topology.toml")).unwrap();
        let samples = samples(&scenario(name).last().unwrap().text);
        let mut total = 0;
        for input in inputs(&folder) {
            let Some(messages) = tshark(&input.path) else {
                println!("SKIPPED: tshark is not installed; metrics are not compared with it");
                return;
            };
            let zone = input.path.file_stem().unwrap().to_str().unwrap();
            let server_of = |from: &str| {
                let server = topology.server_by_address(from.parse().unwrap());
                server.map_or(from.to_owned(), |server| topology.servers[server.0].name.clone())
            };
            let mut counts: BTreeMap<(&str, String), u64> = BTreeMap::new();
            for it in &messages {
                let server = if it.kind.is_reply() { server_of(&it.from) } else { String::new() };
                *counts.entry((it.kind.name().unwrap(), server)).or_default() += 1;
            }
            for ((kind, server), theirs) in &counts {
                let labels = [("zone", zone), ("type", *kind), ("server", server.as_str())];
                assert_eq!(
                    number(&samples, "dorascope_messages_total", &labels),
                    *theirs,
                    "{name}: {labels:?}"
                );
            }
            total += messages.len();
            // A relay's copies are no answers of their own.
            if name != "relayed" {
                times(&samples, zone, MessageType::REQUEST, &[MessageType::ACK, MessageType::NAK], &messages);
                times(&samples, zone, MessageType::DISCOVER, &[MessageType::OFFER], &messages);
            }
        }
        assert_eq!(number(&samples, "dorascope_messages_total", &[]), total as u64, "{name}");
    }
}

/// Compares a histogram with the times from each reply back to the client's query before it.
fn times(samples: &[Sample], zone: &str, query: MessageType, replies: &[MessageType], messages: &[Shark]) {
    let mut times: Vec<f64> = Vec::new();
    for (at, reply) in messages.iter().enumerate().filter(|(_, it)| replies.contains(&it.kind)) {
        let asks = |it: &&Shark| (&it.xid, &it.mac) == (&reply.xid, &reply.mac) && !it.kind.is_reply();
        let asked = messages[..at].iter().rfind(asks).unwrap();
        // An ACK may be that of an INFORM.
        times.extend((asked.kind == query).then_some(reply.time - asked.time));
    }
    let metric = if query == MessageType::REQUEST { "request_ack" } else { "discover_offer" };
    let name = |part: &str| format!("dorascope_{metric}_seconds_{part}");
    let (count, labels) = (times.len() as u64, [("zone", zone)]);
    assert_eq!(number(samples, &name("count"), &labels), count, "{zone} {metric}");
    // Ours are whole microseconds.
    let seconds = times.iter().sum::<f64>();
    assert!(
        (seconds - sum(samples, &name("sum"), &labels)).abs() < 1e-6 * times.len().max(1) as f64,
        "{zone} {metric}: {seconds}"
    );
    for bound in [0.001, 0.0025, 0.005] {
        let within = times.iter().filter(|it| **it <= bound).count() as u64;
        let ours = number(samples, &name("bucket"), &[("zone", zone), ("le", &bound.to_string())]);
        assert_eq!(ours, within, "{zone} {metric} {bound}");
    }
}

#[test]
fn a_last_heartbeat_is_that_of_tshark() {
    let name = "zaldua2zerb1-killed";
    let file = captures().join(name).join("zaldua2.pcap");
    // Answers that tell a state come from the called URL: of zaldua2zerb1 in its own zone, and of the hub.
    let filter = "http.response and json.key == \"date-time\"";
    let output = Command::new("tshark")
        .args(["-n", "-d", "tcp.port==8000-8002,http", "-Y", filter, "-T", "fields"])
        .args(["-e", "ip.src", "-e", "frame.time_epoch", "-r"])
        .arg(file)
        .output();
    let Ok(output) = output else {
        println!("SKIPPED: tshark is not installed; heartbeats are not compared with it");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (server, time) = line.split_once('\t').unwrap();
        last.insert(server.to_owned(), time.parse().unwrap());
    }
    assert_eq!(last.len(), 2, "{last:?}");
    let samples = samples(&scenario(name).last().unwrap().text);
    for (address, server) in [("192.168.4.5", "zaldua2zerb1"), ("192.168.4.4", "zaldua1zerb1")] {
        let seat = [("server", server), ("relationship", "zaldua2zerb1 + zaldua1zerb1")];
        let ours = sum(&samples, "dorascope_last_heartbeat_timestamp_seconds", &seat);
        assert!((ours - last[address]).abs() < 1e-5, "{server}: {ours}, {last:?}");
    }
}

#[test]
fn a_split_brain_is_counted_as_keas_logs_show_it() {
    let name = "split-brain";
    let mut offered: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for line in truths(&captures().join(name)) {
        if line.event == "sent" && line.message_type.as_deref() == Some("OFFER") {
            offered.entry((line.mac.unwrap(), line.xid.unwrap())).or_default().insert(line.server);
        }
    }
    let both = offered.values().filter(|servers| servers.len() > 1).count() as u64;
    assert_eq!(both, 8);
    let looks = scenario(name);
    let last = samples(&looks.last().unwrap().text);
    assert_eq!(number(&last, "dorascope_exchanges_total", &[("verdict", "both-answered")]), both);
    // Once the pair is split, a finding says so, and while it was whole none did.
    let errors = |samples: &[Sample]| number(samples, "dorascope_findings", &[("severity", "error")]);
    assert!(errors(&last) > 0);
    assert!(number(&last, "dorascope_finding_occurrences", &[("severity", "error")]) >= errors(&last));
    let cut = looks.iter().take_while(|look| look.time.0 < 1_795_367_855_858_000_000);
    assert!(cut.last().is_some_and(|look| errors(&samples(&look.text)) == 0));
}
