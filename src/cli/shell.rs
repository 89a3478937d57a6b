//! `dorascope completions` and `dorascope man`: what a shell and `man` know of us, from clap's own definition.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use super::args::{Cli, ShellArg};
use super::exit::Exit;
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
        let path = folder.join(name);
        super::topology::replace(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    output.note(&format!("{} pages in {}", pages.len(), folder.display()));
    Ok(Exit::Done)
}

/// File name and text of every page, the main one first.
fn pages() -> Result<Vec<(String, String)>> {
    let mut cli = Cli::command();
    cli.build();
    let mut pages = Vec::new();
    let mut waiting = vec![cli.disable_help_subcommand(true)];
    while let Some(command) = waiting.pop() {
        // Names such as dorascope-topology-import are clap's own.
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let visible = command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help");
        waiting.extend(visible.cloned());
        let mut page = Vec::new();
        Man::new(command).render(&mut page).context("cannot write a manual page")?;
        pages.push((format!("{name}.1"), String::from_utf8_lossy(&page).into_owned()));
    }
    Ok(pages)
}
