//! What a command line means.

// A test stops where something is wrong.
#![allow(clippy::unwrap_used, clippy::panic)]

use clap::{CommandFactory, Parser};
use dorascope::explain::Selector;
use dorascope::ha::hash::Owner;
use dorascope::table::Format;

use super::args::{Cli, KeyKindArg};
use super::resolve::{Destination, ExplainJob, HashWhat, Job, Shape, Target, job};

/// The job of a command line without the program's name.
fn parsed(line: &str) -> Result<Job, clap::Error> {
    let words = std::iter::once("dorascope").chain(line.split(' '));
    Cli::try_parse_from(words).and_then(|cli| job(cli.command))
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn inputs_come_bare_or_with_r_and_may_name_their_zone() {
    let Ok(Job::Analyze(job)) = parsed("analyze -r b=2.pcap a=1.pcap -n --kea s1=k.conf -t t.toml -") else {
        panic!()
    };
    let captures: Vec<(Option<&str>, &str)> = job
        .inputs
        .captures
        .iter()
        .map(|input| (input.zone.as_deref(), input.path.to_str().unwrap()))
        .collect();
    assert_eq!(captures, [(Some("a"), "1.pcap"), (None, "-"), (Some("b"), "2.pcap")]);
    assert_eq!(job.inputs.topology.kea, [("s1".to_owned(), "k.conf".into())]);
    assert_eq!(job.inputs.topology.file, Some("t.toml".into()));
    assert_eq!(job.destination, Destination::Print(Shape::Table));
}

#[test]
fn a_directory_gets_parquet_unless_another_format_is_asked_for() {
    for (line, format) in
        [("analyze a -o d", Format::Parquet), ("analyze a -o d --format jsonl", Format::JsonLines)]
    {
        let Ok(Job::Analyze(job)) = parsed(line) else { panic!("{line}") };
        assert_eq!(job.destination, Destination::Directory { path: "d".into(), force: false, format });
    }
}

#[test]
fn a_lonely_code_is_explained_and_a_file_is_not() {
    let Ok(Job::Explain(ExplainJob::Code(code, _))) = parsed("explain scope-not-served") else { panic!() };
    assert_eq!(code, "scope-not-served");
    let Ok(Job::Explain(ExplainJob::Card { selector, .. })) = parsed("explain trace --client web-1") else {
        panic!()
    };
    assert_eq!(selector, Selector::Client { text: "web-1".to_owned(), mac: None });
    let Ok(Job::Explain(ExplainJob::Card { selector, .. })) = parsed("explain trace --client 8:0:27:a2:0:1")
    else {
        panic!()
    };
    assert!(matches!(selector, Selector::Client { mac: Some(_), .. }));
}

#[test]
fn hash_takes_both_kinds_of_key() {
    let Ok(Job::Hash(job)) = parsed("hash 080027a20001 --client-id ff01") else { panic!() };
    let HashWhat::Keys(keys) = job.what else { panic!() };
    let kinds: Vec<_> = keys.iter().map(|key| (key.kind, key.bytes.len())).collect();
    assert_eq!(kinds, [(KeyKindArg::Hwaddr, 6), (KeyKindArg::ClientId, 2)]);
    let Ok(Job::Hash(job)) = parsed("hash --find secondary --like 08:00:27 --as client-id") else { panic!() };
    let kind = KeyKindArg::ClientId;
    let target = Target::Owner(Owner::Secondary);
    assert_eq!(job.what, HashWhat::Find { target, count: 5, prefix: vec![8, 0, 0x27], kind });
}

#[test]
fn mistakes_are_usage_errors_that_name_the_flag() {
    for (line, part) in [
        ("analyze", "capture file"),
        ("analyze - -", "only once"),
        ("analyze a -o d --format table", "--format"),
        ("analyze a --force", "--output"),
        ("analyze a --kea conf", "--kea"),
        ("explain a.pcap", "--client"),
        ("explain a b", "--client"),
        ("explain a --xid 1 --ip 1.2.3.4", "--ip"),
        ("explain a --xid xyz", "--xid"),
        ("check a", "--expect"),
        ("hash", "MAC"),
        ("hash 0g", "hardware address"),
        ("hash --client-id 1:zz", "client identifier"),
        ("hash --find primary --like 01:02:03:04:05:06", "--like"),
        ("hash 02:00 --count 3", "--find"),
        ("schema nothing", "messages"),
        ("sniff", "-D"),
        ("sniff -i =br0", "ZONE=INTERFACE"),
        ("sniff -i a=br0 -i b=br0", "twice"),
        ("sniff -i br0 -w x -b files:3", "ring"),
        ("sniff -i br0 -w x -b size:3", "filesize:KB"),
        ("sniff -i br0 -w x -b filesize:0", "above 0"),
        ("sniff -i br0 -b filesize:3", "--write"),
        ("sniff -i br0 -a files:3", "-w"),
        ("sniff -i br0 -w -", "files only"),
        ("sniff -i br0 --jsonl --text", "--text"),
        ("sniff -i br0 --every 5", "--output"),
        ("sniff -i br0 --metrics nowhere", "--metrics"),
        ("topology import", "FILE"),
        ("topology infer", "FILE"),
        ("topology infer - north=-", "standard input"),
        ("topology lint", "-t"),
        ("topology lint --kea conf", "--kea"),
        ("explain --codes a.pcap", "--codes"),
    ] {
        let error = parsed(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(part), "{line}: {error}");
    }
}

/// Every command with its worked examples: those behind `dorascope` in the long help.
fn examples(command: &clap::Command, found: &mut Vec<(String, Vec<String>)>) {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let lines =
        help.lines().filter(|line| line.starts_with("  ") && line.contains("dorascope ")).map(str::to_owned);
    found.push((command.get_display_name().unwrap_or("dorascope").to_owned(), lines.collect()));
    command.get_subcommands().for_each(|it| examples(it, found));
}

/// The arguments of the dorascope in a shell's line, without what a pipe or a file has of it.
fn words(line: &str) -> Vec<String> {
    let words = shlex::split(line).unwrap();
    let ours = words.into_iter().skip_while(|word| word != "dorascope");
    ours.take_while(|word| word != "|" && word != ">" && word != "#").collect()
}

#[test]
fn every_example_of_the_help_texts_and_of_the_readme_is_a_command_line() {
    let mut cli = Cli::command();
    cli.build();
    let mut all = Vec::new();
    examples(&cli, &mut all);
    all.retain(|(command, _)| !command.contains("-help"));
    let blocks = include_str!("../../README.md").split("```sh\n").skip(1);
    let readme = blocks.filter_map(|block| block.split("```").next()).flat_map(str::lines);
    let readme = readme.filter(|line| line.starts_with("dorascope "));
    all.push(("README.md".to_owned(), readme.map(str::to_owned).collect()));
    for (command, lines) in all {
        assert!(!lines.is_empty(), "{command} has no example");
        for line in lines {
            let cli = Cli::try_parse_from(words(&line)).unwrap_or_else(|error| panic!("{line}\n{error}"));
            let job = job(cli.command).unwrap_or_else(|error| panic!("{line}\n{error}"));
            #[cfg(feature = "sql")]
            if let Job::Query(job) = &job {
                dorascope::table::query::Query::new(&job.sql, Format::Parquet)
                    .unwrap_or_else(|error| panic!("{line}\n{error}"));
            }
            // Without SQL, only that there is a job.
            drop(job);
        }
    }
}
