//! Transitions, outages and the service switch, set side by side as intervals.

use std::collections::BTreeMap;

use super::run::Machine;
use super::seat::Seat;
use super::{Span, Transition};
use crate::ha::timeline::Basis;
use crate::units::{CaptureTime, ServerId};

/// The intervals of every seat, by server, relationship and time.
pub(super) fn spans(seats: &[Seat], machines: &BTreeMap<ServerId, Machine>, end: CaptureTime) -> Vec<Span> {
    let mut spans = Vec::new();
    for seat in seats {
        if let Some(machine) = machines.get(&seat.server) {
            of_seat(seat, machine, end, &mut spans);
        }
    }
    spans.sort_by_key(|span| (span.server, span.relationship, span.from));
    spans
}

fn of_seat(seat: &Seat, machine: &Machine, end: CaptureTime, spans: &mut Vec<Span>) {
    let mut changes: Vec<CaptureTime> = seat.transitions.iter().map(Transition::instant).collect();
    let Some(first) = changes.first().copied() else { return };
    changes.extend(seat.by_hand.iter().map(|change| change.0));
    changes.extend(machine.switched.iter().map(|change| change.0));
    changes.extend(machine.outages.iter().flat_map(|outage| [outage.0, outage.1]));
    changes.retain(|time| (first..=end).contains(time));
    changes.sort_unstable();
    changes.dedup();
    let ends = changes.iter().copied().skip(1).chain([end]);
    let begin = spans.len();
    for (from, to) in changes.iter().copied().zip(ends) {
        let Some(span) = span(seat, machine, (from, to)) else { continue };
        // What another relationship of the machine went through need not concern this one.
        match spans.get_mut(begin..).and_then(<[Span]>::last_mut) {
            Some(last) if is_same(last, &span) => last.to = to,
            _ => spans.push(span),
        }
    }
}

fn is_same(last: &Span, next: &Span) -> bool {
    last.state == next.state
        && last.scopes == next.scopes
        && last.service_on == next.service_on
        && last.evidence == next.evidence
}

/// The last entry of a list in time order that is not after an instant.
fn at<T>(list: &[T], time: CaptureTime, of: impl Fn(&T) -> CaptureTime) -> Option<&T> {
    list.get(list.partition_point(|entry| of(entry) <= time).checked_sub(1)?)
}

fn span(seat: &Seat, machine: &Machine, (from, to): (CaptureTime, CaptureTime)) -> Option<Span> {
    let transition = at(&seat.transitions, from, Transition::instant)?;
    let instant = transition.instant();
    // Kea may pass through several states in one instant.
    let here = || {
        seat.transitions
            .iter()
            .rev()
            .skip_while(|it| it.instant() > from)
            .take_while(|it| it.instant() == from)
    };
    let began = here().map(|it| it.after).min();
    let outage = at(&machine.outages, from, |outage| outage.0).filter(|outage| from < outage.1);
    let switched = at(&machine.switched, from, |change| change.0);
    let by_hand = at(&seat.by_hand, from, |change| change.0).filter(|change| change.0 >= instant);
    let state = transition.to;
    let scopes = match by_hand {
        _ if outage.is_some() => Vec::new(),
        Some((_, scopes)) => scopes.clone(),
        None => (0..2).filter(|at| state.serves(seat.mode, seat.role, seat.auto_failover, *at)).collect(),
    };
    Some(Span {
        server: seat.server,
        relationship: seat.relationship,
        from,
        to,
        begins: began.map_or((from, from), |after| (after, transition.by)),
        exact: began.is_some() && here().all(|it| it.predicted.is_some()),
        state: outage.is_none().then_some(state),
        scopes,
        service_on: outage.is_none() && switched.is_none_or(|change| change.1),
        basis: if outage.is_some() { Basis::Control } else { transition.basis },
        confidence: match (outage, transition.basis) {
            (Some(_), _) => 0.95,
            (None, Basis::Heartbeat | Basis::Control) => 0.97,
            (None, _) => 0.85,
        },
        evidence: transition.evidence.iter().copied().chain(transition.observed.map(|seen| seen.1)).collect(),
    })
}
