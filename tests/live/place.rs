//! A network namespace with pairs of interfaces, and `dorascope sniff` in it.
//!
//! Whatever is sent stays in the namespace. It goes, with every process in it, when the test ends.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::temp::TempDir;

/// The namespace and a directory for files.
pub struct Place {
    name: String,
    pub folder: TempDir,
}

impl Place {
    /// A namespace with `zN` and `zN-peer` for each of some pairs: what is sent on one comes in at the other.
    /// Nothing, and a word about it, where that or one of the `programs` cannot be had.
    pub fn new(pairs: usize, programs: &[&str]) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let missing = programs.iter().find(|program| !has(program));
        if let Some(program) = missing {
            println!("SKIPPED: {program} is not installed, so nothing was captured live");
            return None;
        }
        let name = format!("dorascope-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        if !ok(Command::new("ip").args(["netns", "add", &name])) {
            println!("SKIPPED: network namespaces need root and iproute2, so nothing was captured live");
            return None;
        }
        let place = Self { name, folder: TempDir::new("live") };
        place.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 || true");
        place.run("ip link set lo up");
        (0..pairs).for_each(|pair| place.add_pair(pair));
        Some(place)
    }

    pub fn add_pair(&self, pair: usize) {
        self.run(&format!(
            "ip link add z{pair} type veth peer name z{pair}-peer && ip link set z{pair} up && ip link set z{pair}-peer up"
        ));
    }

    /// A command in the namespace, not started yet.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).current_dir(self.folder.path());
        command
    }

    /// What a shell script does in the namespace; it has to succeed.
    pub fn run(&self, script: &str) -> String {
        let output = self.shell(script);
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn shell(&self, script: &str) -> Output {
        self.command("bash").args(["-c", script]).output().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Starts `dorascope sniff` and waits until it captures.
    pub fn sniff(&self, arguments: &str) -> Sniff {
        self.sniff_with(arguments, Stdio::from(File::create(self.path("out.txt")).unwrap()))
    }

    pub fn sniff_with(&self, arguments: &str, out: Stdio) -> Sniff {
        self.begin(self.command(env!("CARGO_BIN_EXE_dorascope")), arguments, out)
    }

    /// The same with a clock that is as far off as a file of the directory says, by `libfaketime`.
    pub fn sniff_by_clock(&self, library: &Path, file: &str, arguments: &str) -> Sniff {
        let mut command = self.command(env!("CARGO_BIN_EXE_dorascope"));
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", self.path(file));
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        self.begin(command, arguments, Stdio::from(File::create(self.path("out.txt")).unwrap()))
    }

    fn begin(&self, mut command: Command, arguments: &str, out: Stdio) -> Sniff {
        command.arg("sniff").args(shlex::split(arguments).unwrap()).stdin(Stdio::null()).stdout(out);
        let child = command.stderr(File::create(self.path("err.txt")).unwrap()).spawn().unwrap();
        let mut sniff = Sniff { child, errors: self.path("err.txt") };
        let began = Instant::now();
        while !sniff.said().contains("capturing on") {
            let ended = sniff.child.try_wait().unwrap();
            let late = began.elapsed() > Duration::from_secs(30);
            assert!(ended.is_none() && !late, "it does not capture: {ended:?} {}", sniff.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        sniff
    }

    /// Sends the frames of a capture on an interface.
    pub fn replay(&self, interface: &str, capture: &Path, how: &str) -> String {
        self.run(&format!("tcpreplay --quiet {how} -i {interface} '{}' 2>&1", capture.display()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // By their own numbers, which the kernel knows.
        let pids = Command::new("ip").args(["netns", "pids", &self.name]).output();
        for pid in pids.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default().lines()
        {
            ok(Command::new("kill").args(["-9", pid]));
        }
        ok(Command::new("ip").args(["netns", "del", &self.name]));
    }
}

/// A `dorascope sniff` that runs.
pub struct Sniff {
    pub child: Child,
    errors: PathBuf,
}

impl Sniff {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        assert!(ok(Command::new("kill").args([&format!("-{signal}"), &self.pid().to_string()])));
    }

    /// What it wrote to standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    pub fn wait_for(&self, words: &str) {
        until(&format!("{words:?} in {}", self.said()), || self.said().contains(words));
    }

    /// Waits for its end, which must come.
    pub fn end(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a user would, and all must be well.
    pub fn stop(mut self) -> String {
        self.signal("TERM");
        let status = self.end();
        assert_eq!(status.code(), Some(0), "{}", self.said());
        self.said()
    }
}

impl Drop for Sniff {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Other tests may have the processors.
const PATIENCE: Duration = Duration::from_secs(100);

/// Waits until something is so.
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn has(program: &str) -> bool {
    ok(Command::new("sh").args(["-c", &format!("command -v {program}")]))
}

pub fn ok(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Everything that is in a pipe until it is closed.
pub fn drain(mut pipe: impl Read) -> String {
    let mut text = String::new();
    pipe.read_to_string(&mut text).unwrap();
    text
}
