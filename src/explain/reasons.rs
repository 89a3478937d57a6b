//! The lower half of a card: why one server answered and the others did not.

use unicode_width::UnicodeWidthStr;

use super::card::Card;
use super::text::{Line, Role, wrap};
use super::wait;
use crate::ha::catalogue::Rule;
use crate::ha::decide::{Decision, Expected, Seen};
use crate::ha::network::Heard;
use crate::ha::timeline::Basis;
use crate::ha::topology::Topology;
use crate::units::{FrameRef, ServerId};

/// Servers that a card explains; more of them answer one client in floods only.
const MOST_SERVERS: usize = 12;
/// Where wrapped reasons go on.
const INDENT: usize = 25;
/// The same where that leaves too little room.
const SMALL_INDENT: usize = 9;
/// A reason needs this much room beside the queries that it is about.
const LEAST_ROOM: usize = 24;

/// `Why` and `Why not` for every server, then what HA cost.
pub fn lines(card: &Card<'_>, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut servers: Vec<ServerId> = card.decisions.iter().map(|decision| decision.server).collect();
    servers.sort_unstable();
    servers.dedup();
    servers.sort_by_key(|server| Some(*server) != card.judgement.answered_by);
    let more = servers.len().saturating_sub(MOST_SERVERS);
    for server in servers.into_iter().take(MOST_SERVERS) {
        let about: Vec<&Decision> =
            card.decisions.iter().filter(|decision| decision.server == server).collect();
        lines.extend(server_lines(card, server, &about, width));
    }
    if more > 0 {
        let note = format!("{more} more servers; --format json has all of them");
        lines.push(Line::of([(Role::Plain, " "), (Role::Weak, note.as_str())]));
    }
    if lines.is_empty() {
        lines.extend(paragraph(" ", &format!("{}.", card.judgement.reason), width));
    }
    lines.extend(absent_owner(card, width));
    lines.extend(super::counted::lines(card, width));
    lines.extend(wait::lines(card, width));
    for line in wrap(hint(&card.analysis.network.topology), width.saturating_sub(1)) {
        lines.push(Line::of([(Role::Plain, " "), (Role::Weak, line.as_str())]));
    }
    lines
}

/// What a configuration would add, where there is none.
const fn hint(topology: &Topology) -> &'static str {
    if topology.servers.is_empty() {
        "Without Kea's configuration there is no rule to compare with: --kea NAME=kea-dhcp4.conf for each server, or \
         -t topology.toml, names the servers and explains their silence."
    } else if topology.inferred {
        "Pair concluded from its heartbeats; thresholds and subnets unknown. --kea or -t make it exact."
    } else {
        ""
    }
}

/// The server that the query belongs to, when no capture shows that it could hear it.
fn absent_owner(card: &Card<'_>, width: usize) -> Vec<Line> {
    let Some(owner) = card.judgement.owner else { return Vec::new() };
    let answered = card.judgement.answered_by.is_some();
    if answered || card.without_reply() || card.decisions.iter().any(|decision| decision.server == owner) {
        return Vec::new();
    }
    let heading =
        Line::of([(Role::Plain, " Why not "), (Role::Strong, card.server(owner)), (Role::Plain, "   ")]);
    let text = "the query belongs to it, and no capture shows a message of the client where it listens";
    because(heading, text, &Line::default(), width)
}

fn server_lines(card: &Card<'_>, server: ServerId, about: &[&Decision], width: usize) -> Vec<Line> {
    let name = card.server(server);
    if let Some(answered) = about.iter().find(|decision| decision.seen == Seen::Answered) {
        let line = Line::of([(Role::Plain, " Why "), (Role::Strong, name), (Role::Plain, "   ")]);
        let mut lines = because(line, &why(card, answered), &evidence(card, answered), width);
        // An attempt that the same server let pass before needs its own reason.
        let passed: Vec<&&Decision> = about.iter().filter(|d| d.seen != Seen::Answered).collect();
        lines.extend(passed_over(card, &passed, width));
        return lines;
    }
    if card.without_reply() && about.iter().all(|decision| decision.expected == Expected::Unknown) {
        let line = Line::of([(Role::Plain, " "), (Role::Strong, name), (Role::Plain, "   ")]);
        let text = "takes it without a reply, as RELEASE and DECLINE have none (RFC 2131 §4.3.3, §4.3.4)";
        return because(line, text, &Line::default(), width);
    }
    let down = about.iter().all(|decision| decision.rule == Rule::ServerDown);
    let mut lines = Vec::new();
    let heading = Line::of([(Role::Plain, " Why not "), (Role::Strong, name), (Role::Plain, "   ")]);
    if let Some(first) = about.first().filter(|_| down) {
        return because(heading, &hearing(card, about), &evidence(card, first), width);
    }
    lines.extend(because(heading, &hearing(card, about), &Line::default(), width));
    lines.extend(passed_over(card, &about.iter().collect::<Vec<_>>(), width));
    lines
}

/// One line per rule and state, with the queries that it stopped.
fn passed_over(card: &Card<'_>, about: &[&&Decision], width: usize) -> Vec<Line> {
    let mut groups: Vec<Vec<&Decision>> = Vec::new();
    for decision in about {
        let alike = |group: &&mut Vec<&Decision>| {
            group.first().is_some_and(|first| (first.rule, &first.state) == (decision.rule, &decision.state))
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(decision),
            None => groups.push(vec![decision]),
        }
    }
    let mut lines = Vec::new();
    for group in &groups {
        let Some(first) = group.first() else { continue };
        let mut line = Line::of([(Role::Plain, "     "), (Role::Plain, queries(card, group).as_str())]);
        line.pad_to(INDENT - 2);
        if line.width() + first.rule.code().len() + LEAST_ROOM > width {
            lines.push(std::mem::take(&mut line));
            line.pad_to(SMALL_INDENT - 2);
        }
        line.push(Role::Plain, "  ");
        line.push(Role::Notable, first.rule.code());
        line.push(Role::Plain, ": ");
        lines.extend(because(line, &why(card, first), &evidence(card, first), width));
    }
    lines
}

/// `DISCOVER #54`, `DISCOVER #54, REQUEST #56`, `5 DISCOVER #66–#128`.
fn queries(card: &Card<'_>, group: &[&Decision]) -> String {
    let mut kinds: Vec<(String, Vec<FrameRef>)> = Vec::new();
    for decision in group {
        let query = card.message(decision.query);
        let (kind, frame) = (query.type_name(), query.at);
        match kinds.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, frames)) => frames.push(frame),
            None => kinds.push((kind, vec![frame])),
        }
    }
    let named = kinds.iter().map(|(kind, frames)| match frames.as_slice() {
        [first, .., last] => format!("{} {kind} {}", frames.len(), card.frames(*first, *last)),
        [only] => format!("{kind} {}", card.frame(*only)),
        [] => kind.clone(),
    });
    named.collect::<Vec<_>>().join(", ")
}

/// Text behind a beginning, wrapped under itself, with the evidence flush right on the last line.
pub(super) fn because(beginning: Line, text: &str, evidence: &Line, width: usize) -> Vec<Line> {
    let most = if width < 3 * INDENT { SMALL_INDENT } else { INDENT };
    let indent = beginning.width().min(most);
    let mut lines = Vec::new();
    let mut current = beginning;
    let mut started = false;
    for word in text.split_whitespace() {
        let gap = if started { " " } else { "" };
        let movable = started || current.width() > indent;
        if movable && current.width() + gap.len() + word.width() > width {
            lines.push(std::mem::take(&mut current));
            current.pad_to(indent);
            current.push(Role::Plain, word);
        } else {
            current.push(Role::Plain, format!("{gap}{word}"));
        }
        started = true;
    }
    if evidence.width() == 0 {
        lines.push(current);
    } else {
        lines.extend(current.with_right(evidence.clone(), width));
    }
    lines
}

fn paragraph(indent: &str, text: &str, width: usize) -> Vec<Line> {
    wrap(text, width.saturating_sub(indent.len()))
        .into_iter()
        .map(|line| Line::of([(Role::Plain, indent), (Role::Plain, line.as_str())]))
        .collect()
}

/// Whether and how the server received the queries.
fn hearing(card: &Card<'_>, about: &[&Decision]) -> String {
    let Some(best) = about.iter().max_by_key(|decision| decision.heard) else { return String::new() };
    let zone = card.message(best.query).zone;
    let network = &card.analysis.network;
    let address = network.address_in(best.server, zone);
    let where_it_is = address.map_or_else(
        || "it answered others in this zone".to_owned(),
        |address| format!("{address} is in this zone"),
    );
    let queries = match about.len() {
        1 => "the message".to_owned(),
        2 => "both messages".to_owned(),
        count => format!("all {count} messages"),
    };
    let all_heard = about.iter().all(|decision| decision.heard == best.heard);
    let queries = if all_heard { queries } else { "messages".to_owned() };
    if about.iter().all(|decision| decision.rule == Rule::ServerDown) {
        let sure = about.iter().any(|decision| decision.confidence >= 0.9);
        let was = if sure { "was not running" } else { "was probably not running, or just starting" };
        return format!("it {was}; {where_it_is}");
    }
    if about.iter().all(|decision| decision.rule == Rule::NotServing) {
        return format!("it served nobody at that time, and may not have been running ({where_it_is}):");
    }
    match best.heard {
        Heard::Yes if about.iter().all(|decision| decision.expected == Expected::Ignore) => {
            format!(
                "it heard {queries} ({where_it_is}) and dropped {}:",
                if about.len() == 1 { "it" } else { "them" }
            )
        }
        Heard::Yes => format!("it heard {queries} ({where_it_is}) and did not answer:"),
        Heard::Likely => {
            format!("it probably heard {queries} ({where_it_is}, but it showed no life around then):")
        }
        Heard::Unknown => format!("nothing shows that it heard {queries}:"),
    }
}

/// The rule in the words of this case.
fn why(card: &Card<'_>, decision: &Decision) -> String {
    let topology = &*card.analysis.network.topology;
    let relationship = decision.relationship.and_then(|id| topology.relationship(id));
    let role = relationship.and_then(|it| it.peer_of(decision.server)).map(|peer| peer.role.as_str());
    let owner = decision.owner.map_or("its partner", |owner| card.server(owner));
    let state = decision.state.map_or("state not known".to_owned(), |state| format!("state {state}"));
    let query = card.message(decision.query);
    let hub = topology.is_hub(decision.server);
    let role = role.map_or(String::new(), |role| format!("{role}, "));
    match decision.rule {
        Rule::OwnScope => format!("{role}{state}, serving its own scope"),
        Rule::FailoverScope => format!("{role}{state}, serving the scope of {owner} too"),
        Rule::ScopeNotServed if role.starts_with("standby") => {
            format!("it is the standby, {state}, no scope of its own; {owner} owns the query")
        }
        Rule::ScopeNotServed => format!("the query belongs to {owner}; {role}{state}"),
        Rule::ServiceDisabled => format!("{state}: Kea's DHCP service is off in this state"),
        Rule::ServerDown if decision.confidence < 0.9 => {
            "it was probably not running, or just starting".to_owned()
        }
        Rule::ForeignServerId => {
            let named = query.server_id.map_or(String::new(), |id| id.to_string());
            let order = if hub {
                "on a hub the server identifier is checked before HA"
            } else {
                "the server identifier is checked after HA"
            };
            format!("the client chose {named}; {order}")
        }
        Rule::LeaseUpdateRejected => {
            let update = card.updates().find(|event| event.request_time >= query.time);
            let partner =
                update.and_then(|event| event.server).map_or("its partner", |server| card.server(server));
            let said = update.map_or("", |event| &*event.text);
            format!("it prepared the ACK and dropped it, because {partner} refused the lease: {said}")
        }
        // Numbers behind the topology's are servers that only the packets show.
        Rule::NoConfiguration
            if !topology.servers.is_empty() && decision.server.0 >= topology.servers.len() =>
        {
            "a DHCP server that the topology does not name".to_owned()
        }
        rule => {
            let title = rule.entry().title.trim_end_matches('.');
            let mut chars = title.chars();
            chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
        }
    }
}

/// The evidence as a short phrase for the right margin.
fn evidence(card: &Card<'_>, decision: &Decision) -> Line {
    let frames = match decision.evidence.as_slice() {
        [first, second, ..] if first.source != second.source => {
            format!("{}, {}", card.zoned(*first), card.zoned(*second))
        }
        [first, second, ..] => card.frames(*first, *second).replace('–', ", "),
        [only] => card.frame(*only),
        [] => String::new(),
    };
    let text = match (decision.rule, decision.basis) {
        (Rule::ForeignServerId, _) => "option 54".to_owned(),
        (Rule::LeaseUpdateRejected, _) => frames,
        // It rests on what is missing.
        (Rule::StateUnknown, _) => String::new(),
        (Rule::ServerDown, Some(Basis::Control) | None) => format!("refused {frames}"),
        (_, Some(Basis::Assumed)) => "assumed, nothing shows otherwise".to_owned(),
        (_, Some(basis)) => format!("{} {frames}", basis.as_str()),
        (_, None) => String::new(),
    };
    Line::of([(Role::Weak, text.as_str())])
}
