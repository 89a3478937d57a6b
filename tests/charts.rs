//! Charts of the recordings: what they say, that no letters collide, and that nothing breaks them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use dorascope::capture::Input;
use dorascope::chart::{Chart, Charts, Kind, Theme, png};
use dorascope::exchange::PairLimits;
use dorascope::explain::Selector;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, Options, Window, analyze, stream};
use dorascope::table::{Cell, Rows};
use resvg::usvg::{Node, TextChunk, Tree};

use crate::scenarios::script::{self, Cast};
use crate::support::files::{Order, PcapFile};
use crate::support::page::{self, MADE};
use crate::support::temp::TempDir;
use crate::truth::{captures, inputs, scenarios, truths};

fn analysed<T>(slug: &str, with: impl FnOnce(&Analysis<'_>) -> T) -> T {
    let folder = captures().join(slug);
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    with(&analyze(&inputs(&folder), &topology, PairLimits::default(), |_| {}))
}

fn chart_of(analysis: &Analysis<'_>, kind: Kind, selector: Option<&Selector>) -> Chart {
    let mut charts = Charts::new(&[kind], selector);
    charts.take(analysis);
    charts.finish(analysis).remove(0)
}

fn chart(slug: &str, kind: Kind) -> Chart {
    analysed(slug, |analysis| chart_of(analysis, kind, None))
}

fn client(name: &str) -> Selector {
    Selector::Client { text: name.to_owned(), mac: None }
}

/// A text of a picture and the edges of its letters: left, top, right, bottom.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    edges: [f32; 4],
}

/// Every text of an SVG, as a renderer of its own sets it.
fn written(svg: &str) -> (Vec<Written>, (f32, f32)) {
    let tree = Tree::from_str(svg, &png::options()).unwrap();
    let mut texts = Vec::new();
    let mut nodes: Vec<&Node> = tree.root().children().iter().collect();
    while let Some(node) = nodes.pop() {
        match node {
            Node::Group(group) => nodes.extend(group.children()),
            Node::Text(text) => {
                let b = text.flattened().abs_bounding_box();
                texts.push(Written {
                    text: text.chunks().iter().map(TextChunk::text).collect(),
                    edges: [b.left(), b.top(), b.right(), b.bottom()],
                });
            }
            _ => {}
        }
    }
    (texts, (tree.size().width(), tree.size().height()))
}

/// No letters run over each other or out of the picture.
fn nothing_collides(svg: &str, what: &str) {
    let (texts, (width, height)) = written(svg);
    assert!(!texts.is_empty(), "{what}: no text");
    for (number, one) in texts.iter().enumerate() {
        let [left, top, right, bottom] = one.edges;
        assert!(
            left >= 0.0 && top >= 0.0 && right <= width && bottom <= height,
            "{what}: {one:?} leaves the picture"
        );
        for other in texts.iter().skip(number + 1) {
            let [l, t, r, b] = other.edges;
            assert!(left >= r || right <= l || top >= b || bottom <= t, "{what}: {one:?} and {other:?}");
        }
    }
}

fn texts(svg: &str) -> Vec<String> {
    written(svg).0.into_iter().map(|written| written.text).collect()
}

/// Sums a column by another one.
fn sums(rows: &Rows, by: &str, of: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for row in 0..rows.len() {
        let Cell::U64(count) = rows.get(row, of) else { panic!("{of} is no count") };
        *sums.entry(text(rows, row, by)).or_default() += count;
    }
    sums
}

fn text(rows: &Rows, row: usize, column: &str) -> String {
    match rows.get(row, column) {
        Cell::Null => String::new(),
        Cell::U64(n) => n.to_string(),
        Cell::Bool(it) => it.to_string(),
        Cell::Text(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}

/// One line per frame of a capture with these fields; `None` without tshark.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-Y", filter, "-T", "fields"]).args(fields.iter().flat_map(|field| ["-e", field]));
    let Ok(output) = command.arg("-r").arg(file).output() else {
        println!("SKIPPED: tshark is not installed; a chart is not compared with it");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

#[test]
fn every_chart_of_every_recording_can_be_read() {
    for folder in scenarios() {
        let slug = folder.file_name().unwrap().to_string_lossy().into_owned();
        analysed(&slug, |analysis| {
            let mut charts = Charts::new(&Kind::ALL, None);
            charts.take(analysis);
            for chart in charts.finish(analysis) {
                let what = format!("{slug}, {}", chart.kind.as_str());
                for page in 0..chart.pages() {
                    let light = chart.svg(page, Theme::Light);
                    nothing_collides(&light, &what);
                    assert_eq!(light, chart.svg(page, Theme::Light), "{what}: the same twice");
                    assert!(light.contains("<title>") && light.contains("<desc>"), "{what}");
                    let dark = chart.svg(page, Theme::Dark);
                    assert_eq!(texts(&light).len(), texts(&dark).len(), "{what}: the same words in the dark");
                    assert_ne!(light, dark);
                }
            }
        });
    }
}

/// The sentence of the documentation: zaldua1zerb1 receives the broadcast, but zaldua2zerb1 offers the address.
#[test]
fn the_ladder_shows_who_heard_and_who_offered() {
    let chart = analysed("all-on", |analysis| chart_of(analysis, Kind::Ladder, Some(&client("zaldua2bez1"))));
    let rows = chart.rows();
    let arrow =
        |row| ["text", "from", "to", "mark", "rule"].map(|column| text(&rows, row, column)).join(" | ");
    let arrows: Vec<String> = (0..rows.len()).map(arrow).collect();
    let heard = arrows.iter().position(|it| {
        it.starts_with("DISCOVER") && it.contains("zaldua1zerb1 | dropped | scope-not-served")
    });
    let offered = arrows
        .iter()
        .position(|it| it.starts_with("OFFER 192.168.4.100 | zaldua2zerb1 | zaldua2bez1 | arrives"));
    assert!(heard.is_some() && heard < offered, "{arrows:#?}");
    let words = texts(&chart.svg(0, Theme::Light));
    for needed in [
        "zaldua2bez1",
        "zaldua1zerb1",
        "standby",
        "zaldua2zerb1",
        "primary",
        "scope-not-served",
        "foreign-server-id",
        "zone zaldua2",
    ] {
        assert!(words.iter().any(|word| word == needed), "{needed} is missing in {words:?}");
    }
}

#[test]
fn the_ladder_goes_through_a_relay() {
    let chart = analysed("relayed", |analysis| chart_of(analysis, Kind::Ladder, Some(&client("mendibez1"))));
    let rows = chart.rows();
    let hop = |row| ["from", "to"].map(|column| text(&rows, row, column)).join(" to ");
    let hops: Vec<String> = (0..rows.len()).map(hop).collect();
    // The relay has the address 192.168.45.1 (captures/relayed/README.md).
    for needed in [
        "mendibez1 to 192.168.45.1",
        "192.168.45.1 to haranzerb1",
        "haranzerb1 to 192.168.45.1",
        "192.168.45.1 to mendibez1",
    ] {
        assert!(hops.iter().any(|hop| hop == needed), "{needed} is missing in {hops:?}");
    }
}

/// Kea's log: the heartbeat that fails at 14:04:59.710259 moves zaldua1zerb2 to partner-down.
#[test]
fn a_takeover_is_in_the_title() {
    let states = chart("zaldua1zerb1-killed", Kind::States);
    assert!(
        states.title(0).starts_with("zaldua1zerb2 took over from zaldua1zerb1 at 14:04:59.7 UTC"),
        "{}",
        states.title(0)
    );
    let words = texts(&states.svg(0, Theme::Dark));
    assert!(
        words.iter().any(|word| word == "partner-down") && words.iter().any(|word| word == "not running")
    );
    let unacked = chart("zaldua1zerb1-killed", Kind::Unacked);
    assert!(
        unacked.title(0).ends_with("11 were needed, and took over at 14:04:59.7 UTC"),
        "{}",
        unacked.title(0)
    );
}

/// Every line of Kea's log about an unacked client has its dot, with the count that Kea printed.
#[test]
fn the_counts_are_those_of_keas_log() {
    let folder = captures().join("zaldua1zerb1-killed");
    let logged = std::fs::read_to_string(folder.join("truth.jsonl")).unwrap();
    let logged = logged.lines().filter(|line| line.contains("CLIENT4_UNACKED")).map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        (
            line["server"].as_str().unwrap().to_owned(),
            line["mac"].as_str().unwrap().to_owned(),
            line["unacked"].as_u64().unwrap(),
        )
    });
    let logged: Vec<_> = logged.collect();
    assert!(logged.len() > 10, "{logged:?}");
    let rows = chart("zaldua1zerb1-killed", Kind::Unacked).rows();
    let drawn: Vec<_> = (0..rows.len())
        .filter(|row| rows.get(*row, "unacked") == Cell::Bool(true))
        .map(|row| {
            let Cell::U64(total) = rows.get(row, "total_unacked") else { panic!() };
            (text(&rows, row, "server"), text(&rows, row, "chaddr"), total)
        })
        .collect();
    assert_eq!(drawn, logged);
}

#[test]
fn latencies_are_those_of_tshark() {
    let file = captures().join("all-on/zaldua2.pcap");
    let Some(frames) =
        tshark(&file, "dhcp", &["dhcp.option.dhcp", "dhcp.id", "frame.time_epoch", "dhcp.hw.mac_addr"])
    else {
        return;
    };
    // From every DISCOVER to the next OFFER of its transaction.
    let mut expected = Vec::new();
    for (number, frame) in frames.iter().enumerate().filter(|(_, frame)| frame[0] == "1") {
        let offer = frames[number..].iter().find(|other| other[0] == "2" && other[1] == frame[1]).unwrap();
        let ns = |frame: &Vec<String>| {
            let (seconds, fraction) = frame[2].split_once('.').unwrap();
            seconds.parse::<i64>().unwrap() * 1_000_000_000 + fraction.parse::<i64>().unwrap()
        };
        expected.push((ns(offer) - ns(frame)).cast_unsigned() / 1000);
    }
    expected.sort_unstable();
    let rows = chart("all-on", Kind::Latency).rows();
    let of = |row: &usize| {
        text(&rows, *row, "server") == "zaldua2zerb1" && text(&rows, *row, "phase") == "discover-offer"
    };
    let drawn: Vec<u64> = (0..rows.len())
        .filter(of)
        .map(|row| if let Cell::U64(us) = rows.get(row, "duration_us") { us } else { panic!() })
        .collect();
    assert!(expected.len() >= 2);
    assert_eq!(drawn, expected);
}

#[test]
fn leases_are_those_of_keas_log() {
    for slug in ["load-balancing", "load-balancing-killed"] {
        let mut logged: BTreeMap<String, u64> = BTreeMap::new();
        for truth in truths(&captures().join(slug)).iter().filter(|truth| truth.is_ack()) {
            *logged.entry(truth.server.clone()).or_default() += 1;
        }
        let drawn = sums(&chart(slug, Kind::Share).rows(), "server", "acks");
        assert_eq!(drawn, logged, "{slug}");
        let buckets = chart(slug, Kind::Buckets).rows();
        let answered: u64 =
            ["by_owner", "by_other"].iter().map(|of| sums(&buckets, "hash", of).values().sum::<u64>()).sum();
        assert_eq!(answered, logged.values().sum::<u64>(), "{slug}");
    }
    // Both servers ran all the time: Kea's hash decided, and each gave what belongs to it.
    let buckets = chart("load-balancing", Kind::Buckets).rows();
    assert_eq!(sums(&buckets, "hash", "by_other").values().sum::<u64>(), 0);
    assert_eq!(buckets.len(), 256);
}

#[test]
fn secs_and_types_are_those_of_tshark() {
    let file = captures().join("secs/haran.pcap");
    let Some(frames) = tshark(&file, "dhcp", &["dhcp.option.dhcp", "dhcp.secs"]) else { return };
    let mut types: BTreeMap<String, u64> = BTreeMap::new();
    let mut secs: BTreeMap<(u16, bool), u64> = BTreeMap::new();
    for frame in &frames {
        let name = ["", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"];
        *types.entry(name[frame[0].parse::<usize>().unwrap()].to_owned()).or_default() += 1;
        if matches!(frame[0].as_str(), "1" | "3") {
            // tshark swaps bytes too, so the field is read as it shows it: a number that it takes for swapped is
            // 256 times as large on the wire.
            *secs.entry((frame[1].parse().unwrap(), false)).or_default() += 1;
        }
    }
    assert_eq!(sums(&chart("secs", Kind::Rate).rows(), "message_type", "messages"), types);
    let rows = chart("secs", Kind::Secs).rows();
    let mut drawn: BTreeMap<(u16, bool), u64> = BTreeMap::new();
    for row in 0..rows.len() {
        let Cell::U64(count) = rows.get(row, "messages") else { panic!() };
        *drawn.entry((text(&rows, row, "secs_kea").parse().unwrap(), false)).or_default() += count;
    }
    assert_eq!(drawn, secs);
}

/// Thirty servers on one wire all offer to many clients; names are long, and some clients get an ACK.
#[test]
fn thirty_servers_have_room() {
    let mut cast = Cast::default();
    let mut topology = "[[zone]]\nname = \"z\"\nsubnets = [\"10.0.0.0/24\"]\n".to_owned();
    for n in 0..30 {
        cast.hosts.insert(format!("s{n}"), [10, 0, 0, 10 + n].into());
        let _ = write!(
            topology,
            "[[server]]\nname = \"dhcp-server-with-a-long-name-{n}.example.org\"\naddresses = [\"10.0.0.{}\"]\n",
            10 + n
        );
    }
    let mut frames = String::new();
    for client in 0..40 {
        let mac = format!("08:00:27:00:00:{client:02x}");
        let at = f64::from(client) * 0.37;
        let _ = writeln!(frames, "- {at:.6} z {mac} DISCOVER xid={client:x}");
        for n in 0..30 {
            let _ = writeln!(
                frames,
                "- {:.6} z {mac} OFFER from=s{n} y=10.0.0.{}",
                at + 0.001 * f64::from(n + 1),
                100 + client
            );
        }
        let _ = writeln!(
            frames,
            "- {:.6} z {mac} REQUEST sid=s{} req=10.0.0.{}",
            at + 0.1,
            client % 30,
            100 + client
        );
        let _ = writeln!(
            frames,
            "- {:.6} z {mac} ACK from=s{} y=10.0.0.{}",
            at + 0.11,
            client % 30,
            100 + client
        );
    }
    let folder = TempDir::new("charts");
    let path = folder.file("topology.toml", topology.as_bytes());
    let topology = Topology::load(&path).unwrap();
    let (inputs, _) = script::write(&script::read(&cast, &frames), &folder);
    let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
    for kind in Kind::ALL {
        let chart = chart_of(&analysis, kind, None);
        for page in 0..chart.pages() {
            nothing_collides(&chart.svg(page, Theme::Light), kind.as_str());
        }
    }
    let ladder = chart_of(&analysis, Kind::Ladder, None);
    assert!(
        ladder.description(0).contains("more servers that could hear the client are not drawn"),
        "{}",
        ladder.description(0)
    );
}

/// Nothing to show is said, with the reason.
#[test]
fn captures_without_much_in_them_still_give_pictures() {
    let folder = TempDir::new("charts");
    let arp = crate::support::frames::ethernet(0x0806, &[0; 28]);
    let cast = Cast::default();
    let single = script::read(&cast, "- 1 z 08:00:27:00:00:01 DISCOVER xid=7");
    let files = [
        ("empty", PcapFile::nano(Order::Little, 1).bytes),
        ("no-dhcp", PcapFile::nano(Order::Little, 1).frame(1_700_000_000_000_000_000, &arp).bytes),
        (
            "single",
            PcapFile::nano(Order::Little, 1)
                .frame(1_700_000_000_000_000_000, &single[0].message.as_ref().unwrap().frame())
                .bytes,
        ),
    ];
    for (name, bytes) in files {
        let file = folder.file(&format!("{name}.pcap"), &bytes);
        for kind in Kind::ALL {
            let (svg, png) = (folder.path().join("chart.svg"), folder.path().join("chart.png"));
            for path in [&svg, &png] {
                let run = Command::new(env!("CARGO_BIN_EXE_dorascope"))
                    .arg("chart")
                    .arg(kind.as_str())
                    .arg(&file)
                    .arg("-o")
                    .arg(path)
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&run.stderr).into_owned();
                assert_eq!(run.status.code(), Some(0), "{name} {}: {said}", kind.as_str());
            }
            let text = std::fs::read_to_string(&svg).unwrap();
            nothing_collides(&text, &format!("{name}, {}", kind.as_str()));
            assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
            let words = texts(&text).join(" ");
            let says =
                ["No ", "no ", "One message", "The only query"].iter().any(|word| words.contains(word));
            assert!(says, "{name}, {}: {words}", kind.as_str());
        }
    }
}

/// Names from files, and texts of the control channel, can be anything.
#[test]
fn hostile_names_are_harmless() {
    let evil = "</text><script>alert(1)</script>\\u001b[2J\\u202eabc\\u0000&\\\"'\\uffff";
    let long = "W".repeat(255);
    let topology = format!(
        "[[zone]]\nname = \"z\"\nsubnets = [\"10.0.0.0/24\"]\n[[server]]\nname = \"{evil}\"\naddresses = [\"10.0.0.1\"]\n\
         [[server]]\nname = \"{long}\"\naddresses = [\"10.0.0.2\"]\n[[client]]\nname = \"{evil}{long}\"\nmac = \"08:00:27:00:00:01\"\n"
    );
    let folder = TempDir::new("charts");
    let topology = Topology::load(&folder.file("topology.toml", topology.as_bytes())).unwrap();
    let mut cast = Cast::default();
    cast.hosts.extend([("a".to_owned(), [10, 0, 0, 1].into()), ("b".to_owned(), [10, 0, 0, 2].into())]);
    let frames = "- 0 z 08:00:27:00:00:01 DISCOVER xid=1\n- 0.001 z 08:00:27:00:00:01 OFFER from=a y=10.0.0.9\n\
                  - 0.002 z 08:00:27:00:00:01 OFFER from=b y=10.0.0.8\n- 0.003 z 08:00:27:00:00:01 REQUEST sid=a req=10.0.0.9\n\
                  - 0.004 z 08:00:27:00:00:01 ACK from=a y=10.0.0.9";
    let (mut inputs, _) = script::write(&script::read(&cast, frames), &folder);
    inputs[0].zone = Some("<b>\u{202e}\u{7}z".to_owned());
    let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
    for kind in Kind::ALL {
        let chart = chart_of(&analysis, kind, None);
        for page in 0..chart.pages() {
            let svg = chart.svg(page, Theme::Light);
            // A parser of XML takes it, and finds no element that we did not make.
            nothing_collides(&svg, kind.as_str());
            assert!(!svg.contains("<script") && !svg.contains("<b>"), "{}", kind.as_str());
            let odd = |c: char| {
                (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{ffff}'
            };
            assert!(!svg.contains(odd), "{}", kind.as_str());
        }
    }
}

#[test]
fn a_bad_path_fails_before_the_work() {
    let folder = TempDir::new("charts");
    let run = |output: &Path| {
        let capture = captures().join("all-on/zaldua2.pcap");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
        command.args(["chart", "rate", "-o"]).arg(output).arg(capture).output().unwrap()
    };
    let missing: PathBuf = folder.path().join("nowhere/rate.svg");
    let failed = run(&missing);
    assert_eq!(failed.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("nowhere/rate.svg"), "{failed:?}");
    assert_eq!(run(&folder.path().join("rate.gif")).status.code(), Some(2));
    assert_eq!(run(&folder.path().join("rate.svg")).status.code(), Some(0));
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["rate.svg"], "nothing half-made stays");
}

/// A picture of the documentation: kind, recording, whose ladder, and what it is an example of.
const GALLERY: [(Kind, &str, Option<&str>, &str); 8] = [
    (
        Kind::Ladder,
        "all-on",
        Some("zaldua2bez1"),
        "Both servers hear the broadcast, one offers. A cross is a server that heard a query and dropped it; the rule stands below it.",
    ),
    (
        Kind::States,
        "zaldua1zerb1-killed",
        None,
        "A primary is killed; its standby takes over and gives the clients back later.",
    ),
    (
        Kind::Unacked,
        "zaldua1zerb1-killed",
        None,
        "The count that led to it: every client that waited too long, up to the takeover.",
    ),
    (
        Kind::Latency,
        "load-balancing",
        None,
        "How long clients waited for an OFFER and for an ACK, and how much of the latter was HA.",
    ),
    (
        Kind::Share,
        "load-balancing-killed",
        None,
        "ACKs per server, and the share that a hash gives to so many clients.",
    ),
    (
        Kind::Buckets,
        "load-balancing-killed",
        None,
        "Whose hash is whose, and which clients the other peer had to serve.",
    ),
    (Kind::Secs, "secs", None, "What clients say about their waiting, and from where on Kea counts them."),
    (Kind::Rate, "load-balancing", None, "Messages over time."),
];

/// The pictures of the documentation are what the program draws.
#[test]
fn the_gallery_is_current() {
    let mut text = format!(
        "{MADE}\n\n# Charts\n\n`dorascope chart KIND INPUT… -o FILE.svg` draws one chart, as SVG with real text or as \
         PNG; `--theme both` makes a second one for a dark page, `--data FILE.csv` writes the rows behind it \
         ([columns](tables.md)). What is left out or rounded stands below a picture.\n"
    );
    for (kind, slug, of, about) in GALLERY {
        let word = kind.as_str();
        let chart = analysed(slug, |analysis| chart_of(analysis, kind, of.map(client).as_ref()));
        for (theme, suffix) in [(Theme::Light, ""), (Theme::Dark, "-dark")] {
            page::is_current(&format!("docs/charts/{word}{suffix}.svg"), &chart.svg(0, theme));
        }
        let selector = of.map_or_else(String::new, |name| format!(" --client {name}"));
        let _ = write!(
            text,
            "\n## {word}\n\n{about}\n\n```sh\ndorascope chart {word} captures/{slug}/*.pcap -t captures/{slug}/topology.toml{selector} \
             -o {word}.svg\n```\n\n<picture>\n  <source media=\"(prefers-color-scheme: dark)\" \
             srcset=\"charts/{word}-dark.svg\">\n  <img src=\"charts/{word}.svg\" alt=\"{}\">\n</picture>\n",
            dorascope::chart::markup(&chart.title(0))
        );
    }
    page::is_current("docs/charts.md", &text);
}

/// A long capture, in batches as it comes from the pipeline, is aggregated and paged, and says so.
#[test]
fn many_exchanges_are_aggregated() {
    use crate::bench_inputs::generate::{self, Kind as Made, Mode, Plan, Precision};
    let folder = TempDir::new("charts");
    let path = folder.path().join("bench.pcap");
    let plan = Plan {
        kind: Made::Control,
        mode: Mode::LoadBalancing,
        clients: 500,
        frames: 20_000,
        precision: Precision::Nanoseconds,
    };
    generate::write(&plan, &path).unwrap();
    generate::write_topology(folder.path(), Mode::LoadBalancing, true).unwrap();
    let topology = Topology::load(&folder.path().join("topology.toml")).unwrap();
    let inputs = [Input { zone: Some("bench".to_owned()), path }];
    let draw = |window| {
        let mut charts = Charts::new(&Kind::ALL, None);
        let options = Options { window, ..Options::default() };
        let last = stream(&inputs, &topology, options, |_| {}, |batch| charts.take(batch));
        charts.take(&last);
        charts.finish(&last)
    };
    let (whole, batches) = (draw(Window::WHOLE), draw(Window::of(800, 400)));
    for (chart, other) in whole.iter().zip(&batches) {
        let svg = chart.svg(0, Theme::Light);
        nothing_collides(&svg, chart.kind.as_str());
        assert!(svg.len() < 1_000_000, "{}: {} bytes", chart.kind.as_str(), svg.len());
        // A decision in a batch may be a little less sure; a count is a count.
        if chart.kind != Kind::Ladder {
            assert!(svg == other.svg(0, Theme::Light), "{}: not the same in batches", chart.kind.as_str());
        }
    }
    let ladder = whole.iter().find(|chart| chart.kind == Kind::Ladder).unwrap();
    assert!(ladder.pages() <= 20);
    assert!(ladder.description(0).contains("one exchange of every kind"), "{}", ladder.description(0));
}

/// What is read is never replaced; a link stays a link, and a pipe a pipe.
#[test]
fn an_output_replaces_nothing_but_a_file_of_its_own() {
    let folder = TempDir::new("charts");
    let capture = folder.file("in.pcap", &std::fs::read(captures().join("all-on/zaldua2.pcap")).unwrap());
    let before = std::fs::read(&capture).unwrap();
    let run = |line: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
        command.args(["chart", "rate", "in.pcap"]).args(line).current_dir(folder.path());
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, _, said) = run(&["-o", "a.svg", "--data", "in.pcap"]);
    assert!(code == Some(2) && said.contains("in.pcap is an input"), "{code:?} {said}");
    assert_eq!(run(&["-o", "a.svg", "--data", "a.svg"]).0, Some(2));
    assert_eq!(run(&["-o", "a.svg", "--theme", "both", "--data", "a-dark.svg"]).0, Some(2));
    assert_eq!(std::fs::read(&capture).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");

    let real = folder.file("real.svg", b"old");
    std::os::unix::fs::symlink(&real, folder.path().join("link.svg")).unwrap();
    assert_eq!(run(&["-o", "link.svg"]).0, Some(0));
    assert!(std::fs::symlink_metadata(folder.path().join("link.svg")).unwrap().is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().starts_with("<svg"));

    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).unwrap()
    });
    assert_eq!(run(&["-o", "b.svg", "--data", "pipe"]).0, Some(0));
    assert!(reader.join().unwrap().starts_with("from_ns,"));
    let kind = std::fs::metadata(&pipe).unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&kind));
}
