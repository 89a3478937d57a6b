//! The files of --log and --leases: read whole before the work starts.

use anyhow::Result;
use dorascope::ha::topology::{ServerId, Topology};
use dorascope::ha::witness::Given;
use dorascope::kea::leases::LeaseFile;
use dorascope::kea::log::Log;

use super::output::Output;
use super::resolve::{Inputs, usage};

/// Reads the logs and lease files. The second value says whether all of them could be read to the end.
pub fn read(inputs: &Inputs, topology: &Topology, output: &Output) -> Result<(Given, bool)> {
    let mut given = Given::default();
    let mut whole = true;
    let mut troubled = |trouble: &String| {
        whole = false;
        output.error(trouble);
    };
    for (name, path) in &inputs.logs {
        let server = server(inputs.command, "--log", topology, name)?;
        let log = Log::read(path)?;
        log.trouble.iter().for_each(&mut troubled);
        if log.events.is_empty() {
            let lines = log.lines.read;
            output.note(&format!(
                "{}: none of its {lines} lines is a message of kea-dhcp4 that is used here",
                log.name
            ));
        }
        given.logs.push((server, log));
    }
    for (name, path) in &inputs.leases {
        let server = server(inputs.command, "--leases", topology, name)?;
        let file = LeaseFile::read(path)?;
        file.troubles.iter().for_each(&mut troubled);
        given.leases.push((server, file));
    }
    Ok((given, whole))
}

/// The server of the topology that a flag names; any other name is a usage error.
fn server(command: &str, flag: &str, topology: &Topology, name: &str) -> Result<ServerId> {
    if let Some(server) = topology.server_named(name) {
        return Ok(server);
    }
    let nearest = topology
        .servers
        .iter()
        .map(|server| server.name.as_str())
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    let hint = nearest.map_or_else(
        || "the topology has no server; give -t or --kea".to_owned(),
        |nearest| format!("the nearest is {nearest}"),
    );
    Err(usage(command, &format!("{flag}: there is no server \"{name}\" in the topology; {hint}")).into())
}
