//! What can be typed after `dorascope completions` and `dorascope man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope completions bash > ~/.local/share/bash-completion/completions/dorascope
  dorascope completions zsh > ~/.zfunc/_dorascope
  dorascope completions fish > ~/.config/fish/completions/dorascope.fish")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: ShellArg,
}

/// Shells that can complete our command lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShellArg {
    Bash,
    Zsh,
    Fish,
}

/// Print the manual page, or write those of all commands
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope man | man -l -
  dorascope man -o man1")]
pub struct ManArgs {
    /// Directory for dorascope.1 and a page of every command
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}
