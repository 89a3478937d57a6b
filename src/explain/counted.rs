//! What failure detection made of a client that nobody answered.

use super::card::Card;
use super::reason::Reason;
use super::text::{Line, Role};
use crate::ha::replay::Counted;
use crate::units::FrameRef;

/// One reason for each server that counted the client, the best count of the exchange each.
pub(super) fn reasons(card: &Card<'_>) -> Vec<Reason> {
    let mut best: Vec<&Counted> = Vec::new();
    for counted in card.analysis.replay.counted_in(card.exchange.id) {
        let seat =
            |it: &&mut &Counted| (it.server, it.relationship) == (counted.server, counted.relationship);
        match best.iter_mut().find(seat) {
            // A client that is known as unacked stays so until the next good heartbeat.
            Some(known) => *known = counted,
            None => best.push(counted),
        }
    }
    best.into_iter().filter_map(|counted| reason(card, counted)).collect()
}

fn reason(card: &Card<'_>, counted: &Counted) -> Option<Reason> {
    let topology = &*card.analysis.network.topology;
    let limits = topology.limits_of(counted.server, counted.relationship)?;
    let needed = u64::from(limits.max_unacked_clients) + 1;
    let delay = f64::from(limits.max_ack_delay_ms) / 1000.0;
    let (total, secs) = (counted.total_unacked, counted.secs);
    let mut text = if counted.unacked && u64::from(total) > needed {
        format!(
            "counted this client as unacked, number {total}; {needed} are enough (secs {secs} > {delay} s)"
        )
    } else if counted.unacked {
        format!("counted this client as unacked, number {total} of {needed} needed (secs {secs} > {delay} s)")
    } else {
        format!(
            "counted this client, which had not waited long (secs {secs}, not above {delay} s); \
             {total} of {needed} needed are unacked"
        )
    };
    let mut frames: Vec<FrameRef> = vec![counted.at];
    // A client that did not count has no part in what followed.
    let takeover = card.analysis.replay.takeover_after(counted).filter(|_| counted.unacked);
    if let Some(takeover) = takeover {
        let time = crate::table::utc(takeover.instant().0);
        let clock = time.split(' ').nth(1).and_then(|clock| clock.get(..10)).unwrap_or_default();
        text = format!("{text} → partner-down at the failed heartbeat of {clock}");
        frames.extend(takeover.evidence.first());
    }
    let frames: Vec<String> = frames.into_iter().map(|at| card.frame(at)).collect();
    let beginning =
        Line::of([(Role::Plain, " "), (Role::Strong, card.server(counted.server)), (Role::Plain, "   ")]);
    Some(Reason::of(beginning, text, Line::of([(Role::Weak, frames.join(", ").as_str())])))
}
