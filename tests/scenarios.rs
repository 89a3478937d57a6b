//! Hand-written message lists with what must be made of them: every file of
//! `tests/scenarios/`, each with its own sources of truth named at its head.

mod channel;
mod properties;
mod render;
pub mod script;

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::path::Path;

use dorascope::exchange::PairLimits;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::analyze;
use dorascope::units::{HwAddr, SECOND, parse_hex};
use serde::Deserialize;

use crate::support::temp::TempDir;

/// A scenario file: networks and a cast that its cases share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenarios {
    #[serde(default)]
    network: BTreeMap<String, Network>,
    /// `MAC` or `MAC / option 61`; `-` for no hardware address.
    clients: BTreeMap<String, String>,
    hosts: BTreeMap<String, Ipv4Addr>,
    case: Vec<Case>,
}

/// A topology.toml and the Kea files beside it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    topology: String,
    #[serde(default)]
    kea: BTreeMap<String, String>,
}

/// One message list and what must come of it; a list that is left out is not compared,
/// except that there must be no findings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Absent: nothing is configured.
    network: Option<String>,
    #[serde(default)]
    limits: Limits,
    messages: String,
    exchanges: Option<String>,
    leases: Option<String>,
    decisions: Option<String>,
    verdicts: Option<String>,
    #[serde(default)]
    findings: String,
    /// In place of `findings`, with severity, count and time.
    reports: Option<String>,
    /// The sentences of the findings.
    sentences: Option<String>,
    #[serde(default)]
    orphans: u64,
    #[serde(default)]
    evicted: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    idle_s: Option<i64>,
    linger_s: Option<i64>,
    per_client: Option<usize>,
    open: Option<usize>,
    steps: Option<usize>,
}

impl Limits {
    fn pair_limits(&self) -> PairLimits {
        let usual = PairLimits::default();
        PairLimits {
            idle_ns: self.idle_s.map_or(usual.idle_ns, |s| s * SECOND),
            linger_ns: self.linger_s.map_or(usual.linger_ns, |s| s * SECOND),
            per_client: self.per_client.unwrap_or(usual.per_client),
            open: self.open.unwrap_or(usual.open),
            steps: self.steps.unwrap_or(usual.steps),
            ..usual
        }
    }
}

impl Scenarios {
    fn cast(&self) -> script::Cast {
        let client = |text: &String| {
            let (mac, id) = text.split_once('/').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
            let mac = if mac.trim() == "-" { HwAddr::default() } else { mac.trim().parse().unwrap() };
            (mac, id.map(|id| parse_hex(id.trim()).unwrap()))
        };
        script::Cast {
            clients: self.clients.iter().map(|(name, text)| (name.clone(), client(text))).collect(),
            hosts: self.hosts.clone().into_iter().collect(),
        }
    }

    fn topology(&self, name: Option<&str>, folder: &TempDir) -> Topology {
        let Some(name) = name else { return Topology::default() };
        let network = &self.network[name];
        for (file, text) in &network.kea {
            folder.file(file, text.as_bytes());
        }
        Topology::load(&folder.file("topology.toml", network.topology.as_bytes()))
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// What differs from what the case says, as text.
    fn run(&self, case: &Case) -> Vec<String> {
        let folder = TempDir::new("scenario");
        let cast = self.cast();
        let frames = script::read(&cast, &case.messages);
        let (inputs, labels) = script::write(&frames, &folder);
        let topology = self.topology(case.network.as_deref(), &folder);
        let analysis = analyze(&inputs, &topology, case.limits.pair_limits(), |_| {});
        assert!(analysis.troubles.is_empty(), "{:?}", analysis.troubles);
        for (source, counts) in analysis.sources.iter().zip(&analysis.counts.sources) {
            assert_eq!(source.frames, counts.frames(), "{}", source.name);
        }
        properties::every_message_has_one_exchange(&analysis);
        let seen = render::Seen::new(&analysis, &cast, &labels);
        let mut differences = Vec::new();
        let mut compare = |what: &str, expected: Option<&String>, got: Vec<String>| {
            let Some(expected) = expected else { return };
            let tidy = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            let expected: Vec<String> = expected
                .lines()
                .map(tidy)
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .collect();
            if expected != got {
                let expected = expected.join("\n        ");
                let got = got.join("\n        ");
                differences
                    .push(format!("  {what} should be\n        {expected}\n    and are\n        {got}"));
            }
        };
        compare("exchanges", case.exchanges.as_ref(), seen.exchanges());
        compare("leases", case.leases.as_ref(), seen.leases());
        compare("decisions", case.decisions.as_ref(), seen.decisions());
        compare("verdicts", case.verdicts.as_ref(), seen.verdicts());
        match &case.reports {
            Some(reports) => compare("reports", Some(reports), seen.reports()),
            None => compare("findings", Some(&case.findings), seen.findings()),
        }
        compare("sentences", case.sentences.as_ref(), seen.sentences());
        let counts = (analysis.counts.orphans, analysis.counts.evicted);
        if counts != (case.orphans, case.evicted) {
            differences.push(format!(
                "  orphans and evicted should be {}, {} and are {counts:?}",
                case.orphans, case.evicted
            ));
        }
        differences
    }
}

fn load(path: &Path) -> Scenarios {
    let text = std::fs::read_to_string(path).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A network of a scenario file.
fn network(file: &str, name: &str) -> Topology {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    load(&folder.join(file)).topology(Some(name), &TempDir::new("network"))
}

#[test]
fn scenarios_come_out_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let (mut run, mut failed) = (0, Vec::new());
    let mut names: HashMap<String, String> = HashMap::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    for path in &paths {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        let scenarios = load(path);
        for case in &scenarios.case {
            let other = names.insert(case.name.clone(), file.clone());
            assert_eq!(other, None, "{} stands twice", case.name);
            if !format!("{file}: {}", case.name).contains(&only) {
                continue;
            }
            run += 1;
            let differences = scenarios.run(case);
            if !differences.is_empty() {
                failed.push(format!("{file}: {}\n{}", case.name, differences.join("\n")));
            }
        }
    }
    println!("{run} scenarios in {} files", paths.len());
    assert!(only.is_empty() || run > 0, "no scenario is called {only}");
    assert!(failed.is_empty(), "{} of {run} failed\n\n{}", failed.len(), failed.join("\n\n"));
}
