//! The code and the sentence: what an operator reads first about an exchange.

use crate::exchange::{Exchange, Outcome, of};
use crate::ha::catalogue::{Rule, Verdict};
use crate::ha::decide::{Decision, Evidence, Expected, Seen};
use crate::ha::network::Heard;
use crate::units::ServerId;

/// A sentence, if it is asked for: most exchanges of a long capture are only counted.
macro_rules! say {
    ($sentence:expr, $($part:tt)*) => {
        if $sentence.wanted { format!($($part)*) } else { String::new() }
    };
}

/// What a sentence is made from.
pub(super) struct Sentence<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) exchange: &'a Exchange,
    pub(super) decisions: &'a [Decision],
    pub(super) answered_by: Option<ServerId>,
    /// Whether the sentence is asked for; the code comes with or without it.
    pub(super) wanted: bool,
}

impl Sentence<'_> {
    pub(super) fn name(&self, server: ServerId) -> &str {
        self.evidence.network.machines.name(server)
    }

    /// Verdict, sentence and confidence.
    pub(super) fn judge(&self, outcome: Outcome, answered: Option<&Decision>) -> (Verdict, String, f64) {
        match outcome {
            Outcome::Bound | Outcome::Nak | Outcome::OfferOnly if self.rivals().is_some() => {
                let (one, other) = self.rivals().unzip();
                let name = |it: Option<&Decision>| it.map_or("?", |decision| self.name(decision.server));
                let reason = say!(self, "{} and {} answered the same query", name(one), name(other));
                (Verdict::BothAnswered, reason, confidence(one).min(confidence(other)))
            }
            Outcome::Bound => self.answered(answered),
            Outcome::Nak => {
                let by = self.answered_by.map_or("a server", |server| self.name(server));
                (Verdict::Refused, say!(self, "{by} refused the address with a NAK"), confidence(answered))
            }
            Outcome::Informed => {
                let by = self.answered_by.map_or("A server", |server| self.name(server));
                (Verdict::Informed, say!(self, "{by} answered; no lease was involved"), confidence(answered))
            }
            Outcome::Released => (Verdict::Released, say!(self, "the client sent a RELEASE"), 0.99),
            Outcome::Declined => (Verdict::Declined, say!(self, "the client found its address in use"), 0.99),
            Outcome::OfferOnly => {
                let by = self.answered_by.map_or("a server", |server| self.name(server));
                // The REQUEST may lie behind the end of the capture, or on another wire.
                let reason = say!(self, "{by} offered an address; no REQUEST for it was captured");
                (Verdict::OfferNotTaken, reason, 0.6)
            }
            Outcome::NoAck => self.no_ack(),
            Outcome::NoAnswer => self.no_answer(),
        }
    }

    /// Two servers of one relationship that answered one query.
    fn rivals(&self) -> Option<(&Decision, &Decision)> {
        let mut answered = self.decisions.iter().filter(|decision| decision.seen == Seen::Answered);
        answered.find_map(|one| {
            let rival = self.decisions.iter().find(|other| {
                other.seen == Seen::Answered
                    && other.server != one.server
                    && other.relationship.is_some()
                    && other.relationship == one.relationship
                    && self.same_query(one, other)
            })?;
            Some((one, rival))
        })
    }

    /// Whether two decisions are about one message, which may have reached each server as another copy.
    pub(super) fn same_query(&self, one: &Decision, other: &Decision) -> bool {
        self.exchange.queries.iter().any(|step| {
            step.sightings().any(|id| id == one.query) && step.sightings().any(|id| id == other.query)
        })
    }

    fn answered(&self, answered: Option<&Decision>) -> (Verdict, String, f64) {
        let Some(decision) = answered else {
            let by = self.answered_by.map_or("a server", |server| self.name(server));
            return (
                Verdict::AnsweredUnexplained,
                say!(self, "{by} answered; the query was not captured"),
                0.5,
            );
        };
        let by = self.name(decision.server);
        let role = if self.wanted { self.role(decision) } else { String::new() };
        let silent = self.silent_partner(decision);
        let also = silent.map_or_else(String::new, |partner| {
            say!(self, "; {} {}", self.name(partner.server), silence(self.telling(partner)))
        });
        let sure = silent.map_or(decision.confidence, |partner| decision.confidence.min(partner.confidence));
        match (decision.expected, decision.rule) {
            (Expected::Answer, Rule::FailoverScope) => {
                // Whether the owner is down or just coming back does not change who serves.
                let reason = say!(self, "{by} answered in {}{also}", state(decision));
                (Verdict::PartnerTookOver, reason, decision.confidence)
            }
            (Expected::Answer, Rule::NoHa) => (
                Verdict::AnsweredWithoutHa,
                say!(self, "{by} answered; it has no HA relationship"),
                decision.confidence,
            ),
            (Expected::Answer, _) => (Verdict::OwnerAnswered, say!(self, "{by} answered{role}{also}"), sure),
            (Expected::Ignore, rule) => {
                let reason = say!(self, "{by} answered although it should be silent: {}", rule.code());
                (Verdict::WrongServerAnswered, reason, decision.confidence)
            }
            (Expected::Unknown, rule) => (
                Verdict::AnsweredUnexplained,
                say!(self, "{by} answered; {}", lower(rule.entry().title)),
                0.5,
            ),
        }
    }

    /// ` as the primary of A + B`, or nothing.
    fn role(&self, decision: &Decision) -> String {
        let topology = &*self.evidence.network.topology;
        let peer = decision.relationship.and_then(|id| {
            topology.relationship(id).and_then(|it| it.peer_of(decision.server)).map(|peer| (id, peer))
        });
        peer.map_or_else(String::new, |(id, peer)| {
            say!(self, " as the {} of {}", peer.role.as_str(), topology.relationship_name(id))
        })
    }

    /// The decision of another server that stayed silent about the answered query.
    fn silent_partner(&self, answered: &Decision) -> Option<&Decision> {
        self.decisions.iter().filter(|other| self.same_query(answered, other)).find(|other| {
            Some(other.server) != self.answered_by
                && other.relationship.is_some()
                && other.expected == Expected::Ignore
                && other.seen == Seen::Silent
        })
    }

    /// A REQUEST that names another server is dropped because the DISCOVER before it was that server's: of the two
    /// reasons the first one tells.
    fn telling<'d>(&'d self, partner: &'d Decision) -> &'d Decision {
        let before = |other: &&Decision| {
            other.server == partner.server
                && other.rule == Rule::ScopeNotServed
                && other.heard == partner.heard
        };
        let reason = self.decisions.iter().find(before).filter(|_| partner.rule == Rule::ForeignServerId);
        reason.unwrap_or(partner)
    }

    fn no_answer(&self) -> (Verdict, String, f64) {
        let Some(last) = self.exchange.queries.last() else {
            return (Verdict::NoAnswer, "no query was captured".to_owned(), 0.5);
        };
        let about_last = |decision: &&Decision| last.sightings().any(|id| id == decision.query);
        let heard: Vec<&Decision> = self.decisions.iter().filter(about_last).collect();
        let down = heard.iter().find(|decision| decision.rule == Rule::ServerDown);
        let standby = heard.iter().find(|decision| decision.rule == Rule::ScopeNotServed);
        if let (Some(down), Some(standby)) = (down, standby) {
            let reason = format!(
                "{} owns the query and was down; {} had not taken over yet",
                self.name(down.server),
                self.name(standby.server)
            );
            return (Verdict::OwnerDown, reason, down.confidence.min(standby.confidence));
        }
        if let Some(owner) = heard.iter().find(|decision| decision.expected == Expected::Answer) {
            let reason = format!("{} should have answered and was silent", self.name(owner.server));
            return (Verdict::OwnerSilent, reason, owner.confidence);
        }
        let query = of(self.evidence.messages, last.first);
        if heard.is_empty() && !query.is_broadcast() {
            let reason = format!("it was sent to {}, which is no known server's address", query.dst);
            return (Verdict::NoAnswer, reason, 0.5);
        }
        let zone = self.evidence.network.zone(self.exchange.zone(self.evidence.messages));
        if heard.is_empty() && self.evidence.network.topology.zone_named(zone).is_none() {
            let reason = "nobody answered, and no server is known in this zone".to_owned();
            return (Verdict::NoAnswer, reason, 0.5);
        }
        if heard.iter().all(|decision| decision.rule == Rule::ServerDown) {
            let who: Vec<&str> = heard.iter().map(|decision| self.name(decision.server)).collect();
            let reason = match who.as_slice() {
                [] => "no known server has an interface in this zone".to_owned(),
                who => format!("{} was down, and no other known server hears this zone", who.join(" and ")),
            };
            // Without any server on the wire a relay is likely, which forwards where nobody captured.
            let most = if heard.is_empty() { 0.7 } else { 0.9 };
            let sure = heard.iter().map(|decision| decision.confidence).fold(most, f64::min);
            return (Verdict::NobodyListens, reason, sure);
        }
        let owner = heard.iter().find_map(|decision| decision.owner);
        let unheard = owner.filter(|owner| heard.iter().all(|decision| decision.server != *owner));
        let unheard = unheard.map(|owner| {
            format!("{} owns the query, and no copy that it could hear was captured", self.name(owner))
        });
        let why = unheard.into_iter().chain(heard.iter().map(|decision| {
            let name = self.name(decision.server);
            if decision.rule == Rule::StateUnknown && decision.owner == Some(decision.server) {
                format!(
                    "{name} owns the query and was silent; nothing in the captures tells whether it was down, \
                     waiting or had no address to give"
                )
            } else {
                format!("{name} {}", silence(decision))
            }
        }));
        let why: Vec<String> = why.collect();
        (Verdict::NoAnswer, why.join("; "), 0.5)
    }
}

fn confidence(decision: Option<&Decision>) -> f64 {
    decision.map_or(0.5, |decision| decision.confidence)
}

fn state(decision: &Decision) -> &str {
    decision.state.unwrap_or("an unknown state")
}

/// What a silent server did, as the second half of a sentence.
fn silence(decision: &Decision) -> String {
    if decision.rule == Rule::ServerDown {
        return "was down".to_owned();
    }
    let heard = match decision.heard {
        Heard::Yes => "heard it and stayed silent",
        Heard::Likely => "probably heard it and stayed silent",
        Heard::Unknown => "was silent",
    };
    format!("{heard}: {}", decision.rule.code())
}

fn lower(title: &str) -> String {
    let mut chars = title.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
