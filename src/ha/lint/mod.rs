//! Cross-checks of the servers' configuration files, without a packet.
//!
//! Kea checks each file by itself and only as it starts. What is wrong between
//! two files shows later, as silence: an ACK withheld because the partner does
//! not know the subnet, a takeover that never comes. Here all files lie side by
//! side. A file that Kea refuses is a finding too, and the others are checked
//! without it.
//!
//! One file per question: `server` (what one server's file says by itself),
//! `classes` (who may use a pool), `listeners` (who listens where), `partners`
//! (which files describe one relationship, and what they disagree in),
//! `subnets` (the same for the subnets of a relationship).

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::catalogue::LintCode;
use super::topology::{Peer, Relationship};
use super::topology_file::{ReadMachine, read_each};
use crate::kea::config::{Dhcp4File, Seat, SubnetEntry};
use crate::kea::document::{At, FileError, Files};

mod classes;
mod listeners;
mod partners;
mod server;
mod subnets;
#[cfg(test)]
mod tests;

/// Something in a configuration file that an operator should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFinding {
    /// What it is; [`LintCode::severity`] says how much it matters.
    pub code: LintCode,
    /// The machine whose file it is; empty for a refused file that was given without a name.
    pub server: String,
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line and column (in characters), both from 1.
    pub place: (usize, usize),
    /// One sentence with the values.
    pub text: String,
}

/// Checks the files that a topology.toml names, and `files` (kea-dhcp4.conf or
/// kea-ctrl-agent.conf, with the machine's name where it was given).
///
/// The findings come with the most severe first, then by server and place. An
/// error is a file that cannot be read, or a mistake in topology.toml.
pub fn check(
    topology: Option<&Path>,
    files: &[(Option<String>, PathBuf)],
) -> Result<Vec<LintFinding>, FileError> {
    let (machines, refused) = read_each(topology, files)?;
    let mut report = Report::default();
    for (name, error) in refused {
        report.refused(name.unwrap_or_default(), error);
    }
    for machine in &machines {
        server::check(machine, &mut report);
        listeners::check(machine, &mut report);
    }
    let members: Vec<Member<'_>> = machines.iter().flat_map(members).collect();
    for member in &members {
        server::check_limits(member, &mut report);
        classes::check(member, &mut report);
    }
    partners::check(&machines, &members, &mut report);
    Ok(report.finish())
}

/// One server's seat in one relationship, as its own file describes it.
#[derive(Clone, Copy)]
struct Member<'a> {
    machine: &'a ReadMachine,
    file: &'a Dhcp4File,
    seat: &'a Seat,
}

impl<'a> Member<'a> {
    fn relationship(&self) -> &'a Relationship {
        &self.seat.relationship
    }

    /// Its own peer entry.
    fn own(&self) -> Option<&'a Peer> {
        self.relationship().peer(&self.seat.this_server_name).map(|(_, peer)| peer)
    }

    /// The place of a key of a peer's entry.
    fn at_peer(&self, name: &str, key: &str) -> At {
        let at = self.relationship().peer(name).and_then(|(at, _)| self.seat.peer_origins.get(at));
        at.map_or(self.seat.origin.at, |origin| origin.of(key))
    }

    /// The subnets of this relationship: all with one relationship, on a hub those that name it.
    fn subnets(&self) -> impl Iterator<Item = &'a SubnetEntry> {
        let member = *self;
        self.file.subnets.iter().filter(move |entry| member.has(entry))
    }

    /// Whether a subnet of its file belongs to this relationship.
    fn has(&self, entry: &SubnetEntry) -> bool {
        let name = entry.subnet.ha_server_name.as_deref();
        self.file.seats.len() < 2 || name.is_some_and(|name| self.relationship().peer(name).is_some())
    }

    fn name(&self) -> &'a str {
        &self.machine.name
    }
}

/// The seats of a machine.
fn members(machine: &ReadMachine) -> impl Iterator<Item = Member<'_>> {
    machine
        .dhcp4
        .iter()
        .flat_map(move |(_, file)| file.seats.iter().map(move |seat| Member { machine, file, seat }))
}

/// The findings so far.
#[derive(Default)]
struct Report(Vec<LintFinding>);

impl Report {
    fn add(&mut self, code: LintCode, server: &str, files: &Files, at: At, text: impl Into<String>) {
        let FileError { file, place, text } = files.error(at, text);
        let place = place.unwrap_or((1, 1));
        self.0.push(LintFinding { code, server: server.to_owned(), file, place, text });
    }

    /// Adds a finding about a place in a member's file.
    fn about(&mut self, code: LintCode, member: &Member<'_>, at: At, text: impl Into<String>) {
        self.add(code, member.name(), &member.file.files, at, text);
    }

    fn refused(&mut self, server: String, error: FileError) {
        let FileError { file, place, text } = error;
        let place = place.unwrap_or((1, 1));
        self.0.push(LintFinding { code: LintCode::ConfigurationRefused, server, file, place, text });
    }

    fn finish(mut self) -> Vec<LintFinding> {
        // Stable, so that findings of one place stay in the order of the checks.
        self.0.sort_by(|a, b| {
            let key = |it: &LintFinding| {
                (Reverse(it.code.severity()), it.server.clone(), it.file.clone(), it.place)
            };
            key(a).cmp(&key(b))
        });
        self.0.dedup();
        self.0
    }
}
