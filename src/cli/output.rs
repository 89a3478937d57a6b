//! Where results and remarks go: rows and text to standard output, everything else to standard error.

use std::borrow::Borrow;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use anyhow::{Result, bail};
use dorascope::table::terminal::{Drawing, View, draw, paragraph};
use dorascope::table::{Error, Format, Rows, Table, TableWriter, escape};

use super::args::ColorArg;
use super::resolve::Shape;

/// Terminal cells of a line when standard output is not a terminal.
const DEFAULT_WIDTH: usize = 100;
/// Rows of a big result that a terminal table shows.
pub const FIRST_ROWS: usize = 40;

/// How to print.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Whether standard output gets colour.
    pub colour: bool,
    /// Terminal cells of a line of standard output.
    pub width: usize,
    /// Whether a progress bar and remarks are unwanted.
    pub quiet: bool,
    error_colour: bool,
}

impl Output {
    /// Looks at the terminal and the environment once.
    pub fn new(color: ColorArg, quiet: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let wanted = |terminal: bool| match color {
            ColorArg::Auto => terminal && !plain,
            ColorArg::Always => true,
            ColorArg::Never => false,
        };
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        Self {
            colour: wanted(io::stdout().is_terminal()),
            error_colour: wanted(io::stderr().is_terminal()),
            width: width.filter(|width| *width > 0).unwrap_or(DEFAULT_WIDTH),
            quiet,
        }
    }

    /// Prints rows; a terminal table shows at most `max_rows` of them.
    pub fn rows(&self, rows: &Rows, shape: Shape, max_rows: usize) -> Result<()> {
        match shape {
            Shape::Table => self.table(rows, max_rows, &[]),
            Shape::Data(format) => data(&[rows], format),
        }
    }

    /// Draws a terminal table, and says what it leaves out.
    pub fn table(&self, rows: &Rows, max_rows: usize, without: &'static [&'static str]) -> Result<()> {
        self.draw(rows, (max_rows, rows.len()), without, &OTHER_FORMATS)
    }

    /// Draws a terminal table beside the one that other formats print.
    pub fn aside(&self, rows: &Rows, max_rows: usize) -> Result<()> {
        self.draw(rows, (max_rows, rows.len()), &[], &DIRECTORY)
    }

    /// The same for the first rows of so many.
    pub fn first_of(&self, rows: &Rows, count: usize, without: &'static [&'static str]) -> Result<()> {
        self.draw(rows, (FIRST_ROWS, count), without, &OTHER_FORMATS)
    }

    fn draw(
        &self,
        rows: &Rows,
        (max_rows, count): (usize, usize),
        without: &'static [&'static str],
        rest: &Rest,
    ) -> Result<()> {
        let mut drawing = draw(rows, &View { width: self.width, colour: self.colour, max_rows, without });
        drawing.hidden_rows += count - rows.len();
        text(&drawing.text)?;
        text(&self.weak(&remainder(count, &drawing, rest, self.width)))
    }

    /// A heading within text for standard output.
    pub fn strong(&self, text: &str) -> String {
        paint(text, Style::new().bold(), self.colour)
    }

    /// A remark within text for standard output.
    pub fn weak(&self, text: &str) -> String {
        paint(text, Style::new().dimmed(), self.colour)
    }

    /// A remark on standard error, unless --quiet.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            remark("note:", text);
        }
    }

    /// An error on standard error.
    pub fn error(&self, text: &str) {
        let word = paint("error:", AnsiColor::Red.on_default().bold(), self.error_colour);
        remark(&word, text);
    }
}

/// A line on standard error. Names of files and keys come from strangers, so they are
/// escaped; a standard error that takes nothing is no reason to end differently.
fn remark(word: &str, text: &str) {
    let safe: Vec<_> = text.lines().map(escape).collect();
    let _ = writeln!(io::stderr(), "{word} {}", safe.join("\n"));
}

/// Writes parts of one table in a format for programs.
pub fn data(parts: &[&Rows], format: Format) -> Result<()> {
    parts.first().map_or(Ok(()), |first| stream(first.table(), parts.iter().copied(), format))
}

/// The same for parts that are made one after the other.
pub fn stream<R: Borrow<Rows>>(
    table: &'static Table,
    parts: impl Iterator<Item = R>,
    format: Format,
) -> Result<()> {
    if format.is_binary() && io::stdout().is_terminal() {
        let word = format.as_str();
        bail!("{word} is not for a terminal; redirect it: > FILE.{word}");
    }
    let mut writer = TableWriter::new(io::stdout().lock(), table, format)?;
    for rows in parts {
        writer.write(rows.borrow())?;
    }
    writer.finish()?;
    Ok(io::stdout().flush().map_err(Error::Stream)?)
}

/// Prints text to standard output.
pub fn text(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Text in a style, line by line, so that no style leaks over a line feed.
fn paint(text: &str, style: Style, colour: bool) -> String {
    if !colour {
        return text.to_owned();
    }
    text.split_inclusive('\n')
        .map(|line| match line.trim_end_matches('\n') {
            "" => line.to_owned(),
            words => format!("{style}{words}{style:#}{}", line.get(words.len()..).unwrap_or_default()),
        })
        .collect()
}

/// How to get what a drawing leaves out.
struct Rest {
    rows: &'static str,
    columns: &'static str,
}

const OTHER_FORMATS: Rest =
    Rest { rows: "--format csv (or json, jsonl) prints", columns: "with --format json" };
const DIRECTORY: Rest = Rest { rows: "-o DIR writes", columns: "with -o DIR" };

/// What the drawing left out, and how to get it.
fn remainder(rows: usize, drawing: &Drawing, rest: &Rest, width: usize) -> String {
    let mut remarks = Vec::new();
    if rows == 0 {
        remarks.push("no rows".to_owned());
    }
    if drawing.hidden_rows > 0 {
        let drawn = rows - drawing.hidden_rows;
        remarks.push(format!("{drawn} of {rows} rows; {} all of them", rest.rows));
    }
    if !drawing.hidden_columns.is_empty() {
        let count = drawing.hidden_columns.len();
        let columns = if count == 1 { "column" } else { "columns" };
        remarks.push(format!(
            "{count} more {columns} {}: {}",
            rest.columns,
            escape(&drawing.hidden_columns.join(", "))
        ));
    }
    remarks.iter().map(|remark| paragraph(remark, width)).collect()
}
