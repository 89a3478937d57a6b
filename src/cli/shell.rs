//! `dorascope completions` and `dorascope man`: what a shell and `man` know of us, from clap's own definition.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use dorascope::table::utc;

use super::args::{Cli, ShellArg};
use super::exit::Exit;
use super::files::Pending;
use super::output::{Output, text};

/// Prints the script.
pub fn completions(shell: ShellArg) -> Result<Exit> {
    let shell = match shell {
        ShellArg::Bash => Shell::Bash,
        ShellArg::Zsh => Shell::Zsh,
        ShellArg::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "dorascope", &mut script);
    text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// Prints the main page, or writes the pages of all commands.
pub fn manual(folder: Option<&Path>, output: &Output) -> Result<Exit> {
    let mut pages = pages()?;
    let Some(folder) = folder else {
        text(&pages.swap_remove(0).1)?;
        return Ok(Exit::Done);
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, page) in &pages {
        Pending::create(&folder.join(name))?.put(page.as_bytes())?;
    }
    output.note(&format!("{} pages in {}", pages.len(), folder.display()));
    Ok(Exit::Done)
}

/// File name and text of every page, the main one first.
fn pages() -> Result<Vec<(String, String)>> {
    // `help COMMAND` is what the pages are for.
    let mut cli = without_help(Cli::command());
    cli.build();
    let date = built().unwrap_or_default();
    let (mut pages, mut waiting) = (Vec::new(), vec![cli]);
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().cloned());
        // Names such as dorascope-topology-import are clap's own.
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let page = page(command, &date).with_context(|| format!("cannot write the page {name}"))?;
        pages.push((format!("{name}.1"), page));
    }
    Ok(pages)
}

fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

/// One page. Clap's own last section would wrap the examples, which are there to be copied.
fn page(command: Command, date: &str) -> Result<String> {
    let extra = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let has_subcommands = command.has_subcommands();
    let source = concat!("dorascope ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).date(date).source(source).manual("DHCP and Kea's High Availability");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_subcommands {
        man.render_subcommands_section(&mut page)?;
    }
    // An empty line is a break already.
    let page = String::from_utf8_lossy(&page).replace("\n.br\n\n.br\n", "\n\n");
    Ok(page + &sections(&extra))
}

/// The text below a help, as it is: a line such as `Examples:` begins a section.
fn sections(text: &str) -> String {
    let heading = |line: &str| line.ends_with(':') && line.starts_with(char::is_uppercase) && line.len() < 20;
    let (mut page, mut open) = (String::new(), "");
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if heading(line) {
            page.extend([open, ".SH ", &line.trim_end_matches(':').to_uppercase(), "\n.nf\n"]);
            open = ".fi\n";
        } else if !line.is_empty() || lines.peek().is_some_and(|next| !heading(next)) {
            page.extend([&literal(line), "\n"]);
        }
    }
    page + open
}

/// A line that roff prints as it is.
fn literal(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

/// The day on which this program was built, which is the date of what its pages say.
fn built() -> Option<String> {
    let built = fs::metadata(std::env::current_exe().ok()?).ok()?.modified().ok()?;
    let ns = built.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    utc(i64::try_from(ns).ok()?).split(' ').next().map(str::to_owned)
}
