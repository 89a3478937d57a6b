//! What is beside the program: a dashboard, alerts, a unit, and the page that lists the metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dorascope::units::CaptureTime;
use dorascope::watch::metrics::Metrics;
use serde_json::Value;

use crate::support::exposition::{Sample, samples, sum};
use crate::support::page;
use crate::support::promql::{self, Query};
use crate::support::temp::TempDir;
use crate::support::watched::{Look, scenario};
use crate::truth::{captures, truths};

fn contrib(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(contrib(path)).unwrap()
}

/// Runs a program; nothing when it is not installed.
fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    let output = Command::new(program).args(arguments).output().ok();
    if output.is_none() {
        println!("SKIPPED: {program} is not installed, so it checked nothing in contrib/");
    }
    output
}

fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every text behind a key, wherever it is.
fn texts<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str));
            fields.values().for_each(|value| texts(value, key, found));
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, key, found)),
        _ => {}
    }
}

#[test]
fn every_metric_is_on_the_page() {
    const BEGIN: &str = "<!-- metrics: written by make docs -->\n";
    const END: &str = "<!-- /metrics -->";
    let mut table = "| metric | | labels | |\n|---|---|---|---|\n".to_owned();
    for it in Metrics::new(CaptureTime(0)).described() {
        let labels: Vec<String> = it.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(table, "| `{}` | {} | {} | {}. |", it.name, it.kind, labels.join(" "), it.help);
    }
    let text = read("README.md");
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    page::is_current("contrib/README.md", &format!("{before}{BEGIN}{table}{END}{after}"));
}

#[test]
fn what_is_described_is_what_the_text_says() {
    let text = &scenario("zaldua2zerb1-killed").last().unwrap().text.clone();
    let metrics = Metrics::new(CaptureTime(0));
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in samples(text) {
        let name = ["_bucket", "_sum", "_count"]
            .iter()
            .fold(sample.name.as_str(), |name, end| name.strip_suffix(end).unwrap_or(name));
        let known = labels.entry(name.to_owned()).or_default();
        known.extend(sample.labels.into_keys().filter(|label| label != "le"));
    }
    for it in metrics.described() {
        let expected: BTreeSet<String> = it.labels.iter().map(ToString::to_string).collect();
        assert_eq!(labels.get(it.name), Some(&expected), "{}", it.name);
        assert!(text.contains(&format!("# HELP {} {}.\n# TYPE {} {}\n", it.name, it.help, it.name, it.kind)));
    }
    assert_eq!(labels.len(), metrics.described().len());
}

/// Whether a query finds something among the samples: metrics, labels, and values that it names in full.
fn is_answered(query: &Query, samples: &[Sample]) -> Result<(), String> {
    // What Prometheus adds to every sample, and Grafana's own variables.
    let added = |label: &str| matches!(label, "instance" | "job");
    for (metric, matchers) in &query.selectors {
        let mut found: Vec<&Sample> = samples.iter().filter(|it| it.name == *metric).collect();
        if found.is_empty() {
            return Err(format!("no metric {metric}"));
        }
        for (label, operator, value) in matchers.iter().filter(|(label, ..)| !added(label)) {
            if !found.iter().any(|it| it.labels.contains_key(label)) {
                return Err(format!("{metric} has no label {label}"));
            }
            if operator == "=" {
                found.retain(|it| it.labels.get(label).is_some_and(|it| it == value));
            }
        }
        if found.is_empty() {
            return Err(format!("{metric} never has {matchers:?}"));
        }
    }
    let has = |label: &String| {
        let of_query = |it: &&Sample| query.selectors.iter().any(|(metric, _)| *metric == it.name);
        added(label) || samples.iter().filter(of_query).any(|it| it.labels.contains_key(label))
    };
    match query.groupings.iter().find(|label| !has(label)) {
        Some(label) => Err(format!("nothing in it has the label {label}")),
        None => Ok(()),
    }
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("grafana/dorascope.json")).unwrap();
    let samples = samples(&scenario("zaldua2zerb1-killed").last().unwrap().text);
    let (mut queries, mut legends) = (Vec::new(), Vec::new());
    texts(&dashboard, "expr", &mut queries);
    texts(&dashboard, "definition", &mut queries);
    texts(&dashboard, "legendFormat", &mut legends);
    assert!(queries.len() > 25, "{}", queries.len());
    let rules = read("prometheus/rules.yml");
    let alerts = promql::of_rules(&rules);
    assert_eq!(alerts.len(), rules.matches("alert:").count());
    let mut asked = BTreeSet::new();
    for text in queries.iter().copied().chain(alerts.iter().map(String::as_str)) {
        let query = promql::query(text);
        assert!(!query.selectors.is_empty(), "{text}");
        is_answered(&query, &samples).unwrap_or_else(|why| panic!("{why}: {text}"));
        asked.extend(query.selectors.into_iter().map(|(metric, _)| metric));
    }
    // A legend's label belongs to its own query.
    let mut targets = Vec::new();
    promql::targets(&dashboard, &mut targets);
    for (expression, legend) in targets {
        let query = promql::query(expression);
        for label in promql::legend_labels(legend) {
            let grouped = query.groupings.contains(&label);
            let open = query.groupings.is_empty()
                && samples.iter().any(|it| query.selectors[0].0 == it.name && it.labels.contains_key(&label));
            assert!(grouped || open, "{{{{{label}}}}}: {expression}");
        }
    }
    println!("{} queries ask for {} metrics", queries.len() + alerts.len(), asked.len());
    // A query for what is not there is found.
    for wrong in [
        "dorascope_frame_total",
        "dorascope_held{kind=\"x\"}",
        "dorascope_server_state{state=\"gone\"}",
        "sum by (servr) (dorascope_unacked_clients)",
    ] {
        assert!(is_answered(&promql::query(wrong), &samples).is_err(), "{wrong}");
    }
}

#[test]
fn promtool_takes_the_metrics_the_alerts_and_every_query() {
    let Some(output) =
        run("promtool", &["check", "config", contrib("prometheus/dorascope.yml").to_str().unwrap()])
    else {
        return;
    };
    assert!(output.status.success(), "{}", text_of(&output));
    let temp = TempDir::new("promtool");
    // Every query of the dashboard as the rule of a recording, with Grafana's variables filled in.
    let dashboard: Value = serde_json::from_str(&read("grafana/dorascope.json")).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (at, query) in queries.iter().enumerate() {
        let query = query.replace("$__rate_interval", "1m").replace('\n', " ");
        let _ = write!(rules, "      - record: panel:query:{at}\n        expr: {}\n", Value::from(query));
    }
    let file = temp.file("dashboard.yml", rules.as_bytes());
    let output = run("promtool", &["check", "rules", file.to_str().unwrap()]).unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    assert!(text_of(&output).contains(&format!("SUCCESS: {} rules found", queries.len())));
    // The text itself, with promtool's opinions on names.
    let file = temp.file("metrics", scenario("zaldua2zerb1-killed").last().unwrap().text.as_bytes());
    let output = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(file).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
}

#[test]
fn systemd_takes_the_unit_and_finds_it_closed() {
    let unit = read("systemd/dorascope-sniff.service");
    for (setting, value) in [
        ("AmbientCapabilities", "CAP_NET_RAW"),
        ("CapabilityBoundingSet", "CAP_NET_RAW"),
        ("DynamicUser", "yes"),
    ] {
        assert!(unit.contains(&format!("\n{setting}={value}\n")), "{setting}");
    }
    // Where it is built, and not where it will be installed.
    let temp = TempDir::new("unit");
    let unit = unit
        .replace("/usr/local/bin/dorascope", env!("CARGO_BIN_EXE_dorascope"))
        .replace("/etc/default/dorascope-sniff", contrib("systemd/dorascope-sniff.env").to_str().unwrap());
    let file = temp.file("dorascope-sniff.service", unit.as_bytes());
    let file = file.to_str().unwrap();
    let Some(output) = run("systemd-analyze", &["verify", "--man=no", file]) else { return };
    assert!(output.status.success(), "{}", text_of(&output));
    assert!(!text_of(&output).contains("dorascope-sniff"), "{}", text_of(&output));
    // The threshold is in tenths: what systemd calls OK ends at 4.9, and a plain unit has 9.6.
    let closed = run("systemd-analyze", &["security", "--offline=true", "--threshold=25", file]).unwrap();
    if text_of(&closed).contains("unrecognized option") {
        println!("SKIPPED: this systemd cannot look at a unit that is not installed");
        return;
    }
    assert!(closed.status.success(), "{}", text_of(&closed));
}

/// The values of a metric in the looks, one each second.
fn values(looks: &[Look], name: &str, labels: &[(&str, &str)]) -> String {
    let values = looks.iter().map(|look| sum(&samples(&look.text), name, labels).to_string());
    values.collect::<Vec<_>>().join(" ")
}

/// The alerts about a partner, over the recording of one that is killed, goes for 13 s and returns.
#[test]
fn alerts_fire_when_the_recording_gives_them_reason() {
    let looks = scenario("zaldua2zerb1-killed");
    let seat = [("server", "zaldua1zerb1"), ("relationship", "zaldua2zerb1 + zaldua1zerb1")];
    let labels = "server=\"zaldua1zerb1\", relationship=\"zaldua2zerb1 + zaldua1zerb1\"";
    let mut series = String::new();
    for name in ["dorascope_unacked_clients", "dorascope_unacked_clients_limit"] {
        let values = values(&looks, name, &seat);
        let _ = write!(series, "      - series: '{name}{{{labels}}}'\n        values: '{values}'\n");
    }
    let second = |ns: i64| looks.iter().position(|look| look.time.0 >= ns).unwrap();
    // Kea's log: when the fifth client of ten is counted, and when the first one is.
    let truth = truths(&captures().join("zaldua2zerb1-killed"));
    let unacked: Vec<i64> =
        truth.iter().filter(|line| line.event == "unacked").map(|line| line.ts_ns).collect();
    let (before, after) = (second(unacked[0]) - 1, second(unacked[4]));
    let test = |at: usize, fires: bool| {
        let firing = format!(
            "          - labels: 'ALERTS{{alertname=\"DhcpTakeoverNear\", alertstate=\"firing\", severity=\"warning\", {labels}}}'\n            value: 1\n"
        );
        let expected = if fires { format!("\n{firing}") } else { " []\n".to_owned() };
        format!("      - expr: ALERTS\n        eval_time: {at}s\n        exp_samples:{expected}")
    };
    let rules = contrib("prometheus/rules.yml");
    let text = format!(
        "rule_files:\n  - {}\nevaluation_interval: 1s\ntests:\n  - interval: 1s\n    input_series:\n{series}    promql_expr_test:\n{}{}{}",
        rules.display(),
        test(before, false),
        test(after, true),
        test(looks.len() - 1, false),
    );
    let temp = TempDir::new("alerts");
    let file = temp.file("test.yml", text.as_bytes());
    let Some(output) = run("promtool", &["test", "rules", file.to_str().unwrap()]) else { return };
    assert!(output.status.success(), "{}\n{text}", text_of(&output));
}
