//! An exchange as a line of a list.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Kind};
use crate::explain::Parts;
use crate::explain::card::standing;
use crate::explain::text::Role;
use crate::ha::catalogue::Verdict;
use crate::ha::verdict::Judgement;
use crate::pipeline::Analysis;
use crate::table::escape;
use crate::units::{CaptureTime, ExchangeId, colon_hex};
use crate::watch::told::{is_over, waits_for};

/// Messages of an exchange beyond which no card is made for the view.
const MOST_STEPS: usize = 256;

/// A proof card, for any width; absent where there was no time to make it.
pub(super) type Card = Option<Arc<Parts>>;

/// How final an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// More may come of it; nothing came for so many nanoseconds.
    Running(i64, &'static str),
    /// It is over, and what is captured next may show its reasons in another light.
    Provisional,
    /// Nothing will change it any more.
    Settled,
}

impl Mark {
    pub(super) fn of(analysis: &Analysis<'_>, exchange: &Exchange, clock: CaptureTime) -> Self {
        if is_over(exchange, analysis, clock) {
            return Self::Provisional;
        }
        Self::Running(clock.since(exchange.end).max(0), waits_for(exchange, analysis))
    }

    /// One cell that says it.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Running(..) => "…",
            Self::Provisional => "~",
            Self::Settled => "✓",
        }
    }
}

/// One exchange.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number.
    pub id: ExchangeId,
    /// When it began.
    pub start: CaptureTime,
    /// The client's name; in quotation marks where only the client says so; else its address or identifier.
    pub client: String,
    /// Its hardware address.
    pub mac: String,
    /// Its zone.
    pub zone: String,
    /// How far it came: `DORA` with a dot for what did not happen, `R` and `A` alone for a renewal, a word for others.
    pub steps: String,
    /// How often the client sent its most repeated message.
    pub attempts: usize,
    /// The address that it got, was offered or asked for; empty where there is none.
    pub address: String,
    /// A server gave the address, or offered it.
    pub is_given: bool,
    /// The server that answered; empty where none did.
    pub server: String,
    /// What it came to.
    pub verdict: Verdict,
    /// From 0 to 1.
    pub confidence: f64,
    /// What the verdict means for the reader who looks once.
    pub role: Role,
    /// The sentence behind the verdict.
    pub reason: String,
    /// How final it is.
    pub mark: Mark,
    /// Its proof card.
    pub card: Option<Arc<Parts>>,
    /// Everything that a filter looks at, in lower case.
    sought: String,
}

impl Row {
    pub(super) fn of(
        analysis: &Analysis<'_>,
        exchange: &Exchange,
        judgement: &Judgement,
        mark: Mark,
        card: Card,
    ) -> Self {
        let mac = exchange.client.chaddr.to_string();
        let (client, claimed) = client(analysis, exchange);
        let client = if claimed { format!("\"{client}\"") } else { client };
        let zone = escape(analysis.network.zone(exchange.zone(&analysis.messages))).into_owned();
        let (address, is_given) = address(analysis, exchange);
        let server = match judgement.answered_by {
            Some(server) => escape(analysis.network.machines.name(server)).into_owned(),
            None if exchange.replies.is_empty() => String::new(),
            None => "unknown".to_owned(),
        };
        let verdict = judgement.verdict;
        let code = verdict.code();
        let sought =
            format!("{client} {mac} {zone} {address} {server} {code} {}", exchange.xid).to_lowercase();
        let (steps, attempts) = steps(analysis, exchange);
        Self {
            id: exchange.id,
            start: exchange.start,
            client,
            mac,
            zone,
            steps,
            attempts,
            address,
            is_given,
            server,
            verdict,
            confidence: judgement.confidence,
            role: standing(verdict).0,
            reason: escape(&judgement.reason).into_owned(),
            mark,
            card,
            sought,
        }
    }

    /// Whether a filter, in lower case, finds it.
    pub fn has(&self, filter: &str) -> bool {
        filter.split_whitespace().all(|word| self.sought.contains(word))
    }
}

/// A number for what a card is made of.
pub(super) fn fingerprint(analysis: &Analysis<'_>, exchange: &Exchange, judgement: &Judgement) -> u64 {
    let mut hasher = DefaultHasher::new();
    (exchange.end, exchange.queries.len(), exchange.replies.len()).hash(&mut hasher);
    (judgement.verdict.code(), judgement.confidence.to_bits(), &judgement.reason).hash(&mut hasher);
    (judgement.answered_by, judgement.owner, judgement.update_rtt_us).hash(&mut hasher);
    for decision in analysis.decisions_of(exchange.id) {
        (decision.server, decision.rule, decision.state, decision.reply).hash(&mut hasher);
        (decision.confidence.to_bits(), &decision.evidence).hash(&mut hasher);
    }
    hasher.finish()
}

/// The card of an exchange; one of very many messages is none that a terminal could show.
pub(super) fn card(analysis: &Analysis<'_>, id: ExchangeId) -> Card {
    let (exchange, _) = analysis.exchange(id)?;
    if exchange.queries.len() + exchange.replies.len() > MOST_STEPS {
        return None;
    }
    Parts::of(analysis, id).map(Arc::new)
}

/// A client's name, and whether only the client says so.
fn client(analysis: &Analysis<'_>, exchange: &Exchange) -> (String, bool) {
    let chaddr = exchange.client.chaddr;
    if let Some(name) = analysis.client_name(chaddr) {
        return (escape(name).into_owned(), false);
    }
    let queries = exchange.queries.iter().map(|step| analysis.message(step.first));
    if let Some(name) = queries.filter_map(|query| query.hostname()).find(|name| !name.is_empty()) {
        return (escape(name).into_owned(), true);
    }
    match &exchange.client.client_id {
        _ if !chaddr.is_empty() => (chaddr.to_string(), false),
        Some(id) => (colon_hex(id), false),
        None => (format!("xid {}", exchange.xid), false),
    }
}

/// The address that an exchange is about, and whether a server gave it.
fn address(analysis: &Analysis<'_>, exchange: &Exchange) -> (String, bool) {
    let messages = &analysis.messages;
    let ack = exchange.first_of(&exchange.replies, messages, MessageType::ACK);
    let offer = || exchange.first_of(&exchange.replies, messages, MessageType::OFFER);
    let given = ack.or_else(offer).map(|id| analysis.message(id).yiaddr);
    if let Some(given) = given.filter(|ip| !ip.is_unspecified()) {
        return (given.to_string(), true);
    }
    let queries = exchange.queries.iter().rev().map(|step| analysis.message(step.first));
    let asked = queries.filter_map(|query| {
        let own = Some(query.ciaddr).filter(|ip| !ip.is_unspecified());
        own.or(query.requested_ip)
    });
    (asked.map(|ip| ip.to_string()).next().unwrap_or_default(), false)
}

/// How far an exchange came, and how often the client asked the same.
fn steps(analysis: &Analysis<'_>, exchange: &Exchange) -> (String, usize) {
    let messages = &analysis.messages;
    let count = |kind: MessageType| {
        let of_kind = |step: &&crate::exchange::Step| analysis.message(step.first).message_type == Some(kind);
        exchange.queries.iter().filter(of_kind).count()
    };
    let replied = |kind| exchange.first_of(&exchange.replies, messages, kind).is_some();
    let sign = |reached: bool, sign: char| if reached { sign } else { '·' };
    let discovers = count(MessageType::DISCOVER);
    let requests = count(MessageType::REQUEST);
    let end = match (replied(MessageType::ACK), replied(MessageType::NAK)) {
        (true, _) => 'A',
        (false, true) => 'N',
        (false, false) => '·',
    };
    let attempts = discovers.max(requests).max(1);
    let word = match exchange.kind {
        Kind::Select | Kind::InitReboot | Kind::Renew | Kind::Rebind => {
            [sign(discovers > 0, 'D'), sign(replied(MessageType::OFFER), 'O'), sign(requests > 0, 'R'), end]
                .iter()
                .collect()
        }
        Kind::Inform => ['I', '·', '·', end].iter().collect(),
        other => other.as_str().to_owned(),
    };
    let alone = !matches!(exchange.kind, Kind::Select | Kind::InitReboot | Kind::Renew | Kind::Rebind);
    (word, if alone { exchange.queries.len().max(1) } else { attempts })
}
