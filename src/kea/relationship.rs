//! The parameters of libdhcp_ha.so: `high-availability`.

use std::collections::{HashMap, HashSet};

use super::config::{Origin, Remark, RemarkKind, Seat};
use super::document::FileError;
use super::field::Field;
use crate::ha::topology::{Limits, Mode, Peer, Relationship, Role};

/// Keys of a relationship. Kea passes over any other, so a misspelt one silently keeps its default.
const KEYS: [&str; 19] = [
    "this-server-name",
    "mode",
    "peers",
    "heartbeat-delay",
    "max-response-delay",
    "max-ack-delay",
    "max-unacked-clients",
    "max-rejected-lease-updates",
    "delayed-updates-limit",
    "send-lease-updates",
    "sync-leases",
    "sync-timeout",
    "sync-page-limit",
    "wait-backup-ack",
    "trust-anchor",
    "cert-file",
    "key-file",
    "multi-threading",
    "state-machine",
];

/// Keys of a relationship that decide who answers; topology.toml has no others.
const DECIDING_KEYS: [&str; 10] = [
    "mode",
    "peers",
    "heartbeat-delay",
    "max-response-delay",
    "max-ack-delay",
    "max-unacked-clients",
    "max-rejected-lease-updates",
    "delayed-updates-limit",
    "send-lease-updates",
    "multi-threading",
];

/// Keys that say when a partner is taken for dead.
const THRESHOLDS: [&str; 3] = ["max-response-delay", "max-ack-delay", "max-unacked-clients"];

/// Keys of a peer.
const PEER_KEYS: [&str; 4] = ["name", "url", "role", "auto-failover"];

/// Reads the list `high-availability`: one relationship, or on a hub (Kea ≥ 2.5.5) several.
///
/// `threads`: whether the server is multi-threaded, without which it has no listener of its own.
pub(super) fn read_all(
    list: Field<'_>,
    threads: bool,
    remarks: &mut Vec<Remark>,
) -> Result<Vec<Seat>, FileError> {
    let maps: Vec<_> = list.items()?.collect();
    if maps.is_empty() {
        return Err(list.error("\"high-availability\" needs a relationship"));
    }
    let mut names = HashSet::new();
    let mut seats = Vec::new();
    for map in &maps {
        let mut seat = read(*map, &mut names, remarks)?;
        seat.relationship.limits.dedicated_listener &= threads;
        if maps.len() > 1 && seat.relationship.mode != Mode::HotStandby {
            let mode = seat.relationship.mode.as_str();
            let text = format!("a hub's relationships must all be hot-standby, not {mode}");
            return Err(map.need("mode")?.error(text));
        }
        seats.push(seat);
    }
    Ok(seats)
}

/// Reads a relationship that stands outside of any server's file, in Kea's own keys, and where they stand.
///
/// A misspelt key is an error. Without any threshold written, [`Limits::assumed`] is set.
pub(crate) fn read_described(map: Field<'_>) -> Result<(Relationship, Origin), FileError> {
    map.only_keys(&DECIDING_KEYS)?;
    for entry in map.need("peers")?.items()? {
        entry.only_keys(&PEER_KEYS)?;
    }
    // A URL without a port is what captures sometimes leave to say.
    let (mut relationship, _) = describe(map, &mut HashSet::new(), &mut Vec::new())?;
    let origin = map.origin()?;
    relationship.limits.assumed = THRESHOLDS.iter().all(|key| origin.key(key).is_none());
    Ok((relationship, origin))
}

/// Reads one relationship of a server; `names` holds the peer names of the ones before it.
fn read<'a>(
    map: Field<'a>,
    names: &mut HashSet<&'a str>,
    remarks: &mut Vec<Remark>,
) -> Result<Seat, FileError> {
    warn_misspelt(map, &KEYS, remarks)?;
    let (relationship, peer_origins) = describe(map, names, remarks)?;
    let this = map.need("this-server-name")?;
    let this_server_name = this.filled_text()?.to_owned();
    if relationship.peer(&this_server_name).is_none() {
        let known: Vec<&str> = relationship.peers.iter().map(|peer| peer.name.as_str()).collect();
        let known = known.join(", ");
        return Err(this.error(format!("\"{this_server_name}\" is not a peer's name; the peers are {known}")));
    }
    Ok(Seat {
        this_server_name,
        relationship,
        sync_leases: map.get("sync-leases")?.map_or(Ok(true), Field::flag)?,
        wants_listener: wants_listener(map)?,
        origin: map.origin()?,
        peer_origins,
    })
}

/// Reads mode, peers and limits; the places are those of the peers, in Kea's order like them.
fn describe<'a>(
    map: Field<'a>,
    names: &mut HashSet<&'a str>,
    remarks: &mut Vec<Remark>,
) -> Result<(Relationship, Vec<Origin>), FileError> {
    let mode = mode(map.need("mode")?)?;
    let list = map.need("peers")?;
    let (mut peers, mut origins) = (Vec::new(), HashMap::new());
    for entry in list.items()? {
        let peer = peer(entry, mode, &peers, remarks)?;
        let name = entry.need("name")?;
        if !names.insert(name.filled_text()?) {
            return Err(name.error(format!(
                "the peer name \"{}\" stands twice; names must differ over all relationships of a server",
                peer.name
            )));
        }
        origins.insert(peer.name.clone(), entry.origin()?);
        peers.push(peer);
    }
    check_roles(list, mode, &peers)?;
    // Kea's own order, whatever the file's: it decides which hashes belong to whom.
    peers.sort_by_key(|peer| rank(peer.role));
    let limits = limits(map, mode)?;
    let origins = peers.iter().map(|peer| origins.remove(&peer.name).unwrap_or_default()).collect();
    Ok((Relationship { mode, peers, limits }, origins))
}

/// Whether the file asks for a listener by itself, instead of leaving it to Kea's defaults.
fn wants_listener(map: Field<'_>) -> Result<bool, FileError> {
    let Some(threads) = map.get("multi-threading")? else {
        return Ok(false);
    };
    let asks = |key| threads.get(key)?.map_or(Ok(false), Field::flag);
    Ok(asks("enable-multi-threading")? || asks("http-dedicated-listener")?)
}

fn mode(field: Field<'_>) -> Result<Mode, FileError> {
    let text = field.text()?;
    [Mode::LoadBalancing, Mode::HotStandby, Mode::PassiveBackup]
        .into_iter()
        .find(|mode| mode.as_str() == text)
        .ok_or_else(|| {
            field.error(format!(
                "unknown mode \"{text}\"; Kea has load-balancing, hot-standby, passive-backup"
            ))
        })
}

/// Reads one peer; `before` are the peers above it.
fn peer(entry: Field<'_>, mode: Mode, before: &[Peer], remarks: &mut Vec<Remark>) -> Result<Peer, FileError> {
    warn_misspelt(entry, &PEER_KEYS, remarks)?;
    let name = entry.need("name")?.filled_text()?.to_owned();
    let role_field = entry.need("role")?;
    let text = role_field.text()?;
    let role = [Role::Primary, Role::Secondary, Role::Standby, Role::Backup]
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| {
            let roles = "primary, secondary, standby, backup";
            role_field.error(format!("unknown role \"{text}\"; Kea has {roles}"))
        })?;
    let allowed = match role {
        Role::Primary | Role::Backup => true,
        Role::Secondary => mode == Mode::LoadBalancing,
        Role::Standby => mode == Mode::HotStandby,
    };
    if !allowed {
        return Err(role_field.error(format!("mode {} has no {text}", mode.as_str())));
    }
    if role != Role::Backup
        && let Some(other) = before.iter().find(|peer| peer.role == role)
    {
        let text = format!("\"{name}\" is the second {text} after \"{}\"; there can be only one", other.name);
        return Err(role_field.error(text));
    }
    let url_field = entry.need("url")?;
    let text = url_field.text()?;
    let url = super::url::parse(text).map_err(|why| url_field.error(format!("the URL \"{text}\" {why}")))?;
    if url.1 == 0 {
        let text = format!("the URL \"{text}\" has no port, so Kea uses port 0");
        remarks.push(Remark { kind: RemarkKind::UrlWithoutPort, at: url_field.at(), text });
    }
    let auto_failover = entry.get("auto-failover")?.map_or(Ok(true), Field::flag)?;
    Ok(Peer { name, role, url, auto_failover, server: None })
}

const fn rank(role: Role) -> u8 {
    match role {
        Role::Primary => 0,
        Role::Secondary | Role::Standby => 1,
        Role::Backup => 2,
    }
}

/// Whether the peers that the mode needs are all there.
fn check_roles(list: Field<'_>, mode: Mode, peers: &[Peer]) -> Result<(), FileError> {
    let needed: &[Role] = match mode {
        Mode::LoadBalancing => &[Role::Primary, Role::Secondary],
        Mode::HotStandby => &[Role::Primary, Role::Standby],
        Mode::PassiveBackup => &[Role::Primary],
    };
    match needed.iter().find(|role| !peers.iter().any(|peer| peer.role == **role)) {
        None => Ok(()),
        Some(role) => {
            Err(list.error(format!("mode {} needs a {} among the peers", mode.as_str(), role.as_str())))
        }
    }
}

fn limits(map: Field<'_>, mode: Mode) -> Result<Limits, FileError> {
    let number = |key, default| map.get(key)?.map_or(Ok(default), |value| value.integer(0..=u32::MAX));
    let flag = |key, default| map.get(key)?.map_or(Ok(default), Field::flag);
    let defaults = Limits::defaults(mode);
    let threads = map.get("multi-threading")?;
    let threaded = |key| match threads {
        Some(threads) => threads.get(key)?.map_or(Ok(true), Field::flag),
        None => Ok(true),
    };
    let limits = Limits {
        heartbeat_delay_ms: number("heartbeat-delay", defaults.heartbeat_delay_ms)?,
        max_response_delay_ms: number("max-response-delay", defaults.max_response_delay_ms)?,
        max_ack_delay_ms: number("max-ack-delay", defaults.max_ack_delay_ms)?,
        max_unacked_clients: number("max-unacked-clients", defaults.max_unacked_clients)?,
        delayed_updates_limit: number("delayed-updates-limit", defaults.delayed_updates_limit)?,
        max_rejected_lease_updates: number(
            "max-rejected-lease-updates",
            defaults.max_rejected_lease_updates,
        )?,
        send_lease_updates: flag("send-lease-updates", defaults.send_lease_updates)?,
        dedicated_listener: threaded("enable-multi-threading")? && threaded("http-dedicated-listener")?,
        assumed: false,
    };
    if limits.delayed_updates_limit > 0 && mode != Mode::LoadBalancing {
        let text = format!("\"delayed-updates-limit\" must be 0 in mode {}", mode.as_str());
        return Err(map.need("delayed-updates-limit")?.error(text));
    }
    if flag("wait-backup-ack", false)? && mode != Mode::PassiveBackup {
        let text = format!("\"wait-backup-ack\" must be false in mode {}", mode.as_str());
        return Err(map.need("wait-backup-ack")?.error(text));
    }
    Ok(limits)
}

fn warn_misspelt(map: Field<'_>, known: &[&str], remarks: &mut Vec<Remark>) -> Result<(), FileError> {
    for (entry, meant) in map.misspelt_keys(known)? {
        let text = format!("Kea passes over the unknown key \"{}\"; did you mean \"{meant}\"?", entry.key);
        remarks.push(Remark { kind: RemarkKind::MisspeltKey, at: entry.at, text });
    }
    Ok(())
}
