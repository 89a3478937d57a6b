//! What one server's file says by itself.

use super::{Member, Report};
use crate::ha::catalogue::LintCode;
use crate::ha::topology::{Mode, Role};
use crate::ha::topology_file::ReadMachine;
use crate::kea::config::{Dhcp4File, HttpSocket, RemarkKind};
use crate::kea::document::Files;

/// The longest delay that Kea before 3.3.0 takes, milliseconds (kea-ha §3.1).
const LONGEST_DELAY_MS: u32 = 65_535;
/// How long a client repeats its message before it begins again: 4 + 8 + 16 + 32 s, each give or
/// take one (RFC 2131 §4.1).
const CLIENTS_TRY_MS: u32 = 64_000;

/// Checks everything that is not about one relationship.
pub(super) fn check(machine: &ReadMachine, report: &mut Report) {
    if let Some((_, agent)) = &machine.agent {
        open_socket(machine, "the Control Agent", &agent.http, &agent.files, report);
    }
    let Some((_, file)) = &machine.dhcp4 else {
        return;
    };
    for remark in &file.remarks {
        let code = match remark.kind {
            RemarkKind::MisspeltKey => LintCode::MisspeltKey,
            RemarkKind::UrlWithoutPort => LintCode::UrlWithoutPort,
            RemarkKind::UnrelatedSubnet => LintCode::SubnetUnrelated,
            RemarkKind::BadPool => LintCode::PoolRefused,
        };
        report.add(code, &machine.name, &file.files, remark.at, remark.text.as_str());
    }
    for socket in &file.http_sockets {
        open_socket(machine, "the HTTP control socket", socket, &file.files, report);
    }
    if file.seats.is_empty() {
        return;
    }
    if !file.hooks.iter().any(|name| name == "libdhcp_lease_cmds.so") {
        let text = "libdhcp_ha.so needs libdhcp_lease_cmds.so, which is not among the hooks-libraries";
        let at = file.origin.of("hooks-libraries");
        report.add(LintCode::LeaseCommandsMissing, &machine.name, &file.files, at, text);
    }
    for entry in file.subnets.iter().filter(|entry| !entry.has_id) {
        let text =
            format!("{} has no id; Kea before 2.6 counts it as {}", entry.subnet.prefix, entry.subnet.id);
        report.add(LintCode::SubnetIdMissing, &machine.name, &file.files, entry.at, text);
    }
    agent_socket(machine, file, report);
}

/// A socket for everybody.
fn open_socket(machine: &ReadMachine, what: &str, socket: &HttpSocket, files: &Files, report: &mut Report) {
    let (host, port) = socket.address;
    if host.is_unspecified() && !socket.authenticated {
        let text = format!("{what} listens on every interface ({host}, port {port}) without authentication");
        report.add(LintCode::OpenControlSocket, &machine.name, files, socket.at, text);
    }
}

/// Whether the machine's agent hands commands to the socket that its server has.
fn agent_socket(machine: &ReadMachine, file: &Dhcp4File, report: &mut Report) {
    let Some((_, agent)) = &machine.agent else {
        return;
    };
    let handed_to = agent.sockets.iter().find(|(service, _)| service == "dhcp4").map(|(_, name)| name);
    let text = match handed_to {
        None => "the Control Agent has no socket for dhcp4 in \"control-sockets\"".to_owned(),
        Some(name) if file.unix_sockets.is_empty() => {
            format!("the Control Agent hands commands to {name}, but the server has no UNIX control socket")
        }
        Some(name) if !file.unix_sockets.iter().any(|own| own == name) => {
            let own = file.unix_sockets.join(", ");
            format!("the Control Agent hands commands to {name}, but the server's control socket is {own}")
        }
        Some(_) => return,
    };
    let at = agent.origin.of("control-sockets");
    report.add(LintCode::AgentSocketDiffers, &machine.name, &agent.files, at, text);
}

/// Checks the times and limits of one relationship, and its passwords.
pub(super) fn check_limits(member: &Member<'_>, report: &mut Report) {
    let (seat, limits) = (member.seat, member.relationship().limits);
    let place = |key: &str| seat.origin.of(key);
    for (key, value) in [
        ("heartbeat-delay", limits.heartbeat_delay_ms),
        ("max-response-delay", limits.max_response_delay_ms),
        ("max-ack-delay", limits.max_ack_delay_ms),
    ] {
        if value > LONGEST_DELAY_MS {
            let text = format!("{key} is {value} ms; Kea before 3.3.0 takes at most {LONGEST_DELAY_MS}");
            report.about(LintCode::DelayTooLong, member, place(key), text);
        }
    }
    if seat.wants_listener && member.file.multi_threading == Some(false) {
        let text =
            "\"multi-threading\" is asked for here, but the server's own enable-multi-threading is false";
        report.about(LintCode::MultiThreadingOff, member, place("multi-threading"), text);
    }
    if limits.send_lease_updates != seat.sync_leases {
        let (updates, sync) = (limits.send_lease_updates, seat.sync_leases);
        let key = if updates { "sync-leases" } else { "send-lease-updates" };
        let text = format!("send-lease-updates is {updates}, but sync-leases is {sync}");
        report.about(LintCode::LeasesNotShared, member, place(key), text);
    }
    passwords(member, report);
    let is_active = member.own().is_some_and(|own| own.role != Role::Backup);
    if is_active && member.relationship().mode != Mode::PassiveBackup {
        failure_detection(member, report);
    }
}

/// Whether the failure of a partner is noticed, neither too easily nor never.
fn failure_detection(member: &Member<'_>, report: &mut Report) {
    let (seat, limits) = (member.seat, member.relationship().limits);
    let place = |key: &str| seat.origin.of(key);
    let (heartbeat, response) = (limits.heartbeat_delay_ms, limits.max_response_delay_ms);
    if heartbeat == 0 {
        report.about(LintCode::HeartbeatOff, member, place("heartbeat-delay"), "heartbeat-delay is 0");
    } else if heartbeat >= response {
        let text = format!("heartbeat-delay is {heartbeat} ms, max-response-delay only {response} ms");
        report.about(LintCode::HeartbeatTooSlow, member, place("heartbeat-delay"), text);
    }
    let (clients, delay) = (limits.max_unacked_clients, limits.max_ack_delay_ms);
    if clients == 0 {
        let text = "max-unacked-clients is 0: a cut control channel alone makes the partner count as dead";
        report.about(LintCode::TakeoverAtOnce, member, place("max-unacked-clients"), text);
        return;
    }
    let addresses: u64 = member
        .subnets()
        .flat_map(|entry| &entry.pools)
        .map(|pool| 1 + u64::from(u32::from(pool.last).saturating_sub(u32::from(pool.first))))
        .sum();
    if addresses > 0 && addresses <= u64::from(clients) {
        let text = format!(
            "max-unacked-clients is {clients}, so {} unserved clients are needed, but the pools have {addresses} addresses",
            u64::from(clients) + 1
        );
        report.about(LintCode::TakeoverUnlikely, member, place("max-unacked-clients"), text);
    }
    if delay > CLIENTS_TRY_MS {
        let text = format!("max-ack-delay is {delay} ms; most clients begin again after about a minute");
        report.about(LintCode::TakeoverUnlikely, member, place("max-ack-delay"), text);
    }
}

/// Passwords for peers that are talked to without TLS.
fn passwords(member: &Member<'_>, report: &mut Report) {
    let encrypts = |origin: &crate::kea::config::Origin| origin.key("trust-anchor").is_some();
    for (peer, origin) in member.relationship().peers.iter().zip(&member.seat.peer_origins) {
        let password = ["basic-auth-password", "basic-auth-password-file"];
        let at = password.iter().find_map(|key| origin.key(key));
        if let Some(at) = at.filter(|_| !encrypts(origin) && !encrypts(&member.seat.origin)) {
            let text = format!("the password for \"{}\" is sent without TLS", peer.name);
            report.about(LintCode::PasswordInClear, member, at, text);
        }
    }
}
