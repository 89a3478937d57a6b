//! Styled text that is measured before it is coloured.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::table::escape;

/// What a piece of text is; the renderer chooses how that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// A name or a number that the eye looks for.
    Strong,
    /// Frames, times and lines of the ladder.
    Weak,
    /// As the rules expect.
    Good,
    /// Against the rules.
    Bad,
    /// A stop that is lawful, or something that is not sure.
    Notable,
}

impl Role {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Weak => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Notable => AnsiColor::Yellow.on_default(),
        }
    }
}

/// One line: pieces with their roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<(Role, String)>);

impl Line {
    /// A line that begins with these pieces.
    pub fn of<'a>(pieces: impl IntoIterator<Item = (Role, &'a str)>) -> Self {
        Self(pieces.into_iter().map(|(role, text)| (role, escape(text).into_owned())).collect())
    }

    /// Adds a piece. Names and texts come from files and from the wire, so
    /// what could move a cursor or hide letters is escaped here, once for all.
    pub fn push(&mut self, role: Role, text: impl AsRef<str>) {
        self.0.push((role, escape(text.as_ref()).into_owned()));
    }

    /// The pieces, each with what it is.
    pub fn pieces(&self) -> &[(Role, String)] {
        &self.0
    }

    /// Cells that the line takes in a terminal.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    /// Adds spaces up to a column.
    pub fn pad_to(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width());
        if missing > 0 {
            self.push(Role::Plain, " ".repeat(missing));
        }
    }

    /// Sets `right` flush with `width`, or on a line of its own when there is no room.
    pub fn with_right(mut self, right: Self, width: usize) -> Vec<Self> {
        if self.width() + 2 + right.width() <= width {
            self.pad_to(width - right.width());
            self.0.extend(right.0);
            return vec![self];
        }
        let mut below = Self::default();
        below.pad_to(width.saturating_sub(right.width()));
        below.0.extend(right.0);
        vec![self, below]
    }

    /// The line as text, with or without colour.
    pub fn render(&self, colour: bool) -> String {
        let mut out = String::new();
        for (role, text) in &self.0 {
            let style = role.style();
            if colour && *role != Role::Plain {
                // Writing to a String cannot fail.
                let _ = write!(out, "{style}{text}{style:#}");
            } else {
                out.push_str(text);
            }
        }
        if colour { out } else { out.trim_end().to_owned() }
    }
}

/// Lines as text, each with its line feed.
pub fn render(lines: &[Line], colour: bool) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        text.push_str(&line.render(colour));
        text.push('\n');
        text
    })
}

/// Breaks text at spaces so that no line is wider than `width`.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A span as people write it: `39 ms`, `1.0 ms`, `2.02 s`, `3 min`.
pub fn span(ns: i64) -> String {
    let us = ns / 1000;
    match us.abs() {
        0..1000 => format!("{us} µs"),
        1000..10_000 => format!("{:.1} ms", us as f64 / 1e3),
        10_000..1_000_000 => format!("{} ms", (us as f64 / 1e3).round()),
        1_000_000..100_000_000 => format!("{:.2} s", us as f64 / 1e6),
        _ => format!("{} min", us / 60_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States and texts of the control channel come from strangers, names from files.
    #[test]
    fn nothing_that_moves_the_cursor_passes() {
        let mut line = Line::of([(Role::Strong, "a\x1b[2J")]);
        line.push(Role::Plain, "b\u{202e}c\u{7}");
        let text = line.render(false);
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
        assert!(text.starts_with("a\\u{1b}[2Jb"), "{text}");
    }

    #[test]
    fn spans_are_written_as_people_do() {
        let cases =
            [(478_000, "478 µs"), (1_910_000, "1.9 ms"), (39_000_000, "39 ms"), (2_020_000_000, "2.02 s")];
        for (ns, text) in cases {
            assert_eq!(span(ns), text);
        }
        assert_eq!(span(200_000_000_000), "3 min");
    }
}
