//! What is in a capture file, as tshark and as dorascope say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{RECORDING, repository};
use crate::support::temp::TempDir;

/// Whatever hears a broadcast.
pub const BROADCAST: &str = "ff:ff:ff:ff:ff:ff";

/// The lines that a program prints.
fn lines(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A DHCP message, by its type and its transaction.
pub type Message = (String, String);

/// A frame with a DHCP message or of the control channel.
#[derive(Clone)]
pub struct Seen {
    from: String,
    to: String,
    /// Absent for the control channel.
    message: Option<Message>,
}

impl Seen {
    /// Whether the machine with this address sends or gets it; every one does where the address is empty.
    pub fn is_at(&self, mac: &str) -> bool {
        mac.is_empty() || self.from == mac || self.to == mac || self.to == BROADCAST
    }
}

/// What tshark finds in a file.
pub fn seen(file: &Path) -> Vec<Seen> {
    let mut command = Command::new("tshark");
    // Of a frame in a tunnel the inner addresses, which are the last ones.
    command.args(["-n", "-Y", "dhcp or tcp.port in {8000..8002}", "-T", "fields", "-E", "occurrence=l"]);
    let fields = ["eth.src", "eth.dst", "dhcp.option.dhcp", "dhcp.id"];
    command.args(fields.iter().flat_map(|field| ["-e", field])).arg("-r").arg(file);
    let seen = |line: String| {
        let [from, to, kind, xid] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
        let message = (!xid.is_empty()).then(|| (kind.to_owned(), xid.trim_start_matches("0x").to_owned()));
        Seen { from: from.to_owned(), to: to.to_owned(), message }
    };
    lines(&mut command).into_iter().map(seen).collect()
}

/// The messages among them, sorted, and how many are of the control channel.
pub fn summed<'a>(seen: impl Iterator<Item = &'a Seen> + Clone) -> (Vec<Message>, usize) {
    let mut messages: Vec<_> = seen.clone().filter_map(|it| it.message.clone()).collect();
    messages.sort();
    (messages, seen.filter(|it| it.message.is_none()).count())
}

/// The rows of tables that `dorascope analyze` writes, by the name of the table.
pub fn analysed(files: &[PathBuf]) -> BTreeMap<String, Vec<Value>> {
    let temp = TempDir::new("capturing-tables");
    let tables = temp.path().join("tables");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
    command.arg("analyze").args(files).arg("-t").arg(repository(RECORDING).join("topology.toml"));
    lines(command.args(["--format", "jsonl", "-o"]).arg(&tables));
    let rows = |name: &str| {
        let text = std::fs::read_to_string(tables.join(name).with_extension("jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    ["messages", "sources", "leases", "findings"].map(|name| (name.to_owned(), rows(name))).into()
}

/// The same as dorascope reads it.
pub fn summed_up(rows: &BTreeMap<String, Vec<Value>>) -> (Vec<Message>, usize) {
    let kinds = ["DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"];
    let number = |row: &Value| {
        let at = kinds.iter().position(|kind| row["message_type"] == *kind);
        at.map_or_else(|| panic!("{row}"), |at| (at + 1).to_string())
    };
    let message = |row: &Value| (number(row), row["xid"].as_str().unwrap().to_owned());
    let mut messages: Vec<_> = rows["messages"].iter().map(message).collect();
    messages.sort();
    let control: u64 = rows["sources"].iter().map(|row| row["control"].as_u64().unwrap()).sum();
    (messages, control as usize)
}
