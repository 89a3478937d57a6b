//! The recorded scenarios against Kea's own logs (`captures/*/truth.jsonl`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dorascope::capture::Input;
use dorascope::exchange::{Observed, PairLimits};
use dorascope::ha::catalogue::Rule;
use dorascope::ha::decide::{Decision, Expected, Seen};
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, analyze};
use serde::Deserialize;

/// One line of truth.jsonl; what Kea's log says about one event.
#[derive(Debug, Deserialize)]
pub struct Truth {
    pub ts_ns: i64,
    pub server: String,
    pub event: String,
    pub relationship: Option<String>,
    pub to_state: Option<String>,
    pub mac: Option<String>,
    pub xid: Option<String>,
    pub message_type: Option<String>,
    pub ip: Option<String>,
}

pub fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

pub fn scenarios() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(captures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("truth.jsonl").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 4, "scenarios are missing: {folders:?}");
    folders
}

/// The captures of a scenario, one per zone.
pub fn inputs(folder: &Path) -> Vec<Input> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut captures: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|kind| kind == "pcap")).collect();
    captures.sort();
    assert!(!captures.is_empty(), "no capture in {}", folder.display());
    captures.into_iter().map(|path| Input { zone: None, path }).collect()
}

pub fn truths(folder: &Path) -> Vec<Truth> {
    let text = std::fs::read_to_string(folder.join("truth.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What Kea's log, and the lab's diary, say that a server did with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Logged {
    Answered,
    /// Received and worked on, without a reply of the fitting type.
    Received,
    NotForUs,
    ForeignServerId,
    /// DHCP service switched off: Kea drops the query unread, so the line names no client.
    ServiceOff,
    /// Killed and not started again.
    NotRunning,
    Nothing,
}

impl Logged {
    /// The heading of its column.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Received => "processed, no reply",
            Self::NotForUs => "not for us",
            Self::ForeignServerId => "other server id",
            Self::ServiceOff => "service off",
            Self::NotRunning => "not running",
            Self::Nothing => "not in the log",
        }
    }
}

impl Truth {
    /// Whether it says that an ACK was sent for a lease; the ACK to an INFORM is for none.
    pub fn is_ack(&self) -> bool {
        self.event == "sent" && self.message_type.as_deref() == Some("ACK") && self.ip.is_some()
    }
}

pub fn logged(decision: &Decision, analysis: &Analysis<'_>, truth: &[Truth]) -> Logged {
    logged_at(analysis.network.machines.name(decision.server), analysis.message(decision.query), truth)
}

/// What became of a query on the lab's server of this name.
pub fn logged_at(server: &str, query: &Observed, truth: &[Truth]) -> Logged {
    let (mac, xid) = (query.chaddr.to_string(), query.xid.to_string());
    let of_server = || truth.iter().filter(|line| line.server == server);
    let age = |line: &Truth| line.ts_ns - query.time.0;
    let running =
        of_server().filter(|line| age(line) < 0).fold(false, |running, line| match line.event.as_str() {
            "started" | "returned" => true,
            "killed" => false,
            _ => running,
        });
    if !running {
        return Logged::NotRunning;
    }
    // A query is handled within a second; the clients here ask again after two.
    // A client without a hardware address has none in the log.
    let mac = Some(mac.as_str()).filter(|mac| !mac.is_empty());
    let of_client = |line: &&Truth| line.mac.as_deref() == mac && line.xid.as_deref() == Some(&xid);
    let lines: Vec<&Truth> = of_server()
        .filter(of_client)
        .filter(|line| (-5_000_000..1_000_000_000).contains(&age(line)))
        .collect();
    let of_type = |line: &&&Truth| {
        let kind = query.type_name();
        line.message_type.as_deref().is_none_or(|logged| logged == kind)
    };
    let replies: &[&str] = match query.type_name().as_str() {
        "DISCOVER" => &["OFFER"],
        "REQUEST" => &["ACK", "NAK"],
        "INFORM" => &["ACK"],
        _ => &[],
    };
    let sent = |line: &&Truth| {
        line.event == "sent" && line.message_type.as_deref().is_some_and(|kind| replies.contains(&kind))
    };
    let has = |event: &str| lines.iter().filter(of_type).any(|line| line.event == event);
    let is_request = query.type_name() == "REQUEST";
    if is_request && has("received") {
        if parked(of_server().filter(of_client), query.time.0) { Logged::Answered } else { Logged::Received }
    } else if lines.iter().any(sent) {
        Logged::Answered
    } else if has("not-for-us") && query.type_name() == "DISCOVER" {
        Logged::NotForUs
    } else if has("foreign-server-id") {
        Logged::ForeignServerId
    } else if has("not-for-us") {
        Logged::NotForUs
    } else if has("received") {
        Logged::Received
    } else if of_server().any(|line| line.event == "dropped" && (-5_000_000..20_000_000).contains(&age(line)))
    {
        Logged::ServiceOff
    } else {
        Logged::Nothing
    }
}

/// Whether the REQUEST that a client sent at `time` was answered, at once or late.
///
/// Kea keeps a REQUEST while it waits for the partner to store the lease, ten
/// seconds at most, and a client asks again meanwhile. A reply goes to a REQUEST
/// of the last second; one later than that, and the news that an update failed,
/// are about the oldest that is still kept (kea-ha §2.2).
fn parked<'t>(lines: impl Iterator<Item = &'t Truth>, time: i64) -> bool {
    let mut kept: Vec<i64> = Vec::new();
    for line in lines {
        let answers = line.event == "sent" && matches!(line.message_type.as_deref(), Some("ACK" | "NAK"));
        let fails = line.event.starts_with("lease-update-");
        kept.retain(|received| line.ts_ns - received < 10_500_000_000);
        if line.event == "received" && line.message_type.as_deref() == Some("REQUEST") {
            kept.push(line.ts_ns);
        } else if answers || fails {
            let fresh = kept.last().is_some_and(|last| line.ts_ns - last < 1_000_000_000);
            let about = if fresh { kept.pop() } else { (!kept.is_empty()).then(|| kept.remove(0)) };
            // The log is a little later than the wire.
            if about.is_some_and(|received| (-5_000_000..1_000_000_000).contains(&(received - time))) {
                return answers;
            }
        }
    }
    false
}

/// Whether the rule that a decision gives is the reason that the log gives.
fn same_reason(rule: Rule, logged: Logged) -> bool {
    match logged {
        Logged::Answered => matches!(rule, Rule::OwnScope | Rule::FailoverScope | Rule::NoHa),
        Logged::Received => matches!(rule, Rule::LeaseUpdateRejected | Rule::LeaseUpdateFailed),
        Logged::NotForUs => matches!(rule, Rule::ScopeNotServed | Rule::NoIdentifier),
        Logged::ForeignServerId => rule == Rule::ForeignServerId,
        Logged::ServiceOff => {
            matches!(rule, Rule::ServiceDisabled | Rule::StateUnknown | Rule::NotServing)
        }
        Logged::NotRunning => matches!(rule, Rule::ServerDown | Rule::NotServing),
        Logged::Nothing => false,
    }
}

#[test]
fn decisions_agree_with_keas_log() {
    let (mut agreed, mut reasons, mut unknown, mut doubtful) = (0, 0, 0, 0);
    let (mut contradictions, mut other_reasons) = (Vec::new(), Vec::new());
    for folder in scenarios() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let topology = Topology::load(&folder.join("topology.toml")).unwrap();
        let analysis = analyze(&inputs(&folder), &topology, PairLimits::default(), |_| {});
        assert!(analysis.troubles.is_empty(), "{:?}", analysis.troubles);
        let truth = truths(&folder);
        let before = (agreed, unknown, doubtful, contradictions.len());
        for decision in &analysis.decisions {
            let query = analysis.message(decision.query);
            if decision.server.0 >= topology.servers.len() {
                // A rogue server's, of which there is no log.
                continue;
            }
            let logged = logged(decision, &analysis, &truth);
            let line = format!(
                "{name}: {} {} {} #{} at {}: {} by {} ({:.2}), seen {:?}, logged {logged:?}",
                analysis.network.machines.name(decision.server),
                query.type_name(),
                query.xid,
                query.at.number,
                query.time.0,
                decision.expected.as_str(),
                decision.rule.code(),
                decision.confidence,
                decision.seen,
            );
            assert_ne!(logged, Logged::Nothing, "the log does not know of {line}");
            if decision.seen != Seen::Unknown {
                assert_eq!(decision.seen == Seen::Answered, logged == Logged::Answered, "{line}");
            }
            let expected = match decision.expected {
                Expected::Answer => true,
                Expected::Ignore => false,
                Expected::Unknown => {
                    unknown += 1;
                    continue;
                }
            };
            if expected == (logged == Logged::Answered) {
                agreed += 1;
                if same_reason(decision.rule, logged) {
                    reasons += 1;
                } else if decision.confidence >= 0.9 {
                    other_reasons.push(line);
                }
            } else if decision.confidence < 0.9 {
                doubtful += 1;
            } else {
                contradictions.push(line);
            }
        }
        println!(
            "{name}: {} decisions agree with Kea's log, {} contradict it above 0.9, {} below; {} unknown",
            agreed - before.0,
            contradictions.len() - before.3,
            doubtful - before.2,
            unknown - before.1,
        );
    }
    println!(
        "SCORE {agreed} of {} agree, {reasons} with the logged reason, {unknown} unknown",
        agreed + doubtful + contradictions.len()
    );
    assert!(contradictions.is_empty(), "{contradictions:#?}");
    assert!(other_reasons.is_empty(), "{other_reasons:#?}");
    assert!(agreed > 300, "only {agreed} decisions could be compared");
}

#[test]
fn leases_agree_with_keas_log() {
    let (mut acks, mut wrong) = (0, Vec::new());
    for folder in scenarios() {
        let topology = Topology::load(&folder.join("topology.toml")).unwrap();
        let analysis = analyze(&inputs(&folder), &topology, PairLimits::default(), |_| {});
        // What Kea sent, by client, address and server.
        let mut sent: BTreeSet<(String, String, String)> = BTreeSet::new();
        for line in truths(&folder).into_iter().filter(Truth::is_ack) {
            acks += 1;
            sent.insert((line.mac.unwrap(), line.ip.unwrap(), line.server));
        }
        let known = analysis.leases.iter().filter(|lease| lease.server.0 < topology.servers.len());
        let ours: BTreeSet<(String, String, String)> = known
            .map(|lease| {
                let server = analysis.network.machines.name(lease.server).to_owned();
                (lease.client.chaddr.to_string(), lease.ip.to_string(), server)
            })
            .collect();
        if sent != ours {
            let (missing, extra) = (sent.difference(&ours), ours.difference(&sent));
            let (missing, extra): (Vec<_>, Vec<_>) = (missing.collect(), extra.collect());
            wrong.push(format!("{}: missing {missing:?}, extra {extra:?}", folder.display()));
        }
    }
    println!(
        "{acks} ACKs of Kea's logs, all of them leases with the right server and address: {}",
        wrong.is_empty()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(acks >= 40, "only {acks} ACKs");
}

#[test]
fn every_frame_is_accounted_for() {
    for folder in scenarios() {
        let topology = Topology::load(&folder.join("topology.toml")).unwrap();
        let analysis = analyze(&inputs(&folder), &topology, PairLimits::default(), |_| {});
        for (source, counts) in analysis.sources.iter().zip(&analysis.counts.sources) {
            assert_eq!(source.frames, counts.frames(), "{}", source.name);
        }
        assert!(analysis.counts.total().control > 0);
    }
}
