//! Completions in real shells, manual pages before real formatters.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::temp::TempDir;

/// Runs a program with a home of its own; nothing when it is not installed, and says so.
fn installed(program: &str, arguments: &[&str], path: &str, home: &Path) -> Option<Output> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PATH", path)
        .env("MANPAGER", "cat")
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME");
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("SKIPPED: {program} is not installed, so nothing was tried in it");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

fn dorascope(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dorascope")).args(arguments).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a shell prints for a script that sees the completions as its first argument; no word on standard error.
fn said(shell: &str, arguments: &[&str], script: &str) -> Option<String> {
    let temp = TempDir::new("completions");
    let file = temp.file("dorascope", dorascope(&["completions", shell]).as_bytes());
    // The shell asks whether there is such a program at all.
    let program = Path::new(env!("CARGO_BIN_EXE_dorascope")).parent().unwrap().display();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    let script = script.replace("FILE", file.to_str().unwrap());
    let output = installed(shell, &[arguments, &["-c", &script]].concat(), &path, temp.path())?;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
    assert!(output.status.success(), "{shell}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let complete = |words: &str, count: usize, current: &str| {
        let script = format!(
            "bash -n FILE && source FILE && COMP_WORDS=({words}) COMP_CWORD={count} \
             && _dorascope dorascope '{current}' '' && echo \"${{COMPREPLY[@]}}\""
        );
        said("bash", &["--norc"], &script)
    };
    let Some(commands) = complete("dorascope ex", 1, "ex") else { return };
    assert_eq!(commands, "explain\n");
    assert_eq!(complete("dorascope topology li", 2, "li").unwrap(), "lint\n");
    assert_eq!(complete("dorascope query --form", 2, "--form").unwrap(), "--format\n");
    assert!(complete("dorascope completions ", 2, "").unwrap().contains("bash zsh fish"));
}

#[test]
fn zsh_takes_the_script_as_the_completer_of_the_program() {
    let script = "zsh -f -n FILE && autoload -U compinit && compinit -D -u && source FILE && print $_comps[dorascope] \
                  && whence -w _dorascope";
    let Some(found) = said("zsh", &["-f"], script) else { return };
    assert_eq!(found, "_dorascope\n_dorascope: function\n");
}

#[test]
fn fish_completes_commands_with_their_meaning() {
    let Some(found) = said("fish", &["--no-config"], "source FILE; complete -C 'dorascope ex'") else {
        return;
    };
    assert_eq!(found, "explain\tProve the answer to one client, or explain a code\n");
}

#[test]
fn every_command_has_a_page_that_formatters_take() {
    let temp = TempDir::new("man");
    let folder = temp.path().join("man1");
    dorascope(&["--quiet", "man", "-o", folder.to_str().unwrap()]);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let help = dorascope(&["--help"]);
    // The commands as the help lists them, between its headings.
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for command in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(
            command == "help" || names.contains(&format!("dorascope-{command}.1")),
            "{command}: {names:?}"
        );
    }
    assert!(names.contains(&"dorascope-topology-import.1".to_owned()), "{names:?}");
    let main = std::fs::read_to_string(folder.join("dorascope.1")).unwrap();
    assert_eq!(main, dorascope(&["man"]));
    assert!(main.contains("\n.SH EXAMPLES\n.nf\n  dorascope analyze zaldua1.pcap"), "{main}");
    assert!(main.contains("\n.SH EXIT CODES\n"), "{main}");
    let check = std::fs::read_to_string(folder.join("dorascope-check.1")).unwrap();
    assert!(check.contains("\n\nexpect.toml has one table per question"), "{check}");

    let path = std::env::var("PATH").unwrap();
    let formatters: [(&str, &[&str]); 3] = [
        ("man", &["--warnings", "--local-file"]),
        ("groff", &["-ww", "-man", "-Tutf8", "-z"]),
        ("mandoc", &["-T", "lint", "-W", "warning"]),
    ];
    for (formatter, arguments) in formatters {
        for name in &names {
            let file = folder.join(name);
            let arguments = [arguments, &[file.to_str().unwrap()]].concat();
            let Some(output) = installed(formatter, &arguments, &path, temp.path()) else { break };
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(said, "", "{formatter} {name}");
            if formatter == "mandoc" {
                assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{formatter} {name}");
            }
        }
    }
}
