//! Kea's message texts (kea-ha §3.9): a message id and its text become a [`What`].
//!
//! From 2.5.5 nearly every HA text begins with the server's name, which may hold
//! spaces; labels hold commas and colons. So each template is found by its
//! constant words, and what stands before them may be absent.

use std::net::Ipv4Addr;

use super::event::{Label, Packet, SyncStep, What};
use crate::dhcp::MessageType;
use crate::units::{HwAddr, Xid, parse_hex};

/// Whether events are made of messages with this id.
pub(super) fn is_known(id: &str) -> bool {
    let ha = |id: &str| {
        matches!(
            id,
            "BUFFER4_RECEIVE_NOT_FOR_US"
                | "SUBNET4_SELECT_NOT_FOR_US"
                | "STATE_TRANSITION"
                | "STATE_TRANSITION_PASSIVE_BACKUP"
                | "LOCAL_DHCP_ENABLE"
                | "LOCAL_DHCP_DISABLE"
                | "SERVICE_STARTED"
                | "COMMUNICATION_INTERRUPTED"
                | "COMMUNICATION_INTERRUPTED_CLIENT4"
                | "COMMUNICATION_INTERRUPTED_CLIENT4_UNACKED"
                | "HEARTBEAT_COMMUNICATIONS_FAILED"
                | "HEARTBEAT_FAILED"
                | "LEASE_UPDATE_COMMUNICATIONS_FAILED"
                | "LEASE_UPDATE_FAILED"
                | "LEASE_UPDATE_CONFLICT"
                | "HIGH_CLOCK_SKEW"
                | "HIGH_CLOCK_SKEW_CAUSED_TERMINATION"
                | "HIGH_CLOCK_SKEW_CAUSES_TERMINATION"
                | "TERMINATED"
                | "SYNC_START"
                | "SYNC_SUCCESSFUL"
                | "SYNC_FAILED"
        ) || id.starts_with("MAINTENANCE_")
            || id.starts_with("SUBNET4_SELECT_NO_")
            || id == "SUBNET4_SELECT_INVALID_HA_SERVER_NAME"
    };
    let core = |id: &str| {
        matches!(id, "PACKET_RECEIVED" | "PACKET_SEND" | "PACKET_SEND_FAIL")
            || matches!(id, "LEASE_OFFER" | "LEASE_ADVERT" | "LEASE_ALLOC" | "LEASE_REUSE")
            || id.starts_with("PACKET_DROP_")
            || id.starts_with("PACKET_NAK_")
    };
    id.strip_prefix("HA_").is_some_and(ha) || id.strip_prefix("DHCP4_").is_some_and(core)
}

/// What a message says, and about which client; `None` when its text fits no known template.
pub(super) fn read(id: &str, text: &str) -> Option<(What, Option<Label>)> {
    let (label, after) = labelled(text).map_or((None, ""), |(label, after)| (Some(label), after));
    // Kea prints an empty label for a query that it has not parsed.
    let client = label.filter(|label| !label.mac.is_empty() || label.xid != Xid(0));
    let short: Box<str> = id.rsplit('_').next().unwrap_or(id).into();
    let what = match id {
        "DHCP4_PACKET_RECEIVED" => What::Received(packet(after)?),
        "DHCP4_PACKET_SEND" => What::Sent(packet(after)?),
        "DHCP4_PACKET_SEND_FAIL" => What::SendFailed,
        "DHCP4_LEASE_OFFER" | "DHCP4_LEASE_ADVERT" => What::Offer(leased(after)?),
        "DHCP4_LEASE_ALLOC" | "DHCP4_LEASE_REUSE" => What::Alloc(leased(after)?),
        "DHCP4_PACKET_DROP_0003" => What::ForeignServerId,
        "DHCP4_PACKET_DROP_0008" => What::ServiceOff,
        "HA_BUFFER4_RECEIVE_NOT_FOR_US" => What::NotForUs(None),
        "HA_SUBNET4_SELECT_NOT_FOR_US" => {
            What::NotForUs(between(after, "in relationship ", " to be processed").map(Into::into))
        }
        "HA_STATE_TRANSITION" | "HA_STATE_TRANSITION_PASSIVE_BACKUP" => transition(text)?,
        "HA_LOCAL_DHCP_ENABLE" | "HA_LOCAL_DHCP_DISABLE" => What::Service {
            on: id.ends_with("ENABLE"),
            server: between(text, "while the ", " is in the ")?.into(),
            state: between(text, " is in the ", " state")?.into(),
        },
        "HA_SERVICE_STARTED" => What::Started {
            mode: between(text, "high availability service in ", " mode as ")?.into(),
            role: between(text, " mode as ", " server")?.into(),
        },
        "HA_COMMUNICATION_INTERRUPTED" => {
            What::Interrupted { partner: name(between(text, "communication with ", " is interrupted")?) }
        }
        "HA_COMMUNICATION_INTERRUPTED_CLIENT4" => What::Waiting,
        "HA_COMMUNICATION_INTERRUPTED_CLIENT4_UNACKED" => What::Unacked {
            count: last_word(text.split_once(" clients unacked so far")?.0).parse().ok()?,
            left: last_word(text.split_once(" clients left before")?.0).parse().ok()?,
        },
        "HA_HEARTBEAT_COMMUNICATIONS_FAILED" => {
            let (partner, reason) = to_peer(text.split_once("failed to send heartbeat to ")?.1);
            What::HeartbeatFailed { partner, reason }
        }
        "HA_HEARTBEAT_FAILED" => {
            let (partner, reason) = text.split_once("heartbeat to ")?.1.split_once(" failed: ")?;
            What::HeartbeatFailed { partner: name(partner), reason: reason.into() }
        }
        "HA_LEASE_UPDATE_CONFLICT" | "HA_LEASE_UPDATE_FAILED" | "HA_LEASE_UPDATE_COMMUNICATIONS_FAILED" => {
            update(id.ends_with("CONFLICT"), after)?
        }
        "HA_HIGH_CLOCK_SKEW" => What::ClockSkew { terminates: false },
        "HA_HIGH_CLOCK_SKEW_CAUSED_TERMINATION" | "HA_HIGH_CLOCK_SKEW_CAUSES_TERMINATION" => {
            What::ClockSkew { terminates: true }
        }
        "HA_TERMINATED" => What::Terminated,
        "HA_SYNC_START" => What::Sync(SyncStep::Start),
        "HA_SYNC_SUCCESSFUL" => What::Sync(SyncStep::Done),
        "HA_SYNC_FAILED" => What::Sync(SyncStep::Failed),
        _ if id.starts_with("DHCP4_PACKET_NAK_") => What::Refused(short),
        _ if id.starts_with("DHCP4_PACKET_DROP_") => What::Dropped(short),
        _ if id.starts_with("HA_MAINTENANCE_") => What::Maintenance(id.into()),
        _ => What::Dropped(id.trim_start_matches("HA_SUBNET4_SELECT_").into()),
    };
    Some((what, client))
}

/// Kea's label of a client, and what stands behind it.
fn labelled(text: &str) -> Option<(Label, &str)> {
    let (head, rest) = text.split_once("], cid=[")?;
    let hardware = head.rsplit_once('[')?.1;
    let (client_id, rest) = rest.split_once(']')?;
    let rest = rest.strip_prefix(" (malformed client-id)").unwrap_or(rest);
    let rest = rest.strip_prefix(", tid=0x")?;
    let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    let (xid, after) = rest.split_at_checked(end)?;
    let mac = hardware.strip_prefix("hwtype=").and_then(|rest| parse_hex(rest.split_once(' ')?.1));
    let label = Label {
        mac: HwAddr::new(&mac.unwrap_or_default()),
        client_id: parse_hex(client_id).filter(|bytes| !bytes.is_empty()).map(Vec::into_boxed_slice),
        xid: xid.parse().ok()?,
    };
    Some((label, after))
}

/// `DHCPOFFER (type 2) from A:67 to B:68 on interface IF`; the words around it differ.
fn packet(text: &str) -> Option<Packet> {
    let address = |text: &str| text.split(':').next().unwrap_or(text).parse::<Ipv4Addr>().ok();
    Some(Packet {
        kind: MessageType(between(text, "(type ", ")")?.parse().ok()?),
        src: address(between(text, " from ", " to ")?)?,
        dst: address(between(text.split_once(" from ")?.1, " to ", " on interface ")?)?,
        interface: text.split_once(" on interface ")?.1.trim_end().into(),
    })
}

fn leased(text: &str) -> Option<Ipv4Addr> {
    text.split_once("lease ")?.1.split(' ').next()?.parse().ok()
}

fn transition(text: &str) -> Option<What> {
    let (head, rest) = text.split_once("server transitions from ")?;
    let (from, rest) = rest.split_once(" to ")?;
    let (to, rest) = rest.split_once(" state")?;
    Some(What::Transition {
        server: head.trim_end().strip_suffix(':').map(Into::into),
        from: from.into(),
        to: to.into(),
        partner: rest.split_once("partner state is ").map(|(_, state)| state.trim_end().into()),
    })
}

/// The part of a failed lease update behind the client's label.
fn update(conflict: bool, after: &str) -> Option<What> {
    // ` sent to PEER failed: WHY`, ` to PEER: WHY`; before 2.5.5 `: lease update to PEER failed: WHY`
    // and `: failed to communicate with PEER: WHY`.
    let words = [" sent to ", " to ", ": lease update to ", ": failed to communicate with "];
    let rest = words.iter().find_map(|words| after.strip_prefix(words))?;
    let said = rest.split_once(" returned conflict status code: ").or_else(|| rest.split_once(" failed: "));
    let (partner, reason) = said.map_or_else(|| to_peer(rest), |(peer, why)| (name(peer), why.into()));
    Some(What::UpdateFailed { conflict, partner, reason })
}

/// `NAME (URL): WHY`.
fn to_peer(text: &str) -> (Box<str>, Box<str>) {
    match text.split_once("): ").or_else(|| text.split_once(": ")) {
        Some((peer, why)) => (name(peer), why.into()),
        None => (name(text), "".into()),
    }
}

/// The name in `NAME (URL)`.
fn name(peer: &str) -> Box<str> {
    peer.rsplit_once(" (").map_or(peer, |(name, _)| name).into()
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

fn last_word(text: &str) -> &str {
    text.rsplit(' ').next().unwrap_or(text)
}
