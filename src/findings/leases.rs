//! Lease databases that differ (kea-ha §8.3 no. 9 and 10).

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::list::{About, Findings, Severity};
use super::view::View;
use crate::exchange::Client;
use crate::exchange::lease::{EndReason, Lease};
use crate::ha::catalogue::FindingCode;
use crate::units::{CaptureTime, FrameRef, ZoneId};

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    one_client(view, findings);
    one_address(view, findings);
}

/// Two servers that gave one client different addresses at the same time.
fn one_client(view: &View<'_>, findings: &mut Findings) {
    let mut running: HashMap<(ZoneId, &Client), &Lease> = HashMap::new();
    for lease in &view.analysis.leases {
        let Some(before) = running.insert((lease.zone, &lease.client), lease) else { continue };
        let differs = before.server != lease.server && before.ip != lease.ip;
        if !differs || !ran_on(before, lease.start) || !same_place(view, before, lease) {
            continue;
        }
        let known = view.analysis.network.topology.servers.len();
        let severity = if view.are_peers(before.server, lease.server) {
            Severity::Error
        } else if before.server.0 < known && lease.server.0 < known {
            Severity::Warning
        } else {
            // Two addresses of one machine would look the same.
            continue;
        };
        let about = About::new(FindingCode::TwoLeasesOneClient, severity)
            .zone(lease.zone)
            .server(Some(lease.server))
            .client(lease.client.chaddr);
        findings.add(about, lease.start, frame(view, lease), || {
            format!(
                "{} gave {} to {}, whose lease of {} from {} still ran",
                view.name(lease.server),
                lease.ip,
                view.client(lease.client.chaddr),
                before.ip,
                view.name(before.server)
            )
        });
    }
}

/// Whether a lease that the client exchanged for another one had time left then:
/// it was neither given back nor refused.
fn ran_on(lease: &Lease, time: CaptureTime) -> bool {
    let given_up = !matches!(lease.end, None | Some((_, EndReason::Replaced)));
    !given_up && holds_until(lease).is_some_and(|end| end > time)
}

/// When the lease time is over; a lease whose time was not captured proves nothing.
fn holds_until(lease: &Lease) -> Option<CaptureTime> {
    lease.lease_s?;
    Some(lease.expires().unwrap_or(CaptureTime(i64::MAX)))
}

/// Whether both leases belong to one subnet as far as the packets tell: a
/// client that moved behind another relay needs another address.
fn same_place(view: &View<'_>, one: &Lease, other: &Lease) -> bool {
    let place = |lease: &Lease| {
        let (exchange, _) = view.analysis.exchange(lease.exchange)?;
        let query = exchange.queries.last().map(|step| view.message(step.first))?;
        Some((query.giaddr, query.link_selection().or(query.subnet_selection())))
    };
    place(one).is_some_and(|here| place(other) == Some(here))
}

/// One address that two clients of a zone hold at the same time.
fn one_address(view: &View<'_>, findings: &mut Findings) {
    // Until when somebody holds an address.
    let until = |lease: &Lease| lease.end.map(|(time, _)| time).or_else(|| holds_until(lease));
    // Separate sites may number their subnets alike.
    let mut holders: HashMap<(ZoneId, Ipv4Addr), &Lease> = HashMap::new();
    for lease in &view.analysis.leases {
        let holder = holders.get(&(lease.zone, lease.ip)).copied();
        // Who holds it longest is asked about the next one.
        if holder.is_none_or(|before| until(before) <= until(lease)) {
            holders.insert((lease.zone, lease.ip), lease);
        }
        let Some(before) = holder.filter(|before| is_other(&before.client, &lease.client)) else {
            continue;
        };
        if until(before).is_none_or(|time| time <= lease.start) {
            continue;
        }
        let about = About::new(FindingCode::AddressTwice, Severity::Error)
            .zone(lease.zone)
            .server(Some(lease.server))
            .client(lease.client.chaddr);
        findings.add(about, lease.start, frame(view, lease), || {
            let (now, held) = (view.name(lease.server), view.name(before.server));
            let (one, other) = (view.client(before.client.chaddr), view.client(lease.client.chaddr));
            let giver = if now == held { "the same server".to_owned() } else { now.to_owned() };
            format!("{} was still bound to {one} by {held} when {other} got it from {giver}", lease.ip)
        });
    }
}

/// Whether Kea takes them for different clients; one client identifier with
/// two hardware addresses is one client to it, and has a finding of its own.
fn is_other(one: &Client, other: &Client) -> bool {
    let same_id = one.client_id.is_some() && one.client_id == other.client_id;
    one.chaddr != other.chaddr && !same_id
}

/// The ACK that began a lease.
fn frame(view: &View<'_>, lease: &Lease) -> FrameRef {
    let exchange = view.analysis.exchange(lease.exchange);
    let ack = exchange.and_then(|(exchange, _)| exchange.verdict_reply(&view.analysis.messages));
    ack.map(|id| view.message(id).at).unwrap_or_default()
}
