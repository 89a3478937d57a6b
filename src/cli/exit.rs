//! How the program ends.

use std::io;
use std::process::ExitCode;

use anyhow::{Error, Result};
use dorascope::table;

use super::output::Output;

/// The exit codes. Wrong usage is 2 and ends in clap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// A check was asked for, and it found something.
    Findings = 1,
    /// Part of the input was unreadable; the results up to there are written.
    Partial = 3,
    /// Nothing useful came out.
    Failed = 4,
}

/// The exit code of a result; an error is printed with its causes.
pub fn code(result: Result<Exit>, output: &Output) -> ExitCode {
    let exit = match result {
        Ok(exit) => exit,
        // `head` has seen enough: the reader of our output decides how much it wants.
        Err(error) if is_broken_pipe(&error) => Exit::Done,
        Err(error) => {
            // Wrong usage that showed only when the topology was read.
            if let Some(usage) = error.downcast_ref::<clap::Error>() {
                usage.exit();
            }
            output.error(&whole(&error));
            Exit::Failed
        }
    };
    ExitCode::from(exit as u8)
}

/// An error with its causes, each said once: some name theirs themselves.
fn whole(error: &Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| match cause.to_string() {
        cause if text.ends_with(&cause) => text,
        cause => format!("{text}: {cause}"),
    })
}

/// Whether an error, or one of its causes, is a reader that went away.
fn is_broken_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<table::Error>().is_some_and(table::Error::is_broken_pipe)
            || cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let full = || io::Error::other("disk full");
        let named = Error::new(table::Error::Stream(full())).context("printing");
        assert_eq!(whole(&named), "printing: cannot write the rows: disk full");
        assert_eq!(whole(&Error::new(full()).context("printing")), "printing: disk full");
    }

    #[test]
    fn a_broken_pipe_is_found_under_its_context() {
        let pipe = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&Error::new(pipe()).context("printing")));
        assert!(is_broken_pipe(&Error::new(table::Error::Stream(pipe())).context("printing")));
        assert!(!is_broken_pipe(&Error::new(io::Error::from(io::ErrorKind::NotFound))));
    }
}
