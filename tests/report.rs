//! The report: what it says of the lab, that both forms are well made, and that nothing from outside gets out of its place.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use dorascope::capture::Input;
use dorascope::ha::expect::Expectations;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, Options as PipelineOptions, Window, stream};
use dorascope::report::{Options, Report};
use pulldown_cmark::{Event, Options as Extensions, Parser, Tag, TagEnd};

use crate::bench_inputs::generate::{self, Kind, Mode, Plan, Precision};
use crate::support::dhcp::{dora, frame, message};
use crate::support::files::{Order, PcapFile};
use crate::support::frames::{CLIENT, ethernet, ipv4, tcp};
use crate::support::html::{Element, Page};
use crate::support::temp::TempDir;
use crate::truth::{captures, inputs};

/// The largest page of ten thousand leases that is still sent by mail: rows take 400 bytes each, cards and charts the rest.
const LARGEST: usize = 9_000_000;

/// The files of a report, by name.
fn files(
    inputs: &[Input],
    topology: &Topology,
    options: Options,
    window: Window,
) -> BTreeMap<String, Vec<u8>> {
    let mut report = Report::new(options);
    let reading = PipelineOptions { window, sentences: true, ..PipelineOptions::default() };
    let last = stream(inputs, topology, reading, |_| {}, |batch: &Analysis<'_>| report.take(batch));
    report.take(&last);
    report.finish(&last).unwrap().into_iter().map(|file| (file.name, file.content)).collect()
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

/// The report that the lab's documentation asks for: three scenarios and its two tables.
fn lab() -> BTreeMap<String, Vec<u8>> {
    let slugs = ["all-on", "zaldua1zerb1-killed", "zaldua2zerb1-killed"];
    let all: Vec<Input> = slugs.iter().flat_map(|slug| inputs(&captures().join(slug))).collect();
    let topology = Topology::load(&captures().join("all-on/topology.toml")).unwrap();
    let expectations = Expectations::load(&captures().join("expect.toml")).unwrap();
    let options = Options { expectations: Some(expectations), ..Options::default() };
    files(&all, &topology, options, Window::WHOLE)
}

/// A report of one capture of these frames, a millisecond apart.
fn of_frames(
    frames: &[Vec<u8>],
    zone: &str,
    topology: &Topology,
    title: Option<&str>,
) -> BTreeMap<String, Vec<u8>> {
    let folder = TempDir::new("report");
    let start = 1_795_334_400_000_000_000;
    let file = PcapFile::nano(Order::Little, 1);
    let file =
        frames.iter().zip(0..).fold(file, |file, (frame, at)| file.frame(start + at * 1_000_000, frame));
    let path = folder.file("one.pcap", &file.bytes);
    let options = Options { title: title.map(str::to_owned), ..Options::default() };
    files(&[Input { zone: Some(zone.to_owned()), path }], topology, options, Window::default())
}

/// What holds for every page, whatever is in it.
fn is_well_made(page: &Page) {
    let elements = page.elements();
    let mut ids = HashSet::new();
    for id in elements.iter().filter_map(|element| element.attribute("id")) {
        assert!(ids.insert(id.to_owned()), "two elements are called {id}");
    }
    for element in &elements {
        for (name, value) in &element.attributes {
            let name = name.as_str();
            assert!(!name.starts_with("on"), "{}: {name}={value}", element.name);
            assert!(
                name != "src" && name != "style" && name != "srcset" && name != "action",
                "{name}={value}"
            );
            if name == "href" {
                let here = value.strip_prefix('#').map(|anchor| ids.contains(anchor));
                let beside = value.starts_with("charts/") && !value.contains("..");
                assert!(here.unwrap_or(beside), "{value} leads nowhere");
            }
        }
        let outside = [
            "link",
            "iframe",
            "object",
            "embed",
            "img",
            "image",
            "base",
            "form",
            "foreignObject",
            "audio",
            "video",
        ];
        assert!(!outside.contains(&element.name.as_str()), "{}", element.name);
        let scope = element.attribute("scope");
        assert!(element.name != "th" || scope == Some("col"), "a heading without its scope");
        assert!(
            element.name != "table" || !element.within("caption").is_empty(),
            "a table without a caption"
        );
        assert!(element.name != "svg" || !element.within("title").is_empty(), "a chart without a name");
    }
    assert_eq!((page.all("script").len(), page.all("h1").len(), page.all("main").len()), (1, 1, 1));
    let level = |name: &str| name.strip_prefix('h').and_then(|level| level.parse::<u8>().ok());
    let levels: Vec<u8> = elements.iter().filter_map(|element| level(&element.name)).collect();
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "headings skip a level: {levels:?}");
    let policy = page.all("meta").into_iter().find_map(|meta| {
        let is = meta.attribute("http-equiv") == Some("Content-Security-Policy");
        meta.attribute("content").filter(|_| is).map(str::to_owned)
    });
    let policy = policy.unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}

/// Links, pictures and markup of Markdown, and the cells of its tables.
fn read_markdown(text: &str) -> Vec<Vec<String>> {
    let extensions = Extensions::ENABLE_TABLES
        | Extensions::ENABLE_STRIKETHROUGH
        | Extensions::ENABLE_MATH
        | Extensions::ENABLE_FOOTNOTES
        | Extensions::ENABLE_GFM;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut in_cell = false;
    for event in Parser::new_ext(text, extensions) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("markup: {html}"),
            Event::InlineMath(math) | Event::DisplayMath(math) => panic!("mathematics: {math}"),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let own = dest_url.starts_with('#')
                    || dest_url.starts_with("charts/")
                    || &*dest_url == "index.html";
                assert!(own, "{dest_url}");
            }
            Event::Start(Tag::Emphasis | Tag::Strikethrough) => panic!("emphasis in\n{text}"),
            Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => {
                rows.last_mut().unwrap().push(String::new());
                in_cell = true;
            }
            Event::End(TagEnd::TableCell) => in_cell = false,
            Event::Text(text) | Event::Code(text) if in_cell => {
                if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                    cell.push_str(&text);
                }
            }
            _ => {}
        }
    }
    rows
}

#[test]
fn the_report_of_the_lab_says_what_its_documentation_says() {
    let files = lab();
    let page = Page::parse(&text(&files, "index.html"));
    is_well_made(&page);
    // The documentation's tables, word for word, and what came of them.
    assert_eq!(
        page.table("expected-1"),
        [
            ["zaldua1zerb1", "zaldua1zerb2", "zaldua1bez1 lease", "zaldua3bez1 lease"],
            ["on", "on", "zaldua1zerb1 ✓ as expected", "zaldua1zerb1 ✓ as expected"],
            ["off", "on", "zaldua1zerb2 ✓ as expected", "none ✓ as expected"],
        ]
    );
    assert_eq!(
        page.table("expected-2"),
        [
            ["zaldua2zerb1", "zaldua1zerb1", "zaldua2bez1 lease", "zaldua3bez1 lease"],
            ["on", "on", "zaldua2zerb1 ✓ as expected", "zaldua1zerb1 ✓ as expected"],
            ["off", "on", "zaldua1zerb1 ✓ as expected", "zaldua1zerb1 ✓ as expected"],
        ]
    );
    let said = page.text();
    for needed in [
        "8 of 8 cells as expected, 0 otherwise, 0 not seen",
        // "zaldua1zerb1 receives broadcast IP request but zaldua2zerb1 applies offers the address."
        "zaldua2bez1, zaldua2zerb1 on, zaldua1zerb1 on: zaldua2zerb1 answered as the primary of zaldua2zerb1 + \
         zaldua1zerb1; zaldua1zerb1 heard it and stayed silent",
        // "When 10 clients tries to connect": Kea's threshold is more than ten.
        "more than 10 different clients (so at least 11)",
        "2 takeovers: zaldua1zerb2 for zaldua1zerb1 at 14:04:59, zaldua1zerb1 for zaldua2zerb1 at 14:05:40",
        "Every lease came from the server that Kea's rules expect",
    ] {
        assert!(said.contains(needed), "\"{needed}\" is missing");
    }
    let servers = page.table("servers-table");
    let role = |server: &str, role: &str| servers.iter().any(|row| row[0] == server && row[4] == role);
    assert!(
        role("zaldua2zerb1", "primary") && role("zaldua1zerb1", "standby") && role("zaldua1zerb1", "primary")
    );
    // Each lease leads to its card, which is in it.
    let leases = page.id("leases-table").within("a");
    assert_eq!(leases.len(), page.table("leases-table").len() - 1);
    let (first, card) = (&leases[1], page.id("e2"));
    assert_eq!(first.attribute("href"), Some("#e2"));
    let proof = card.text();
    for needed in ["DISCOVER #63 scope-not-served", "heartbeat #61", "heard and dropped by zaldua1zerb1"] {
        assert!(proof.contains(needed), "\"{needed}\" is missing in {proof}");
    }
    // Takeovers are in the table of state changes, with the cause and the frames.
    let changes = page.table("states-table");
    let takeover = changes.iter().find(|row| row[1] == "zaldua1zerb1" && row[4] == "partner-down").unwrap();
    assert!(
        takeover[0].starts_with("14:05:40") && takeover[5].contains("more clients than allowed"),
        "{takeover:?}"
    );
    assert!(takeover[6].contains("zaldua2zerb1-killed/zaldua2.pcap #"), "{takeover:?}");
}

#[test]
fn both_forms_say_the_same_in_the_same_order() {
    let files = lab();
    let page = Page::parse(&text(&files, "index.html"));
    let markdown = text(&files, "report.md");
    let headings: Vec<&str> = markdown.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let of_page: Vec<String> = page.all("h2").iter().map(Element::text).collect();
    assert_eq!(headings, of_page);
    let rows = read_markdown(&markdown);
    let mut of_page: Vec<Vec<String>> = Vec::new();
    for table in page.all("table") {
        let rows = table.within("tr");
        of_page.extend(rows.iter().map(|row| row.children().iter().map(Element::text).collect()));
    }
    assert_eq!(rows, of_page);
    assert_eq!(
        markdown.matches("```text").count(),
        page.all("details").iter().filter(|it| it.attribute("class") == Some("card")).count()
    );
    // Every picture and file that is named is there.
    for name in markdown.split("](charts/").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(files.contains_key(&format!("charts/{name}")), "{name}");
    }
    for link in page.all("a").iter().filter_map(|link| link.attribute("href").map(str::to_owned)) {
        assert!(link.starts_with('#') || files.contains_key(&link), "{link}");
    }
}

#[test]
fn a_cell_that_differs_and_one_that_was_not_seen_are_said_in_words() {
    let expect = "[[table]]\ntitle = \"t\"\nservers = [\"zaldua2zerb1\", \"zaldua1zerb1\"]\nclients = [\"zaldua2bez1\"]\nrows = [\n\
                  { on = [\"zaldua2zerb1\", \"zaldua1zerb1\"], lease = [\"zaldua1zerb1\"] },\n\
                  { on = [\"zaldua1zerb1\"], lease = [\"zaldua1zerb1\"] },\n]\n";
    let expectations = Expectations::parse(Path::new("expect.toml"), expect).unwrap();
    let topology = Topology::load(&captures().join("all-on/topology.toml")).unwrap();
    let options = Options { expectations: Some(expectations), ..Options::default() };
    let files = files(&inputs(&captures().join("all-on")), &topology, options, Window::WHOLE);
    let rows = Page::parse(&text(&files, "index.html")).table("expected-1");
    assert_eq!(rows[1][2], "zaldua2zerb1 ✗ expected zaldua1zerb1");
    assert_eq!(rows[2][2], "not seen, expected zaldua1zerb1");
    assert!(text(&files, "report.md").contains("0 of 2 cells as expected, 1 otherwise, 1 not seen"));
}

#[test]
fn nearly_nothing_still_gives_a_report() {
    let nothing = Topology::default();
    let discover = frame(1, &message(1, 7, CLIENT, [0; 4], &[(53, &[1])]));
    let other = ethernet(0x0800, &ipv4(6, &tcp(40_000, 443, b"hello")));
    let cases: [(&[Vec<u8>], &str, usize); 3] = [
        (&[], "no frame in it", 0),
        (&[other], "no DHCP message among them", 0),
        (&[discover], "1 client in 1 exchange", 1),
    ];
    for (frames, needed, cards) in cases {
        let files = of_frames(frames, "zone", &nothing, None);
        let page = Page::parse(&text(&files, "index.html"));
        is_well_made(&page);
        read_markdown(&text(&files, "report.md"));
        assert!(page.text().contains(needed), "\"{needed}\" is missing in {}", page.text());
        assert!(text(&files, "report.md").contains(needed));
        assert!(
            page.text().contains("No server is known") || page.text().contains("no configuration"),
            "{}",
            page.text()
        );
        let found = page.all("details").iter().filter(|it| it.attribute("class") == Some("card")).count();
        assert_eq!(found, cards, "{needed}");
        assert!(files.contains_key("charts/states.svg") && files.contains_key("charts/ladder-dark.svg"));
    }
}

/// Names that would be something else in a page, in Markdown or on a terminal.
const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "a|b|c",
    "`code` ```` fence",
    "*b* _i_ ~~s~~ ==m== $x$",
    "[x](http://evil.example) ![y](//evil.example/p.png) https://evil.example www.evil.example a@evil.example",
    "# heading\n\n- list\r\n> quote",
    "\u{202e}reversed\u{200f}\u{7}\u{1b}[31m",
    "&lt;b&gt; &amp; \" onmouseover=\"x' {{ x }} {% y %}",
    "]]> --> </style></title></svg>",
];

#[test]
fn hostile_names_stay_names() {
    for hostile in HOSTILE {
        let long = hostile.repeat(255 / hostile.len());
        for name in [hostile, &long] {
            let value = name.as_bytes().get(..name.len().min(255)).unwrap();
            // Once by the wire, once by the topology; the client identifier is printed in hexadecimal.
            let own: &[(u8, &[u8])] = &[(12, value), (60, value), (61, value)];
            let frames = [dora(1, CLIENT, own), dora(2, [2, 0, 0, 0, 0, 9], own)].concat();
            let folder = TempDir::new("hostile");
            let quoted = toml::Value::String(name.to_owned());
            let file = folder.file(
                "topology.toml",
                format!(
                    "[[zone]]\nname = {quoted}\nsubnets = [\"192.168.4.0/24\"]\n[[server]]\nname = {quoted}\naddresses = \
                     [\"192.168.4.5\"]\n[[client]]\nname = {quoted}\nmac = \"08:00:27:a2:00:01\"\n"
                )
                .as_bytes(),
            );
            // A topology may refuse such a name; then the wire alone has it.
            let topology = Topology::load(&file).unwrap_or_default();
            let files = of_frames(&frames, name, &topology, Some(name));
            let html = text(&files, "index.html");
            let page = Page::parse(&html);
            is_well_made(&page);
            let markdown = text(&files, "report.md");
            for (form, text) in [("page", &html), ("Markdown", &markdown)] {
                let odd = |c: char| {
                    c.is_control() && c != '\n' || ('\u{200b}'..='\u{200f}').contains(&c) || c == '\u{202e}'
                };
                assert!(!text.contains(odd), "{form} of {name:?}");
            }
            // The name is in the table of leases as it is, whole, in one cell.
            let shown = dorascope::table::escape(name);
            let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            let leases = page.table("leases-table");
            assert_eq!(leases.len(), 3);
            let cut = flat.get(..flat.len().min(100)).unwrap_or(&flat);
            assert!(leases[2][1].starts_with(cut), "{:?} for {flat:?}", leases[2][1]);
            let rows = read_markdown(&markdown);
            let has = |row: &&Vec<String>| {
                row.len() == 10 && row[1].split_whitespace().collect::<Vec<_>>().join(" ").starts_with(cut)
            };
            assert!(rows.iter().any(|row| has(&row)), "{name:?} is not in\n{markdown}");
            for line in markdown.lines().filter(|line| line.starts_with("| e") || line.starts_with("| [e")) {
                let bars = line.replace("\\|", "").matches('|').count();
                assert!(bars == 11 || bars == 10, "{line}");
            }
        }
    }
}

/// Ten thousand four hundred leases: the page has the first ten thousand, stays small, and says the same in batches.
/// The page stays behind for the test in a browser.
#[test]
fn ten_thousand_leases_are_one_page() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-10000");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("many.pcap");
    let plan = Plan {
        kind: Kind::Dora,
        mode: Mode::HotStandby,
        clients: 10_400,
        frames: 41_600,
        precision: Precision::Microseconds,
    };
    assert_eq!(generate::write(&plan, &path).unwrap().acks, 10_400);
    generate::write_topology(&folder, Mode::HotStandby, true).unwrap();
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let input = [Input { zone: Some("bench".to_owned()), path }];
    let whole = files(&input, &topology, Options::default(), Window::WHOLE);
    let html = text(&whole, "index.html");
    let page = Page::parse(&html);
    is_well_made(&page);
    println!("a page of 10,000 leases has {} bytes", html.len());
    assert!(html.len() < LARGEST, "{}", html.len());
    let rows = page.id("leases-table").within("tr");
    assert_eq!(rows.len(), 10_001);
    assert_eq!(rows.iter().filter(|row| row.attribute("hidden").is_some()).count(), 9_900);
    let said = page.text();
    assert!(said.contains("10400 leases were given"), "the summary counts all");
    assert!(said.contains("prints 400 more"), "what is left out is said");
    // Those with a card link it; the others say which option shows it.
    let cards = page.all("details").iter().filter(|it| it.attribute("class") == Some("card")).count();
    let linked = rows.iter().filter(|row| !row.within("a").is_empty()).count();
    assert_eq!((cards, linked), (200, 200));
    let without = rows.last().unwrap().text();
    assert!(without.starts_with("--ip 10."), "{without}");
    std::fs::write(folder.join("index.html"), &html).unwrap();

    let parts = files(&input, &topology, Options::default(), Window::of(3_000, 1_000));
    assert_eq!(parts.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    for name in ["report.md", "index.html"] {
        let (parts, whole) = (text(&parts, name), text(&whole, name));
        // Without heartbeats a state is concluded from what was read so far, which is less in the first batches.
        // So the words are the same, and a confidence or the frame that is evidence may be another one.
        let bare = |line: &str| line.chars().filter(|c| c.is_alphabetic()).collect::<String>();
        let differs = parts.lines().zip(whole.lines()).find(|(part, whole)| bare(part) != bare(whole));
        assert!(differs.is_none(), "{name} in batches: {differs:?}");
    }
}

fn dorascope(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
    let output = command.args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Every file below a folder.
fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_report_appears_whole_or_not_at_all() {
    let folder = TempDir::new("report-command");
    let target = folder.path().join("deep/er");
    let target = target.to_str().unwrap();
    let capture = captures().join("all-on/zaldua2.pcap");
    let capture = capture.to_str().unwrap();
    let (code, errors) = dorascope(&["report", capture, "-o", target, "-q"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let written = below(Path::new(target));
    assert!(
        written.contains(&"index.html".to_owned()) && written.contains(&"charts/states-dark.svg".to_owned()),
        "{written:?}"
    );
    // The same again: only with --force, and then what is not ours stays.
    std::fs::write(Path::new(target).join("mine.txt"), "mine").unwrap();
    let (code, errors) = dorascope(&["report", capture, "-o", target]);
    assert!(code == Some(4) && errors.contains("--force"), "{code:?} {errors}");
    let (code, _) = dorascope(&["report", capture, "-o", target, "--force", "--title", "Second"]);
    assert_eq!(code, Some(0));
    assert_eq!(std::fs::read_to_string(Path::new(target).join("mine.txt")).unwrap(), "mine");
    assert!(std::fs::read_to_string(Path::new(target).join("report.md")).unwrap().starts_with("# Second\n"));
    assert_eq!(below(Path::new(target)).len(), written.len() + 1);
    // What fails leaves nothing behind, and a path that cannot be written to fails before the captures are read.
    let other = folder.path().join("other");
    let (code, _) = dorascope(&["report", "/no/such.pcap", "-o", other.to_str().unwrap()]);
    assert_eq!(code, Some(4));
    let file = folder.file("file", b"");
    let (code, errors) = dorascope(&["report", "/no/such.pcap", "-o", file.to_str().unwrap()]);
    assert!(
        code == Some(4) && errors.contains("not a directory") && !errors.contains("such.pcap"),
        "{errors}"
    );
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .flatten()
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(left.len() == 2 && left.iter().all(|name| name == "deep" || name == "file"), "{left:?}");
}
