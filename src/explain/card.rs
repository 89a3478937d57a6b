//! The proof card: what one exchange came to, the ladder, and why. [`Parts`] has it as what it says.

use super::ladder::{Mark, Origin, Rung};
use super::parts::Parts;
use super::text::{Line, Role, span};
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Kind, Observed, Outcome, Step, of};
use crate::ha::catalogue::{Rule, Verdict};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::Mode;
use crate::ha::verdict::Judgement;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, ExchangeId, FrameRef, MessageId, SECOND, ServerId};

/// The card of one exchange, for a terminal of this width.
pub fn card(analysis: &Analysis<'_>, id: ExchangeId, width: usize) -> Vec<Line> {
    Parts::of(analysis, id).map_or_else(Vec::new, |parts| parts.lay(width, "--format json"))
}

/// One exchange with everything that is known about it.
pub(crate) struct Card<'a> {
    pub(super) analysis: &'a Analysis<'a>,
    pub(crate) exchange: &'a Exchange,
    pub(crate) judgement: &'a Judgement,
    pub(crate) decisions: &'a [Decision],
}

impl<'a> Card<'a> {
    /// The card of an exchange of this batch.
    pub(crate) fn of(analysis: &'a Analysis<'a>, id: ExchangeId) -> Option<Self> {
        let (exchange, judgement) = analysis.exchange(id)?;
        Some(Self { analysis, exchange, judgement, decisions: analysis.decisions_of(id) })
    }

    pub(crate) fn message(&self, id: MessageId) -> &'a Observed {
        of(&self.analysis.messages, id)
    }

    pub(crate) fn server(&self, id: ServerId) -> &'a str {
        self.analysis.network.machines.name(id)
    }

    /// `#57`, with the zone in front when the frame is in another capture than the exchange's first.
    pub(crate) fn frame(&self, at: FrameRef) -> String {
        let home = self.steps().next().map(|step| self.message(step.first).at.source);
        if home == Some(at.source) { format!("#{}", at.number) } else { self.zoned(at) }
    }

    /// `zaldua2 #57`.
    pub(super) fn zoned(&self, at: FrameRef) -> String {
        let zone = self.analysis.sources.get(at.source.0 as usize).map_or("?", |source| source.zone.as_str());
        format!("{zone} #{}", at.number)
    }

    /// Two frames, the zone named once when both are in the same capture.
    pub(super) fn frames(&self, first: FrameRef, last: FrameRef) -> String {
        match (first.source == last.source, first == last) {
            (_, true) => self.frame(first),
            (true, _) => format!("{}–#{}", self.frame(first), last.number),
            (false, _) => format!("{}–{}", self.frame(first), self.frame(last)),
        }
    }

    fn steps(&self) -> impl Iterator<Item = &'a Step> {
        self.exchange.queries.iter().chain(&self.exchange.replies)
    }

    /// Whether the client's messages have no answer by their nature (RFC 2131 §4.3.3, §4.3.4).
    pub(super) fn without_reply(&self) -> bool {
        matches!(self.exchange.kind, Kind::Release | Kind::Decline)
    }

    /// The client's name, or a word for it.
    pub(crate) fn client(&self) -> String {
        let mac = self.exchange.client.chaddr;
        self.analysis.client_name(mac).map_or_else(|| "client".to_owned(), str::to_owned)
    }

    /// What the client got, in a few words.
    pub(crate) fn headline(&self) -> String {
        let messages = &self.analysis.messages;
        let by = self.judgement.answered_by.map_or("a server", |server| self.server(server));
        let decided = self.exchange.verdict_reply(messages).map(|id| self.message(id));
        let offered = self.exchange.first_of(&self.exchange.replies, messages, MessageType::OFFER);
        let address = decided.or(offered.map(|id| self.message(id))).map(|reply| reply.yiaddr);
        let address =
            address.filter(|ip| !ip.is_unspecified()).map_or("an address".to_owned(), |ip| ip.to_string());
        let first = self.exchange.queries.first().map(|step| self.message(step.first));
        let held = first.map(|query| {
            let held = if query.ciaddr.is_unspecified() { query.requested_ip } else { Some(query.ciaddr) };
            held.map_or("its address".to_owned(), |ip| ip.to_string())
        });
        let held = held.unwrap_or_default();
        // An answer before its question is a matter of the capture's clock.
        let took =
            decided.zip(first).map(|(reply, query)| reply.time.since(query.time)).filter(|took| *took >= 0);
        let took = took.map_or(String::new(), |took| format!(" in {}", span(took)));
        let asked = self.exchange.queries.len();
        let for_long = span(self.exchange.end.since(self.exchange.start));
        match (self.exchange.outcome(messages), self.exchange.kind) {
            (Outcome::Bound, Kind::Renew | Kind::Rebind) => format!("renewed {address} at {by}{took}"),
            (Outcome::Bound, Kind::InitReboot) => format!("confirmed {address} at {by}{took}"),
            (Outcome::Bound, _) => format!("got {address} from {by}{took}"),
            (Outcome::Nak, _) => format!("was refused {held} by {by}{took}"),
            (Outcome::NoAck, _) => format!("was offered {address} by {by} and got no ACK"),
            (Outcome::OfferOnly, _) => format!("was offered {address} by {by}"),
            (Outcome::NoAnswer, _) if asked == 1 => "got no answer".to_owned(),
            (Outcome::NoAnswer, _) => format!("got no answer to {asked} messages in {for_long}"),
            (Outcome::Informed, _) => format!("was informed by {by}{took}"),
            (Outcome::Released, _) => format!("released {held}"),
            (Outcome::Declined, _) => format!("declined {held}"),
        }
    }

    /// The relationship that decides, with what matters of it here.
    pub(super) fn relationship(&self) -> String {
        let mut text = String::new();
        let topology = &*self.analysis.network.topology;
        let relationship = self.judgement.relationship.and_then(|id| Some((id, topology.relationship(id)?)));
        if let Some((id, relationship)) = relationship {
            text =
                format!(", relationship {}, {}", topology.relationship_name(id), relationship.mode.as_str());
            let hash = self.exchange.queries.first().and_then(|step| self.message(step.first).hash);
            if let (Mode::LoadBalancing, Some(hash), Some(owner)) =
                (relationship.mode, hash, self.judgement.owner)
            {
                text = format!("{text}, hash {hash} → {}", self.server(owner));
            }
        }
        let mut sightings =
            self.exchange.queries.iter().flat_map(Step::sightings).map(|id| self.message(id).giaddr);
        if let Some(relay) = sightings.find(|giaddr| !giaddr.is_unspecified()) {
            text = format!("{text}, through relay {relay}");
        }
        text
    }

    /// The machines of the ladder: the servers that stayed silent nearest to the client, who answered last.
    pub(crate) fn lanes(&self) -> Vec<ServerId> {
        let mut servers: Vec<ServerId> = self.decisions.iter().map(|decision| decision.server).collect();
        let answers = self.exchange.replies.iter().filter_map(|step| self.analysis.answers.get(&step.first));
        servers.extend(answers.map(|answer| answer.server));
        servers.extend(self.updates().flat_map(|event| [event.server, event.peer]).flatten());
        servers.sort_unstable();
        servers.dedup();
        servers.sort_by_key(|server| {
            let answered = Some(*server) == self.judgement.answered_by;
            let asked = self.decisions.iter().any(|decision| decision.server == *server);
            // Partners that only store the lease stand behind the server that answers.
            (answered, !answered && !asked)
        });
        let behind = servers.iter().position(|server| Some(*server) == self.judgement.answered_by);
        let asked = |server: &ServerId| self.decisions.iter().any(|decision| decision.server == *server);
        if let Some(at) = behind {
            let answering = servers.remove(at);
            let place = servers.iter().take_while(|server| asked(server)).count();
            servers.insert(place, answering);
        }
        servers
    }

    /// The lease updates that the exchange caused: until its end, and a second
    /// beyond it unless the same client begins another one. While exchanges of
    /// one client overlap nothing on the wire tells whose an update is.
    pub(super) fn updates(&self) -> impl Iterator<Item = &'a HaEvent> {
        let mac = self.exchange.client.chaddr;
        let later = self.analysis.exchanges.iter().filter(|other| other.client.chaddr == mac);
        let next = later.map(|other| other.start).filter(|start| *start > self.exchange.start).min();
        let end = self.exchange.end;
        let beyond = end.plus(SECOND);
        let span = self.exchange.start..next.map_or(beyond, |next| next.clamp(end, beyond));
        self.analysis.events.iter().filter(move |event| {
            matches!(event.kind, EventKind::LeaseUpdate | EventKind::LeaseDelete)
                && event.chaddr == Some(mac)
                && span.contains(&event.request_time)
        })
    }

    /// What happened, in time order; lane 0 is the client, the others are `servers` in their order.
    pub(crate) fn rungs(&self, servers: &[ServerId]) -> Vec<Rung> {
        let lane = |server: ServerId| servers.iter().position(|other| *other == server).map(|at| at + 1);
        let mut rungs: Vec<Rung> = Vec::new();
        for (number, step) in self.exchange.queries.iter().enumerate() {
            rungs.push(self.query_rung(step, number == 0, lane));
        }
        for step in &self.exchange.replies {
            let reply = self.message(step.first);
            let from = self.analysis.answers.get(&step.first).and_then(|answer| lane(answer.server));
            let to = if from.is_some() { vec![(0, Mark::Arrives)] } else { Vec::new() };
            let origin = Origin::Reply(step.first);
            let at = (reply.time, reply.at);
            rungs.push(self.rung(origin, at, labels(reply, false), from.unwrap_or_default(), to));
        }
        for event in self.updates() {
            let (Some(peer), Some(server)) = (event.peer.and_then(lane), event.server.and_then(lane)) else {
                continue;
            };
            let command = if event.kind == EventKind::LeaseDelete { "lease4-del" } else { "lease4-update" };
            let asked = (event.request_time, event.request_at);
            let words = (command.to_owned(), command.to_owned());
            rungs.push(self.rung(Origin::Control, asked, words, peer, vec![(server, Mark::Arrives)]));
            if let Some(result) = event.result {
                let said = match result {
                    0 => event.text.trim_start_matches("IPv4 ").trim_end_matches('.').to_owned(),
                    4 => "result 4, conflict".to_owned(),
                    other => format!("result {other}"),
                };
                let words = (said.clone(), said.split(", ").last().unwrap_or_default().to_owned());
                let at = (event.time, event.at);
                rungs.push(self.rung(Origin::Control, at, words, server, vec![(peer, Mark::Arrives)]));
            }
        }
        rungs.sort_by_key(|rung| rung.time);
        rungs
    }

    fn rung(
        &self,
        origin: Origin,
        (time, at): (CaptureTime, FrameRef),
        (label, short): (String, String),
        from: usize,
        to: Vec<(usize, Mark)>,
    ) -> Rung {
        Rung { origin, time, at, frame: self.frame(at), label, short, from, to }
    }

    fn query_rung(&self, step: &Step, first: bool, lane: impl Fn(ServerId) -> Option<usize>) -> Rung {
        let query = self.message(step.first);
        let about = self.decisions.iter().filter(|decision| step.sightings().any(|id| id == decision.query));
        let to = about
            .filter_map(|decision| {
                let mark = match (decision.seen, decision.expected, decision.rule) {
                    (Seen::Answered, ..) | (_, _, Rule::NoReplyExpected) => Mark::Arrives,
                    (_, Expected::Unknown, _) if self.without_reply() => Mark::Arrives,
                    (_, _, Rule::ServerDown) => Mark::Down,
                    (_, _, Rule::LeaseUpdateRejected) => Mark::Arrives,
                    (_, Expected::Ignore, _) => Mark::Dropped,
                    (_, Expected::Answer, _) => Mark::Unanswered,
                    (_, Expected::Unknown, _) => Mark::Unknown,
                };
                Some((lane(decision.server)?, mark))
            })
            .collect();
        self.rung(Origin::Query(step.first), (query.time, query.at), labels(query, first), 0, to)
    }
}

/// What a message is, in full and for a narrow terminal.
fn labels(message: &Observed, first: bool) -> (String, String) {
    let kind = message.type_name();
    let secs = if message.secs > 0 { format!(" secs {}", message.secs) } else { String::new() };
    let address = match message.message_type {
        Some(MessageType::REQUEST) => Some(message.requested_ip.unwrap_or(message.ciaddr)),
        Some(MessageType::RELEASE) => Some(message.ciaddr),
        Some(MessageType::DECLINE) => message.requested_ip,
        Some(MessageType::OFFER | MessageType::ACK) => Some(message.yiaddr),
        _ => None,
    };
    let address = address.filter(|address| !address.is_unspecified());
    let full = match (message.message_type, address) {
        (Some(MessageType::DISCOVER | MessageType::INFORM), _) if first => {
            format!("{kind} {} secs {}", message.xid, message.secs)
        }
        (Some(MessageType::REQUEST), Some(address)) => format!("{kind} for {address}{secs}"),
        (_, Some(address)) => format!("{kind} {address}"),
        _ => format!("{kind}{secs}"),
    };
    let last = address.filter(|_| message.is_reply()).map(|address| format!(" .{}", address.octets()[3]));
    (full, format!("{kind}{secs}{}", last.unwrap_or_default()))
}

/// What the verdict means for the reader who looks once.
pub(crate) fn standing(verdict: Verdict) -> (Role, &'static str) {
    match verdict {
        Verdict::OwnerAnswered | Verdict::AnsweredWithoutHa => (Role::Good, "as expected"),
        Verdict::Released | Verdict::Declined => (Role::Plain, "has no reply"),
        Verdict::Informed => (Role::Good, "answered"),
        Verdict::PartnerTookOver => (Role::Notable, "takeover, as expected"),
        Verdict::OwnerDown => (Role::Notable, "not yet taken over"),
        Verdict::NobodyListens => (Role::Notable, "no server there"),
        Verdict::WrongServerAnswered | Verdict::BothAnswered => (Role::Bad, "against Kea's rules"),
        Verdict::OwnerSilent => (Role::Bad, "unexpected silence"),
        Verdict::AckWithheld => (Role::Bad, "ACK withheld"),
        Verdict::NoAck => (Role::Bad, "no ACK"),
        Verdict::Refused => (Role::Notable, "NAK"),
        Verdict::OfferNotTaken => (Role::Notable, "offer not taken"),
        Verdict::AnsweredUnexplained | Verdict::NoAnswer => (Role::Notable, "not explained"),
    }
}
