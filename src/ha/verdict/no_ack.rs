//! Why an address was offered, requested and never acknowledged.

use super::sentence::Sentence;
use crate::dhcp::MessageType;
use crate::exchange::of;
use crate::ha::catalogue::{Rule, Verdict};
use crate::ha::decide::Seen;
use crate::ha::events::EventKind;
use crate::units::{SECOND, ServerId};

impl Sentence<'_> {
    /// Why a REQUEST got no ACK.
    pub(super) fn no_ack(&self) -> (Verdict, String, f64) {
        if let Some(rejected) =
            self.decisions.iter().find(|decision| decision.rule == Rule::LeaseUpdateRejected)
        {
            let request = of(self.evidence.messages, rejected.query);
            let update = self.evidence.update_after(rejected.server, request);
            let partner =
                update.and_then(|event| event.server).map_or("its partner", |server| self.name(server));
            let result = update.and_then(|event| event.result).unwrap_or_default();
            let reason = format!(
                "{} offered and withheld the ACK: {partner} rejected the lease update (result {result})",
                self.name(rejected.server)
            );
            return (Verdict::AckWithheld, reason, rejected.confidence);
        }
        if let Some(text) = self.deadlock() {
            return (Verdict::NoAck, text, 0.85);
        }
        let by = self.answered_by.map_or("a server", |server| self.name(server));
        if self.exchange.replies.is_empty() {
            let reason = "the client asked for an offered address; no reply at all was captured".to_owned();
            return (Verdict::NoAck, reason, 0.5);
        }
        if let Some(chosen) = self.chosen_elsewhere() {
            let reason =
                format!("the client took an offer of {chosen} that was not captured, and got no ACK");
            return (Verdict::NoAck, reason, 0.5);
        }
        if self.update_was_accepted() {
            let reason =
                format!("{by} stored the lease at its partner, so its ACK was probably not captured");
            return (Verdict::NoAck, reason, 0.5);
        }
        if let Some(partner) = self.refused_connection() {
            let partner = self.name(partner);
            let reason = format!(
                "{by} offered and withheld the ACK: {partner} refused the connection for the lease update"
            );
            return (Verdict::NoAck, reason, 0.85);
        }
        // An ACK by unicast may have passed beside the capture point.
        (Verdict::NoAck, format!("{by} offered an address; no ACK for the REQUEST was captured"), 0.85)
    }

    /// The server that the client's REQUEST names, when no offer of it was captured.
    fn chosen_elsewhere(&self) -> Option<String> {
        let messages = self.evidence.messages;
        let request = self.exchange.first_of(&self.exchange.queries, messages, MessageType::REQUEST)?;
        let named = of(messages, request).server_id?;
        let offered =
            self.exchange.replies.iter().any(|step| of(messages, step.first).server_id == Some(named));
        let machine = self.evidence.network.machines.at(named);
        (!offered).then(|| machine.map_or_else(|| named.to_string(), |server| self.name(server).to_owned()))
    }

    /// Whether a partner accepted the lease of an unanswered REQUEST: the ACK follows at once then.
    fn update_was_accepted(&self) -> bool {
        self.decisions.iter().any(|decision| {
            let query = of(self.evidence.messages, decision.query);
            query.message_type == Some(MessageType::REQUEST)
                && self
                    .evidence
                    .update_after(decision.server, query)
                    .is_some_and(|event| event.result == Some(0))
        })
    }

    /// The partner that let no connection through when the server had a REQUEST to tell it of.
    fn refused_connection(&self) -> Option<ServerId> {
        let requests = self.decisions.iter().filter(|decision| Some(decision.server) == self.answered_by);
        let events = self.evidence.events;
        requests.filter(|decision| decision.seen == Seen::Silent).find_map(|decision| {
            let request = of(self.evidence.messages, decision.query);
            let from = events.partition_point(|event| event.time < request.time);
            let soon =
                events.iter().skip(from).take_while(|event| event.time.since(request.time) < SECOND / 10);
            let mut refused = soon.filter(|event| event.kind == EventKind::Refused);
            let asked = request.message_type == Some(MessageType::REQUEST);
            let mine = refused.find(|event| {
                event.peer == Some(decision.server) && event.relationship == decision.relationship
            });
            mine.filter(|_| asked).and_then(|event| event.server)
        })
    }

    /// The REQUEST names one peer and belongs to the other, so both drop it:
    /// the one in HA, the other because of option 54 (kea-ha §1.1).
    fn deadlock(&self) -> Option<String> {
        let dropped = |rule| {
            self.decisions
                .iter()
                .filter(move |it| it.rule == rule && it.seen == Seen::Silent)
                .find(|it| of(self.evidence.messages, it.query).message_type == Some(MessageType::REQUEST))
        };
        let (named, owner) = (dropped(Rule::ScopeNotServed)?, dropped(Rule::ForeignServerId)?);
        let asked = of(self.evidence.messages, named.query).server_id?;
        let names = self.evidence.network.machines.at(asked) == Some(named.server);
        (names && owner.owner == Some(owner.server) && self.same_query(named, owner)).then(|| {
            format!(
                "the REQUEST names {}, which leaves it to {}, which drops what names another server",
                self.name(named.server),
                self.name(owner.server)
            )
        })
    }
}
