//! Lease databases that differ (kea-ha §8.3 no. 9 and 10).

use std::net::Ipv4Addr;

use super::bounded::{ClientKey, Recent};
use super::list::{About, Findings, Severity};
use super::view::{Place, View};
use crate::exchange::lease::{EndReason, Lease};
use crate::ha::catalogue::FindingCode;
use crate::units::{CaptureTime, FrameRef, HwAddr, ServerId, ZoneId};

/// What counts of a client's lease when it gets its next one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    server: ServerId,
    ip: Ipv4Addr,
    /// Until when it would have run had the client not exchanged it; absent for
    /// one that was given back or refused, and where the lease time was not captured.
    until: Option<CaptureTime>,
    place: Option<Place>,
}

/// Who holds an address.
#[derive(Clone, Copy, Debug)]
struct Holder {
    start: CaptureTime,
    /// Until when; absent where the lease time was not captured.
    until: Option<CaptureTime>,
    server: ServerId,
    chaddr: HwAddr,
    client_id: Option<ClientKey>,
    at: FrameRef,
}

/// Who holds which address.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    /// Separate sites may number their subnets alike.
    holders: Recent<(Ipv4Addr, ZoneId), Holder>,
}

impl Leases {
    /// Takes a lease that has its end, or the end of the capture; one client's in order of start.
    /// `running` is the client's lease before.
    pub(super) fn lease(
        &mut self,
        view: &View<'_>,
        lease: &Lease,
        running: &mut Option<Running>,
        findings: &mut Findings,
    ) {
        // Where the client was: relay and link of its query.
        let (at, place) = (lease.ack, lease.giaddr.map(|giaddr| (giaddr, lease.link)));
        one_client(view, lease, (at, place), running, findings);
        self.one_address(view, lease, at, findings);
    }

    /// One address that two clients of a zone hold at the same time.
    fn one_address(&mut self, view: &View<'_>, lease: &Lease, at: FrameRef, findings: &mut Findings) {
        let now = Holder {
            start: lease.start,
            until: lease.end.map(|(time, _)| time).or_else(|| holds_until(lease)),
            server: lease.server,
            chaddr: lease.client.chaddr,
            client_id: lease.client.client_id.as_deref().map(|id| view.facts.keys.bytes(id)),
            at,
        };
        let mut new = false;
        let holder = self.holders.entry((lease.ip, lease.zone), || {
            new = true;
            now
        });
        if new {
            return;
        }
        let before = *holder;
        // Who holds it longest is asked about the next one.
        if before.until <= now.until {
            *holder = now;
        }
        // Leases that end late come late, so the other one may be the earlier.
        let (one, other) = if before.start <= now.start { (before, now) } else { (now, before) };
        if !one.is_other(&other) || one.until.is_none_or(|until| until <= other.start) {
            return;
        }
        let about = About::new(FindingCode::AddressTwice, Severity::Error)
            .zone(lease.zone)
            .server(Some(other.server))
            .client(other.chaddr);
        findings.add(about, other.start, other.at, || {
            let (now, held) = (view.name(other.server), view.name(one.server));
            let (holder, client) = (view.client(one.chaddr), view.client(other.chaddr));
            let giver = if now == held { "the same server".to_owned() } else { now.to_owned() };
            format!("{} was still bound to {holder} by {held} when {client} got it from {giver}", lease.ip)
        });
    }
}

/// Two servers that gave one client different addresses at the same time.
fn one_client(
    view: &View<'_>,
    lease: &Lease,
    (at, place): (FrameRef, Option<Place>),
    running: &mut Option<Running>,
    findings: &mut Findings,
) {
    let given_up = !matches!(lease.end, None | Some((_, EndReason::Replaced)));
    let now = Running {
        server: lease.server,
        ip: lease.ip,
        until: holds_until(lease).filter(|_| !given_up),
        place,
    };
    let Some(before) = running.replace(now) else { return };
    let differs = before.server != lease.server && before.ip != lease.ip;
    let ran_on = before.until.is_some_and(|until| until > lease.start);
    // A client that moved behind another relay needs another address.
    if !differs || !ran_on || before.place.is_none() || before.place != now.place {
        return;
    }
    let known = view.analysis.network.topology.servers.len();
    let severity = if view.are_peers(before.server, lease.server) {
        Severity::Error
    } else if before.server.0 < known && lease.server.0 < known {
        Severity::Warning
    } else {
        // Two addresses of one machine would look the same.
        return;
    };
    let about = About::new(FindingCode::TwoLeasesOneClient, severity)
        .zone(lease.zone)
        .server(Some(lease.server))
        .client(lease.client.chaddr);
    findings.add(about, lease.start, at, || {
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

/// When the lease time is over; a lease whose time was not captured proves nothing.
fn holds_until(lease: &Lease) -> Option<CaptureTime> {
    lease.lease_s?;
    Some(lease.expires().unwrap_or(CaptureTime(i64::MAX)))
}

impl Holder {
    /// Whether Kea takes them for different clients; one client identifier with
    /// two hardware addresses is one client to it, and has a finding of its own.
    fn is_other(&self, other: &Self) -> bool {
        let same_id = self.client_id.is_some() && self.client_id == other.client_id;
        self.chaddr != other.chaddr && !same_id
    }
}
