//! The lower half of a card: why one server answered and the others did not.

use super::card::Card;
use super::reason::Reason;
use super::text::{Line, Role};
use super::wait;
use crate::ha::catalogue::Rule;
use crate::ha::decide::{Decision, Expected, Seen};
use crate::ha::network::Heard;
use crate::ha::timeline::Basis;
use crate::ha::topology::Topology;
use crate::units::{FrameRef, ServerId};

/// Servers that a card explains; more of them answer one client in floods only.
const MOST_SERVERS: usize = 12;

/// `Why` and `Why not` for every server, then what HA cost.
pub(super) fn reasons(card: &Card<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut servers: Vec<ServerId> = card.decisions.iter().map(|decision| decision.server).collect();
    servers.sort_unstable();
    servers.dedup();
    servers.sort_by_key(|server| Some(*server) != card.judgement.answered_by);
    let more = servers.len().saturating_sub(MOST_SERVERS);
    for server in servers.into_iter().take(MOST_SERVERS) {
        let about: Vec<&Decision> =
            card.decisions.iter().filter(|decision| decision.server == server).collect();
        reasons.extend(of_server(card, server, &about));
    }
    if more > 0 {
        reasons.push(Reason::Remark(format!("{more} more servers; --format json has all of them")));
    }
    if reasons.is_empty() {
        reasons.push(Reason::Sentence(format!("{}.", card.judgement.reason)));
    }
    reasons.extend(absent_owner(card));
    reasons.extend(super::counted::reasons(card));
    reasons.extend(wait::reasons(card));
    let hint = hint(&card.analysis.network.topology);
    if !hint.is_empty() {
        reasons.push(Reason::Remark(hint.to_owned()));
    }
    reasons
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
fn absent_owner(card: &Card<'_>) -> Option<Reason> {
    let owner = card.judgement.owner?;
    let answered = card.judgement.answered_by.is_some();
    if answered || card.without_reply() || card.decisions.iter().any(|decision| decision.server == owner) {
        return None;
    }
    let heading =
        Line::of([(Role::Plain, " Why not "), (Role::Strong, card.server(owner)), (Role::Plain, "   ")]);
    let text = "the query belongs to it, and no capture shows a message of the client where it listens";
    Some(Reason::of(heading, text.to_owned(), Line::default()))
}

fn of_server(card: &Card<'_>, server: ServerId, about: &[&Decision]) -> Vec<Reason> {
    let name = card.server(server);
    if let Some(answered) = about.iter().find(|decision| decision.seen == Seen::Answered) {
        let line = Line::of([(Role::Plain, " Why "), (Role::Strong, name), (Role::Plain, "   ")]);
        let why = Reason::of(line, why(card, answered), evidence(card, answered));
        // An attempt that the same server let pass before needs its own reason.
        let passed: Vec<&Decision> = about.iter().copied().filter(|d| d.seen != Seen::Answered).collect();
        return std::iter::once(why).chain(passed_over(card, &passed)).collect();
    }
    if card.without_reply() && about.iter().all(|decision| decision.expected == Expected::Unknown) {
        let line = Line::of([(Role::Plain, " "), (Role::Strong, name), (Role::Plain, "   ")]);
        let text = "takes it without a reply, as RELEASE and DECLINE have none (RFC 2131 §4.3.3, §4.3.4)";
        return vec![Reason::of(line, text.to_owned(), Line::default())];
    }
    let down = about.iter().all(|decision| decision.rule == Rule::ServerDown);
    let heading = Line::of([(Role::Plain, " Why not "), (Role::Strong, name), (Role::Plain, "   ")]);
    if let Some(first) = about.first().filter(|_| down) {
        return vec![Reason::of(heading, hearing(card, about), evidence(card, first))];
    }
    let heading = Reason::of(heading, hearing(card, about), Line::default());
    std::iter::once(heading).chain(passed_over(card, about)).collect()
}

/// One reason per rule and state, with the queries that it stopped.
fn passed_over(card: &Card<'_>, about: &[&Decision]) -> Vec<Reason> {
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
    let rule = |group: &Vec<&Decision>| {
        let first = group.first()?;
        let (text, evidence) = (why(card, first), evidence(card, first));
        Some(Reason::Rule { queries: queries(card, group), rule: first.rule, text, evidence })
    };
    groups.iter().filter_map(rule).collect()
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
        Rule::ScopeNotServed if decision.owner == Some(decision.server) => {
            format!(
                "{role}{state}, but its own scope was off: by hand, or with the DHCP service for a partner's sync"
            )
        }
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
