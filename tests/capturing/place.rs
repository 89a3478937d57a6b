//! A laboratory without servers, in which the commands of a page run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::repository;
use crate::support::temp::TempDir;

/// What the page and the tests call; util-linux, procps and coreutils are there wherever there is a shell.
const PROGRAMS: [&str; 7] = ["capinfos", "dumpcap", "editcap", "ip", "python3", "tcpdump", "tshark"];

/// How many captures a block starts.
pub fn captures(text: &str) -> usize {
    ["tcpdump -i ", "dumpcap -i ", "dorascope sniff -i "]
        .iter()
        .map(|start| text.matches(start).count())
        .sum()
}

/// A directory in which blocks run.
pub struct Place {
    pub folder: TempDir,
}

impl Place {
    /// Nothing, and a word about it, where the laboratory cannot be built.
    pub fn new() -> Option<Self> {
        let found = |program: &&&str| {
            std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .any(|folder| folder.join(program).exists())
        };
        if let Some(program) = PROGRAMS.iter().find(|program| !found(program)) {
            println!("SKIPPED: {program} is not installed, so nothing of docs/capturing.md was run");
            return None;
        }
        let place = Self { folder: TempDir::new("capturing") };
        let output = place.run("true\n", "host", &[]);
        let why = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(77) || why.starts_with("unshare: ") {
            let why = why.lines().next().unwrap_or_default();
            println!(
                "SKIPPED: namespaces and bridges cannot be made here ({why}), so nothing of docs/capturing.md was run"
            );
            return None;
        }
        assert!(output.status.success(), "{why}");
        Some(place)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs a script on a machine of the laboratory while the frames of some files are sent there.
    fn run(&self, script: &str, machine: &str, sent: &[PathBuf]) -> Output {
        self.folder.file("block.sh", script.as_bytes());
        let program = Path::new(env!("CARGO_BIN_EXE_dorascope")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash"])
            .arg(repository("tests/capturing/place.sh"))
            .args(["block.sh", machine, &captures(script).to_string()])
            .args(sent)
            .env("PATH", path)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running(command.spawn().unwrap()).end()
    }

    /// Runs it, which has to succeed.
    pub fn must(&self, what: &str, script: &str, machine: &str, sent: &[PathBuf]) {
        let output = self.run(script, machine, sent);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stderr), self.read("block.err"));
        assert!(output.status.success(), "{what}: {}\n{script}\n{said}", output.status);
        assert!(!said.contains("error"), "{what}: {said}");
    }
}

/// A process that does not outlive its test.
struct Running(Child);

impl Running {
    /// Waits for its end, which must come soon. What it says is little, so no pipe fills.
    fn end(mut self) -> Output {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "a block does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut stderr = Vec::new();
        std::io::Read::read_to_end(&mut self.0.stderr.take().unwrap(), &mut stderr).unwrap();
        Output { status, stdout: Vec::new(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // With it go all processes and namespaces that it made.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
