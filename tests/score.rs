//! How good the predictions are: every decision and every lease of every recorded scenario against
//! Kea's own log of the same run, seen whole, without the control channel, and without any
//! configuration. The result is a page of the documentation, so it is never written by hand.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use dorascope::capture::Input;
use dorascope::dhcp::MessageType;
use dorascope::exchange::PairLimits;
use dorascope::ha::decide::Expected;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, analyze};
use dorascope::units::{MessageId, ServerId};

use crate::partial::{Sort, keep};
use crate::support::page::{self, MADE};
use crate::support::temp::TempDir;
use crate::truth::{Logged, Truth, inputs, logged_at, scenarios, truths};

/// How much of a recording dorascope gets to see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Whole,
    WithoutControl,
    WithoutConfiguration,
}

impl View {
    const ALL: [Self; 3] = [Self::Whole, Self::WithoutControl, Self::WithoutConfiguration];

    fn title(self) -> &'static str {
        match self {
            Self::Whole => "All captures and the configuration",
            Self::WithoutControl => "The control channel filtered out of the captures",
            Self::WithoutConfiguration => "All captures and no configuration at all",
        }
    }
}

/// What came of one scenario.
#[derive(Clone, Default)]
struct Score {
    acks: u64,
    leases: u64,
    right: u64,
    unknown: u64,
    /// Wrong with a confidence below 0.9, and from there on.
    doubtful: u64,
    wrong: u64,
    /// Rule and what the log says, counted.
    matrix: BTreeMap<(&'static str, Logged), u64>,
    /// Every decision that the log contradicts.
    mistakes: Vec<String>,
}

impl Score {
    fn add(&mut self, other: &Self) {
        self.acks += other.acks;
        self.leases += other.leases;
        self.right += other.right;
        self.unknown += other.unknown;
        self.doubtful += other.doubtful;
        self.wrong += other.wrong;
        for (key, count) in &other.matrix {
            *self.matrix.entry(*key).or_default() += count;
        }
        self.mistakes.extend_from_slice(&other.mistakes);
    }

    fn row(&self, name: &str) -> String {
        let all = self.right + self.unknown + self.doubtful + self.wrong;
        format!(
            "| {name} | {} of {} | {all} | {} | {} | {} | {} |\n",
            self.leases, self.acks, self.right, self.unknown, self.doubtful, self.wrong
        )
    }
}

/// The lab's name of every machine that the analysis knows, by its addresses.
fn names(analysis: &Analysis<'_>, lab: &Topology) -> HashMap<ServerId, String> {
    let machines = analysis.network.machines.iter();
    machines
        .map(|(id, machine)| {
            let known = machine.addresses.iter().find_map(|address| lab.server_by_address(*address));
            let name = known.and_then(|id| lab.server(id)).map_or(&machine.name, |server| &server.name);
            (id, name.clone())
        })
        .collect()
}

fn score(folder: &Path, view: View) -> Score {
    let slug = folder.file_name().unwrap().to_string_lossy();
    let lab = Topology::load(&folder.join("topology.toml")).unwrap();
    let temp = TempDir::new("score");
    let whole = inputs(folder);
    let shown: Vec<Input> = match view {
        View::WithoutControl => {
            whole.iter().map(|input| keep(input, &temp, |sort, _, _| sort != Sort::Control)).collect()
        }
        View::Whole | View::WithoutConfiguration => whole,
    };
    let nothing = Topology::default();
    let topology = if view == View::WithoutConfiguration { &nothing } else { &lab };
    let analysis = analyze(&shown, topology, PairLimits::default(), |_| {});
    assert!(analysis.troubles.is_empty(), "{:?}", analysis.troubles);
    let truth = truths(folder);
    let names = names(&analysis, &lab);
    let mut score = Score::default();
    for decision in &analysis.decisions {
        let query = analysis.message(decision.query);
        let server = &names[&decision.server];
        if lab.server_named(server).is_none() {
            // A rogue server's, of which there is no log.
            continue;
        }
        let logged = logged_at(server, query, &truth);
        *score.matrix.entry((decision.rule.code(), logged)).or_default() += 1;
        let answered = logged == Logged::Answered;
        let right = match decision.expected {
            Expected::Unknown => {
                score.unknown += 1;
                continue;
            }
            Expected::Answer => answered,
            Expected::Ignore => !answered,
        };
        let count = match right {
            true => &mut score.right,
            false if decision.confidence < 0.9 => &mut score.doubtful,
            false => &mut score.wrong,
        };
        *count += 1;
        if !right {
            score.mistakes.push(format!(
                "{}, {slug}: {server} {} {} of {} ({}#{}): {} by {} ({:.2}, {:?}), logged {logged:?}",
                view.title(),
                query.type_name(),
                query.xid,
                query.chaddr,
                analysis.sources[query.at.source.0 as usize].zone,
                query.at.number,
                decision.expected.as_str(),
                decision.rule.code(),
                decision.confidence,
                decision.basis,
            ));
        }
    }
    (score.acks, score.leases) = leases(&analysis, &names, &truth);
    score
}

/// The ACKs that Kea logged, and how many of them are attributed to that server with that address.
fn leases(analysis: &Analysis<'_>, names: &HashMap<ServerId, String>, truth: &[Truth]) -> (u64, u64) {
    let mut sent: HashMap<(String, String, String), u64> = HashMap::new();
    for line in truth.iter().filter(|line| line.is_ack()) {
        let (mac, ip) = (line.mac.clone().unwrap_or_default(), line.ip.clone().unwrap_or_default());
        *sent.entry((mac, ip, line.server.clone())).or_default() += 1;
    }
    // Kea sometimes sends one ACK twice within milliseconds, which looks like one packet on two ports.
    let mut ours: HashMap<(String, String, String), u64> = HashMap::new();
    for (at, message) in analysis.messages.iter().enumerate() {
        let first = message.sighting_of.as_ref().map_or(MessageId(at as u32), |seen| seen.message);
        if message.message_type == Some(MessageType::ACK)
            && let Some(answer) = analysis.answers.get(&first)
        {
            let key = (message.chaddr.to_string(), message.yiaddr.to_string(), names[&answer.server].clone());
            *ours.entry(key).or_default() += 1;
        }
    }
    let found = sent.iter().map(|(key, count)| (*count).min(ours.get(key).copied().unwrap_or(0)));
    (sent.values().sum(), found.sum())
}

/// One column per fate that Kea's logs show, one row per rule.
fn matrix(score: &Score) -> String {
    let mut fates: Vec<Logged> = score.matrix.keys().map(|(_, logged)| *logged).collect();
    fates.sort_unstable();
    fates.dedup();
    let mut rules: Vec<&str> = score.matrix.keys().map(|(rule, _)| *rule).collect();
    rules.dedup();
    let mut text = String::from("| rule |");
    for fate in &fates {
        let _ = write!(text, " {} |", fate.words());
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(fates.len()));
    for rule in rules {
        let _ = write!(text, "\n| `{rule}` |");
        for fate in &fates {
            match score.matrix.get(&(rule, *fate)) {
                Some(count) => write!(text, " {count} |"),
                None => write!(text, " |"),
            }
            .unwrap();
        }
    }
    text.push('\n');
    text
}

const HEAD: &str = "\
| scenario | ACKs attributed | decisions | right | unknown | wrong below 0.9 | wrong from 0.9 on |
|---|---:|---:|---:|---:|---:|---:|
";

const INTRODUCTION: &str = "\
# How good the predictions are

Every decision of dorascope over the recorded scenarios in `captures/`, compared with Kea's own debug log of the same run
(`truth.jsonl`): did this server answer this query, or what else became of it there. A decision is *right* when it expects
an answer and Kea logged one, or expects none and Kea logged none; *unknown* is what dorascope itself calls so. The second
table of each view has the reasons: the rule that dorascope gives, against what became of the query there. The test
`score` computes this page and fails when it differs.
";

#[test]
fn predictions_are_what_kea_logged() {
    let mut text = format!("{MADE}\n\n{INTRODUCTION}");
    let mut mistakes = Vec::new();
    let mut totals = Vec::new();
    for view in View::ALL {
        let mut total = Score::default();
        let _ = write!(text, "\n## {}\n\n{HEAD}", view.title());
        for folder in scenarios() {
            let score = score(&folder, view);
            text.push_str(&score.row(&folder.file_name().unwrap().to_string_lossy()));
            total.add(&score);
        }
        text.push_str(&total.row("**all**"));
        let _ = write!(text, "\nRule given, against what Kea logged:\n\n{}", matrix(&total));
        mistakes.append(&mut total.mistakes);
        totals.push(total);
    }
    println!("{text}");
    page::is_current("docs/predictions.md", &text);
    for total in &totals {
        assert_eq!(total.leases, total.acks, "every lease is attributed");
        assert_eq!(total.wrong, 0, "{mistakes:#?}");
    }
    assert_eq!(totals.iter().map(|total| total.doubtful).sum::<u64>(), 0, "{mistakes:#?}");
    let whole = &totals[0];
    let all = whole.right + whole.unknown + whole.doubtful;
    assert!(whole.right * 100 >= all * 99, "{} of {all} right", whole.right);
}
