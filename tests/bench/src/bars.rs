//! The bars: what each measures and what it has to reach. One function each; the order is that of the page.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::counts;
use crate::generate::Kind;
use crate::inputs::Inputs;
use crate::measure::{Job, Runs, compare};
use crate::results::{Bar, Line, Results, digits};

const MIB: f64 = 1_048_576.0;
/// What the usual captures are made of.
const MILLION: u32 = 1_000_000;

/// Where and how it is measured.
pub struct Bench {
    /// The program that is measured.
    pub dorascope: PathBuf,
    pub inputs: Inputs,
    /// For what programs write.
    pub scratch: PathBuf,
    /// A tenth of the frames, no giants, fewer rounds; nothing is kept.
    pub quick: bool,
    /// What `dorascope analyze --help` says.
    pub help: String,
}

/// A bar by its key.
type Measure = fn(&Bench) -> Result<Vec<Bar>>;

/// All of them.
pub const BARS: [(&str, Measure); 12] = [
    ("summary", summary),
    ("tables", tables),
    ("mixed", mixed),
    ("tshark", tshark),
    ("gzip", gzip),
    ("pcapng", pcapng),
    ("control", control),
    ("threads", threads),
    ("start-up", start_up),
    ("counts", counts_per_message),
    ("hostile", hostile),
    ("scaling", scaling),
];

impl Bench {
    fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// Frames of the usual capture.
    fn frames(&self) -> u64 {
        if self.quick { 400_000 } else { 4_000_000 }
    }

    fn clients(&self) -> u32 {
        (self.frames() / 4) as u32
    }

    fn analyze(&self, name: &str, kind: Kind, file: &Path) -> Job {
        let mut zone = std::ffi::OsString::from("bench=");
        zone.push(file);
        Job::new(name, &self.dorascope)
            .args(["analyze", "--color", "never"])
            .arg(zone)
            .arg("-t")
            .arg(self.inputs.topology(kind))
    }

    fn with_tables(&self, name: &str, file: &Path) -> Job {
        self.analyze(name, Kind::Dora, file).arg("-o").arg(self.scratch.join("tables")).arg("--force")
    }

    fn compare(&self, jobs: &[Job], rounds: usize) -> Result<Vec<Runs>> {
        let runs = compare(jobs, rounds, &self.scratch)?;
        let _ = std::fs::remove_dir_all(self.scratch.join("tables"));
        Ok(runs)
    }

    fn usual(&self) -> Result<Option<PathBuf>> {
        self.inputs.get(Kind::Dora, self.clients(), self.frames(), "pcap")
    }
}

fn tcpdump(file: &Path) -> Job {
    Job::new("tcpdump", "tcpdump").arg("-r").arg(file).args(["-w", "/dev/null", "udp port 67 or udp port 68"])
}

/// A bar on a ratio of wall times, of the first two jobs.
fn ratio(key: &str, work: &str, bar: &str, limit: f64, runs: &[Runs]) -> Bar {
    let mut made = Bar::new(key, work, bar, limit);
    if let [this, other, ..] = runs {
        made.reached = this.over(other);
        made.cpu = this.cpu().zip(other.cpu()).map(|(this, other)| this / other);
        made.failed = this.failed.clone().or_else(|| other.failed.clone());
    }
    made.lines = runs.iter().map(Line::of).collect();
    made
}

/// A bar on the peak memory of a job, in MiB.
fn memory(key: &str, work: &str, bar: &str, limit: f64, runs: &Runs) -> Bar {
    let mut made = Bar::new(key, work, bar, limit);
    made.unit = " MiB".to_owned();
    made.reached = runs.peak().map(|peak| peak as f64 / MIB);
    made.failed.clone_from(&runs.failed);
    made
}

fn skipped(key: &str, work: &str, bar: &str, limit: f64, why: &str) -> Vec<Bar> {
    println!("SKIPPED: {key}: {why}");
    vec![Bar { failed: Some(why.to_owned()), ..Bar::new(key, work, bar, limit) }]
}

/// Why a bar without its capture has no number.
const NO_ROOM: &str = "no room on the disk";

fn summary(bench: &Bench) -> Result<Vec<Bar>> {
    let (work, bar) = ("`analyze`, terminal summary with verdicts", "≤ 0.5 × tcpdump (aim 0.3)");
    let Some(file) = bench.usual()? else { return Ok(skipped("summary", work, bar, 0.5, NO_ROOM)) };
    let jobs =
        [bench.analyze("dorascope", Kind::Dora, &file), tcpdump(&file), Job::new("cat", "cat").arg(&file)];
    let runs = bench.compare(&jobs, bench.rounds())?;
    let peak = memory(
        "memory",
        "peak memory of the summary, 4 M frames of 1 M clients",
        "≤ 256 MiB",
        256.0,
        &runs[0],
    );
    Ok(vec![ratio("summary", work, bar, 0.5, &runs), peak])
}

fn tables(bench: &Bench) -> Result<Vec<Bar>> {
    let (work, bar) = ("the same with `-o`, all tables in Parquet", "≤ 3 × tcpdump (aim 1.5)");
    let Some(file) = bench.usual()? else { return Ok(skipped("tables", work, bar, 3.0, NO_ROOM)) };
    let runs = bench.compare(&[bench.with_tables("dorascope -o", &file), tcpdump(&file)], bench.rounds())?;
    let peak = memory("memory-tables", "peak memory with `-o`", "≤ 512 MiB", 512.0, &runs[0]);
    Ok(vec![ratio("tables", work, bar, 3.0, &runs), peak, flat(bench)?])
}

/// Memory against the length of the file. The clients are the same, because running leases are held.
fn flat(bench: &Bench) -> Result<Bar> {
    let clients = bench.clients() / 4;
    let work = format!("peak memory with `-o`, {clients} clients, against a quarter of the file");
    let mut bar = Bar::new("memory-flat", &work, "flat: ≤ 1.2 ×", 1.2);
    let long = bench.inputs.get(Kind::Dora, clients, bench.frames(), "pcap")?;
    let short = bench.inputs.get(Kind::Dora, clients, bench.frames() / 4, "pcap")?;
    let (Some(long), Some(short)) = (long, short) else {
        bar.failed = Some(NO_ROOM.to_owned());
        return Ok(bar);
    };
    let jobs = [bench.with_tables("quarter of the clients", &long), bench.with_tables("a quarter of it", &short)];
    let runs = bench.compare(&jobs, 1)?;
    bar.reached = runs[0].peak().zip(runs[1].peak()).map(|(long, short)| long as f64 / short as f64);
    bar.failed = runs[0].failed.clone().or_else(|| runs[1].failed.clone());
    bar.lines = runs.iter().map(Line::of).collect();
    std::fs::remove_file(long)?;
    Ok(bar)
}

fn mixed(bench: &Bench) -> Result<Vec<Bar>> {
    let (work, bar) = ("mixed file, one DHCP frame in ten", "≤ 0.4 × tcpdump");
    let Some(file) = bench.inputs.get(Kind::Mixed, bench.clients() / 10, bench.frames(), "pcap")? else {
        return Ok(skipped("mixed", work, bar, 0.4, NO_ROOM));
    };
    let jobs = [bench.analyze("dorascope", Kind::Mixed, &file), tcpdump(&file)];
    Ok(vec![ratio("mixed", work, bar, 0.4, &bench.compare(&jobs, bench.rounds())?)])
}

fn tshark(bench: &Bench) -> Result<Vec<Bar>> {
    let frames = bench.frames() / 10;
    let work = format!("tshark's five fields, both on {frames} frames");
    let Some(file) = bench.inputs.get(Kind::Dora, frames as u32 / 4, frames, "pcap")? else {
        return Ok(skipped("tshark", &work, "≥ 100 × faster", 100.0, NO_ROOM));
    };
    let fields = ["frame.number", "dhcp.hw.mac_addr", "dhcp.id", "dhcp.option.dhcp", "dhcp.ip.your"];
    let jobs = [
        Job::new("tshark", "tshark")
            .args(["-n", "-T", "fields", "-r"])
            .arg(&file)
            .args(fields.iter().flat_map(|field| ["-e", field])),
        bench.analyze("dorascope", Kind::Dora, &file),
    ];
    // tshark takes most of the time here.
    let runs = bench.compare(&jobs, 1)?;
    let mut bar = ratio("tshark", &work, "≥ 100 × faster", 100.0, &runs);
    bar.at_least = true;
    Ok(vec![bar])
}

fn gzip(bench: &Bench) -> Result<Vec<Bar>> {
    let frames = bench.frames() / 4;
    let work = format!("gzip input, {frames} frames");
    let Some(file) = bench.inputs.get(Kind::Dora, frames as u32 / 4, frames, "pcap.gz")? else {
        return Ok(skipped("gzip", &work, "≤ 1.2 × zcat", 1.2, NO_ROOM));
    };
    let jobs = [bench.analyze("dorascope", Kind::Dora, &file), Job::new("zcat", "zcat").arg(&file)];
    Ok(vec![ratio("gzip", &work, "≤ 1.2 × zcat", 1.2, &bench.compare(&jobs, bench.rounds())?)])
}

fn pcapng(bench: &Bench) -> Result<Vec<Bar>> {
    let (work, bar) = ("pcapng", "≤ 1.2 × the same as pcap");
    let (Some(pcap), Some(pcapng)) =
        (bench.usual()?, bench.inputs.get(Kind::Dora, bench.clients(), bench.frames(), "pcapng")?)
    else {
        return Ok(skipped("pcapng", work, bar, 1.2, NO_ROOM));
    };
    let jobs = [bench.analyze("pcapng", Kind::Dora, &pcapng), bench.analyze("pcap", Kind::Dora, &pcap)];
    let runs = bench.compare(&jobs, bench.rounds())?;
    std::fs::remove_file(pcapng)?;
    Ok(vec![ratio("pcapng", work, bar, 1.2, &runs)])
}

fn control(bench: &Bench) -> Result<Vec<Bar>> {
    let (work, bar) = ("HA control channel with a lease update per ACK", "≤ 1.5 × the same without it");
    let (Some(without), Some(with)) =
        (bench.usual()?, bench.inputs.get(Kind::Control, bench.clients(), bench.frames(), "pcap")?)
    else {
        return Ok(skipped("control", work, bar, 1.5, NO_ROOM));
    };
    let jobs = [
        bench.analyze("with updates", Kind::Control, &with),
        bench.analyze("without", Kind::Dora, &without),
        tcpdump(&with),
    ];
    Ok(vec![ratio("control", work, bar, 1.5, &bench.compare(&jobs, bench.rounds())?)])
}

fn threads(bench: &Bench) -> Result<Vec<Bar>> {
    let (work, bar) = ("two threads against one, with `-o`", "≥ 1.6 × faster");
    if !bench.help.contains("--threads") {
        return Ok(skipped("threads", work, bar, 1.6, "not measurable: there is no `--threads`"));
    }
    let Some(file) = bench.usual()? else { return Ok(skipped("threads", work, bar, 1.6, NO_ROOM)) };
    let threads = |name, count| bench.with_tables(name, &file).args(["--threads", count]);
    let jobs = [threads("one thread", "1"), threads("two threads", "2")];
    let mut made = ratio("threads", work, bar, 1.6, &bench.compare(&jobs, bench.rounds())?);
    made.at_least = true;
    Ok(vec![made])
}

fn start_up(bench: &Bench) -> Result<Vec<Bar>> {
    let file = bench.inputs.get(Kind::Dora, 10, 40, "pcap")?.context("forty frames fit")?;
    let jobs = [
        Job::new("dorascope hash", &bench.dorascope).args(["hash", "01:08:00:27:a4:00:01"]),
        bench.analyze("forty frames", Kind::Dora, &file),
    ];
    let runs = bench.compare(&jobs, 20)?;
    let bar = |key: &str, work: &str, limit: f64, runs: &Runs| {
        let mut bar = Bar::new(key, work, &format!("≤ {limit} ms"), limit);
        bar.unit = " ms".to_owned();
        bar.reached = runs.wall().map(|wall| wall * 1000.0);
        bar.failed.clone_from(&runs.failed);
        bar.lines = vec![Line::of(runs)];
        bar
    };
    Ok(vec![
        bar("start-up", "start-up: `dorascope hash`", 10.0, &runs[0]),
        bar("start-up-capture", "start-up: a capture of 40 frames", 50.0, &runs[1]),
    ])
}

fn counts_per_message(bench: &Bench) -> Result<Vec<Bar>> {
    // The difference of two lengths: what starting takes falls out.
    let (few, many) = (50_000, 150_000);
    let profile = bench.inputs.folder.join("callgrind.out");
    let mut per_message = [0.0; 2];
    for (frames, sign) in [(few, -1.0), (many, 1.0)] {
        let file = bench.inputs.get(Kind::Dora, MILLION, frames, "pcap")?.context("a small file fits")?;
        let job = bench.analyze("dorascope", Kind::Dora, &file);
        per_message[0] += sign * counts::allocations(&job)? as f64 / (many - few) as f64;
        per_message[1] += sign * counts::instructions(&job, &profile)? as f64 / (many - few) as f64;
    }
    println!("    {:.2} allocations, {:.0} instructions", per_message[0], per_message[1]);
    let bar = |key: &str, work: &str, reached| Bar { reached: Some(reached), ..Bar::told(key, work) };
    let mut bars = vec![
        bar("allocations", "heap allocations per DHCP message (valgrind)", per_message[0]),
        bar("instructions", "instructions per DHCP message (callgrind)", per_message[1]),
    ];
    for (key, work, function) in [
        ("instructions-read", "reading, decoding, pairing", "intake::Intake::fill"),
        ("instructions-pair", "pairing alone", "pair::Pairer::push"),
        ("instructions-survey", "the survey: senders, timeline, replay", "engine::Engine::survey"),
        ("instructions-settle", "decisions, verdicts, leases", "engine::Engine::settle"),
        ("instructions-find", "findings", "findings::Finder::look"),
    ] {
        if let Some(share) = counts::share(&profile, function)? {
            println!("    {share:.1} % {work}");
            let told = format!("of these instructions: {work}");
            bars.push(Bar { unit: "%".to_owned(), ..bar(key, &told, share) });
        }
    }
    Ok(bars)
}

fn hostile(bench: &Bench) -> Result<Vec<Bar>> {
    let frames = bench.frames() / 4;
    let clients = frames as u32 / 4;
    let inputs = [
        ("hostile-hash", "addresses and xids that differ in their high bits only", Kind::Colliding, clients),
        ("hostile-xid", "every xid equal", Kind::SameXid, clients),
        ("hostile-xids", "one client, every frame with another xid", Kind::Unanswered, 1),
        ("hostile-options", "options of 255 bytes", Kind::LongOptions, clients),
        ("hostile-fragments", "64 KiB in fragments, every second one incomplete", Kind::Fragments, clients),
    ];
    let mut bars = Vec::new();
    for (key, work, kind, clients) in inputs {
        let bar = "≤ 1.5 × tcpdump, three times the usual bar";
        let Some(file) = bench.inputs.get(kind, clients, frames, "pcap")? else {
            bars.extend(skipped(key, work, bar, 1.5, NO_ROOM));
            continue;
        };
        let runs = bench.compare(&[bench.analyze("dorascope", kind, &file), tcpdump(&file)], 3)?;
        let peak =
            memory(&format!("{key}-memory"), &format!("peak memory: {work}"), "≤ 768 MiB", 768.0, &runs[0]);
        bars.extend([ratio(key, work, bar, 1.5, &runs), peak]);
        std::fs::remove_file(file)?;
    }
    Ok(bars)
}

/// Seconds; a run that would take longer, going by the one of a tenth of the size, is left out.
const PATIENCE: f64 = 300.0;

/// Cost is processor time: the largest files may not fit the page cache, and no disk is measured here.
fn scaling(bench: &Bench) -> Result<Vec<Bar>> {
    let sizes: &[u64] = if bench.quick {
        &[10_000, 100_000, 400_000]
    } else {
        &[10_000, 100_000, 1_000_000, 4_000_000, 40_000_000]
    };
    let inputs = [
        ("scaling-one-client", "with 1 client", Kind::Dora, 1),
        ("scaling-clients", "with 10⁶ clients", Kind::Dora, MILLION),
        ("scaling-same-xid", "with every xid equal", Kind::SameXid, MILLION),
        ("scaling-no-ack", "with no ACK ever", Kind::NoAck, MILLION),
    ];
    let mut bars = Vec::new();
    for (key, work, kind, clients) in inputs {
        let work = format!("processor time against size, 10⁴ to 4·10⁷ frames, {work}");
        let mut bar = Bar::new(key, &work, "exponent ≤ 1.05", 1.05);
        let (mut points, mut peaks) = (Vec::new(), Vec::new());
        for &frames in sizes {
            let expected = points.last().map_or(0.0, |(size, cpu): &(f64, f64)| cpu / size * frames as f64);
            if expected > PATIENCE {
                bar.failed = Some(format!("{frames} frames left out: they would take {expected:.0} s"));
                break;
            }
            let Some(file) = bench.inputs.get(kind, clients, frames, "pcap")? else {
                bar.failed = Some(format!("{frames} frames: {NO_ROOM}"));
                break;
            };
            let rounds = if frames < 10_000_000 { 3 } else { 1 };
            let runs = bench.compare(&[bench.analyze(&format!("{frames} frames"), kind, &file)], rounds)?;
            bar.lines.push(Line::of(&runs[0]));
            bar.failed.clone_from(&runs[0].failed);
            points.extend(runs[0].cpu().map(|cpu| (frames as f64, cpu)));
            peaks.extend(runs[0].peak().map(|peak| (frames, peak)));
            if (kind, clients) == (Kind::Dora, MILLION) {
                if frames == 40_000_000 && runs[0].failed.is_none() {
                    bars.push(long_tables(bench, &file)?);
                }
            } else {
                std::fs::remove_file(file)?;
            }
            bench.inputs.tidy()?;
        }
        bar.reached = exponent(&points);
        bars.push(bar);
        if key == "scaling-clients" {
            bars.push(growth(&peaks));
        }
    }
    bars.extend(ten_million(bench)?);
    Ok(bars)
}

fn long_tables(bench: &Bench, file: &Path) -> Result<Bar> {
    let work = "peak memory with `-o`, 40 M frames of 1 M clients";
    let runs = bench.compare(&[bench.with_tables("40 M frames, dorascope -o", file)], 0)?;
    let mut bar = memory("memory-tables-long", work, "≤ 512 MiB", 512.0, &runs[0]);
    bar.lines = vec![Line::of(&runs[0])];
    Ok(bar)
}

/// The slope of least squares through the logarithms.
fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(|point| of(point).ln()).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let products = points.iter().map(|point| (point.0.ln() - x) * (point.1.ln() - y)).sum::<f64>();
    let squares = points.iter().map(|point| (point.0.ln() - x).powi(2)).sum::<f64>();
    (points.len() > 2).then_some(products / squares)
}

/// Memory of the longest file against that of 4 M frames.
fn growth(peaks: &[(u64, u64)]) -> Bar {
    let work = "peak memory of the summary, 40 M frames of the same clients, against 4 M";
    let mut bar = Bar::new("memory-growth", work, "≤ 1.2 ×", 1.2);
    let peak = |frames| peaks.iter().find(|(size, _)| *size == frames).map(|(_, peak)| *peak as f64);
    bar.reached = peak(40_000_000).zip(peak(4_000_000)).map(|(long, short)| long / short);
    if bar.reached.is_none() {
        bar.failed = Some("40 M frames were not measured".to_owned());
    }
    bar
}

/// Ten million clients: more than the tables hold.
fn ten_million(bench: &Bench) -> Result<Vec<Bar>> {
    let work = "peak memory of the summary, 40 M frames of 10 M clients";
    let mut bar = Bar { unit: " MiB".to_owned(), ..Bar::told("memory-crowd", work) };
    if bench.quick {
        return Ok(Vec::new());
    }
    let Some(file) = bench.inputs.get(Kind::Dora, 10 * MILLION, 40_000_000, "pcap")? else {
        return Ok(vec![Bar { failed: Some(NO_ROOM.to_owned()), ..bar }]);
    };
    let job = bench.analyze("10 M clients", Kind::Dora, &file);
    let runs = bench.compare(std::slice::from_ref(&job), 0)?;
    bar.lines = vec![Line::of(&runs[0])];
    bar.reached = runs[0].peak().map(|peak| peak as f64 / MIB);
    bar.failed.clone_from(&runs[0].failed);
    if bar.failed.is_none() {
        let output = job.command().output()?;
        let said = [output.stdout, output.stderr].concat();
        bar.said = String::from_utf8_lossy(&said).lines().rev().take(5).map(str::to_owned).collect();
        bar.said.reverse();
    }
    bench.inputs.tidy()?;
    Ok(vec![bar])
}

/// Measures the bars that are asked for, and keeps each as soon as it is there.
pub fn measure(bench: &Bench, only: &[String], results: &mut Results) -> Result<()> {
    for (key, measure) in
        BARS.iter().filter(|(key, _)| only.is_empty() || only.iter().any(|name| name == key))
    {
        println!("== {key}");
        for bar in measure(bench).with_context(|| (*key).to_owned())? {
            let cpu = bar.cpu.map(|cpu| format!(" (processor time {})", digits(cpu))).unwrap_or_default();
            println!("    {}: {}{cpu}, {}", bar.key, bar.outcome(), bar.bar);
            results.put(bar);
        }
        results.save()?;
    }
    bench.inputs.tidy()
}
