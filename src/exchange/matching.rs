//! Which exchange a message belongs to: the questions that pairing asks about
//! one message and the exchanges that are open for its client.

use std::net::Ipv4Addr;

use super::open::Open;
use super::{Exchange, Kind, Messages, Observed, PairLimits, Step, of};
use crate::dhcp::MessageType;
use crate::units::MessageId;

/// An open exchange of a message's client.
pub(super) struct Candidate<'e> {
    /// Its place in the table.
    pub(super) at: u32,
    pub(super) open: &'e Open,
    /// One of its queries has the message's xid; its first reply, while it has no query.
    pub(super) same_xid: bool,
}

/// The open exchange that takes a message: the youngest that fits. `open` gives the
/// client's exchanges, the youngest first.
pub(super) fn find<'e>(
    mut open: impl Iterator<Item = Candidate<'e>> + Clone,
    messages: &Messages,
    message: &Observed,
    limits: PairLimits,
) -> Option<u32> {
    let found = if message.is_reply() {
        let named = |it: &Candidate<'_>| it.same_xid && same_client_id(&it.open.exchange, message);
        let asked = open.clone().filter(named).find(|it| asked_for(&it.open.exchange, message, messages));
        asked.or_else(|| {
            open.filter(named).find(|it| !matches!(it.open.exchange.kind, Kind::Decline | Kind::Release))
        })
    } else {
        open.find(|it| takes_query(it, message, messages, limits))
    };
    found.map(|it| it.at)
}

/// Whether a query is a REQUEST that selects an offer.
pub(super) fn is_selecting(query: &Observed) -> bool {
    query.message_type == Some(MessageType::REQUEST) && query.server_id.is_some()
}

/// What kind of exchange a message begins.
pub(super) fn kind_of(message: &Observed) -> Kind {
    let unset = |address: Ipv4Addr| address.is_unspecified();
    match message.message_type {
        Some(MessageType::DISCOVER | MessageType::OFFER) => Kind::Select,
        Some(MessageType::REQUEST) if is_selecting(message) => Kind::Select,
        Some(MessageType::REQUEST) if unset(message.ciaddr) => Kind::InitReboot,
        // A relay only ever sees broadcasts, so a relayed one rebinds.
        Some(MessageType::REQUEST) if message.is_broadcast() || !unset(message.giaddr) => Kind::Rebind,
        Some(MessageType::REQUEST) => Kind::Renew,
        // Of an ACK without its REQUEST only its fields can tell.
        Some(MessageType::ACK) if unset(message.yiaddr) => Kind::Inform,
        Some(MessageType::ACK) if !unset(message.ciaddr) => Kind::Renew,
        Some(MessageType::ACK | MessageType::NAK) => Kind::Select,
        Some(MessageType::INFORM) => Kind::Inform,
        Some(MessageType::DECLINE) => Kind::Decline,
        Some(MessageType::RELEASE) => Kind::Release,
        _ => Kind::Other,
    }
}

/// Whether both name the same client identifier, or one of them names none.
fn same_client_id(exchange: &Exchange, message: &Observed) -> bool {
    match (exchange.client.client_id.as_deref(), message.client_id()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// Whether an exchange holds a query that the reply can answer. The same xid
/// may serve a client's REQUEST and the DECLINE after it.
fn asked_for(exchange: &Exchange, reply: &Observed, messages: &Messages) -> bool {
    exchange.queries.iter().any(|step| answers(of(messages, step.first), reply))
}

/// Whether a reply's type answers a query's type (RFC 2131 §3.1, §3.4).
fn answers(query: &Observed, reply: &Observed) -> bool {
    match query.message_type {
        Some(MessageType::DISCOVER) => reply.message_type == Some(MessageType::OFFER),
        Some(MessageType::REQUEST) => {
            matches!(reply.message_type, Some(MessageType::ACK | MessageType::NAK))
        }
        Some(MessageType::INFORM) => reply.message_type == Some(MessageType::ACK),
        Some(MessageType::DECLINE | MessageType::RELEASE) => false,
        // BOOTP, lease queries and whatever else there is.
        _ => !matches!(reply.message_type, Some(MessageType::OFFER | MessageType::ACK | MessageType::NAK)),
    }
}

fn takes_query(it: &Candidate<'_>, query: &Observed, messages: &Messages, limits: PairLimits) -> bool {
    let Candidate { open, same_xid, .. } = *it;
    let (exchange, requested) = (&open.exchange, open.requested);
    let Some(last) = exchange.queries.last().map(|step| of(messages, step.first)) else {
        // A reply was captured before its query: two sources whose clocks differ.
        return same_xid
            && same_client_id(exchange, query)
            && query.time.since(exchange.start).saturating_abs() <= limits.hop_ns
            && exchange.replies.iter().any(|step| answers(query, of(messages, step.first)));
    };
    if exchange.client.client_id.as_deref() != query.client_id() {
        return false;
    }
    if (open.relayed || !query.giaddr.is_unspecified())
        && hop_of(&exchange.queries, messages, query, limits.hop_ns).is_some()
    {
        return true;
    }
    let verdict = if open.answered { exchange.verdict_reply(messages) } else { None };
    let answered = verdict.map(|id| of(messages, id).time);
    let over = answered.is_some_and(|time| query.time.since(time) > limits.linger_ns);
    match query.message_type {
        Some(MessageType::DISCOVER) => {
            let before = answered.is_none_or(|time| time > query.time);
            exchange.kind == Kind::Select && same_xid && before && !requested
        }
        Some(MessageType::REQUEST) if is_selecting(query) && exchange.kind == Kind::Select => {
            if requested {
                // The same REQUEST again: its ACK was late or lost.
                same_xid
                    && !over
                    && query.server_id == last.server_id
                    && query.requested_ip == last.requested_ip
            } else {
                // Its own answer may have been read first: a file out of order, or clocks that differ.
                let before = answered.is_none_or(|time| query.time.since(time) <= limits.hop_ns);
                before && (same_xid || selects_offer(exchange, query, messages))
            }
        }
        Some(MessageType::REQUEST) => {
            same_xid
                && !over
                && kind_of(query) == exchange.kind
                && query.ciaddr == last.ciaddr
                && (answered.is_none() || query.requested_ip == last.requested_ip)
        }
        _ => same_xid && !over && kind_of(query) == exchange.kind && query.message_type == last.message_type,
    }
}

/// A REQUEST with a new xid belongs to the offer that it names by server and address.
fn selects_offer(exchange: &Exchange, query: &Observed, messages: &Messages) -> bool {
    exchange.replies.iter().map(|step| of(messages, step.first)).any(|reply| {
        reply.message_type == Some(MessageType::OFFER)
            && reply.server_id == query.server_id
            && Some(reply.yiaddr) == query.requested_ip
    })
}

/// The step of which a message is another hop: a relay's forwarded copy, or the
/// copy that a relay sends to a second server. The youngest step wins; a step
/// that was already seen on this path was sent again instead.
pub(super) fn hop_of(
    steps: &[Step],
    messages: &Messages,
    message: &Observed,
    hop_ns: i64,
) -> Option<MessageId> {
    let step = steps.iter().rev().find(|step| {
        is_hop(of(messages, step.first), message, hop_ns)
            && step.sightings().all(|id| !one_path(of(messages, id), message))
    })?;
    Some(step.first)
}

fn one_path(a: &Observed, b: &Observed) -> bool {
    a.src == b.src && a.dst == b.dst && a.giaddr == b.giaddr
}

/// Whether two messages can be one at two hops. A retransmission has the same
/// addresses instead, or another `secs`.
fn is_hop(a: &Observed, b: &Observed, hop_ns: i64) -> bool {
    let relayed = !a.giaddr.is_unspecified() || !b.giaddr.is_unspecified();
    // Replies of two servers on their way to one relay are two messages, however alike.
    let two_senders = |reply: &Observed| reply.is_reply() && reply.dst == reply.giaddr;
    relayed
        && !one_path(a, b)
        && !(two_senders(a) && two_senders(b) && a.src != b.src)
        && b.time.since(a.time).saturating_abs() <= hop_ns
        && (a.message_type, a.xid, a.secs, a.server_id, a.requested_ip, a.ciaddr, a.yiaddr)
            == (b.message_type, b.xid, b.secs, b.server_id, b.requested_ip, b.ciaddr, b.yiaddr)
}
