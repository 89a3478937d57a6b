//! Roles to the terminal's own colours, and text to the room that there is.

use std::borrow::Cow;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::explain::text::{Line as Said, Role};

/// The sixteen colours of the terminal on its own background, so that light and dark ones both
/// can be read; or none, where the user wants none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paint {
    pub(super) colour: bool,
}

impl Paint {
    /// The style of a role, the one of the command line.
    pub(super) fn of(self, role: Role) -> Style {
        let style = Style::new();
        match role {
            Role::Plain => style,
            Role::Strong => style.add_modifier(Modifier::BOLD),
            Role::Weak => style.add_modifier(Modifier::DIM),
            Role::Good => self.fg(style, Color::Green),
            Role::Bad => self.fg(style, Color::Red).add_modifier(Modifier::BOLD),
            Role::Notable => self.fg(style, Color::Yellow),
        }
    }

    /// What must not be overlooked: white on red, or reversed.
    pub(super) fn alarm(self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if self.colour {
            style.fg(Color::White).bg(Color::Red)
        } else {
            style.add_modifier(Modifier::REVERSED)
        }
    }

    /// The line that the user is at; without colours of its own, which reversed would be stripes.
    pub(super) fn chosen() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// What the user can do, and where he is.
    pub(super) fn accent(self) -> Style {
        self.fg(Style::new(), Color::Cyan).add_modifier(Modifier::BOLD)
    }

    fn fg(self, style: Style, colour: Color) -> Style {
        if self.colour { style.fg(colour) } else { style }
    }

    /// A line of a card.
    pub(super) fn line(self, said: &Said) -> Line<'static> {
        let span = |(role, text): &(Role, String)| Span::styled(text.clone(), self.of(*role));
        said.pieces().iter().map(span).collect::<Vec<_>>().into()
    }

    /// A piece of text.
    pub(super) fn span<'a>(self, role: Role, text: impl Into<Cow<'a, str>>) -> Span<'a> {
        Span::styled(text, self.of(role))
    }
}

/// Text that takes at most so many cells; what is cut off shows as `…`.
pub(super) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut room = width.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let wide = c.width().unwrap_or_default();
        let fits = wide <= room;
        room = room.saturating_sub(wide);
        fits
    });
    let mut short: String = kept.collect();
    if width > 0 {
        short.push('…');
    }
    Cow::Owned(short)
}

/// Cells that spans take.
pub(super) fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| span.content.width()).sum()
}

/// A line that takes at most so many cells; what is cut off shows as `…`.
pub(super) fn fit(spans: Vec<Span<'_>>, room: usize) -> Line<'_> {
    if width(&spans) <= room {
        return Line::from(spans);
    }
    let mut left = room;
    let mut line = Vec::new();
    for span in spans {
        let wide = span.content.width();
        // One cell is kept for the sign that something is missing.
        if wide < left {
            left -= wide;
            line.push(span);
            continue;
        }
        let short = cut(&format!("{}\u{2026}…", span.content), left).into_owned();
        line.push(Span::styled(short.replace("……", "…"), span.style));
        break;
    }
    Line::from(line)
}

/// `12 345`: digits in groups, with a space that does not break.
pub(super) fn number(n: u64) -> String {
    grouped(&n.to_string())
}

/// The same for digits.
pub(super) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// `1.2 MB`.
pub(super) fn bytes(n: u64) -> String {
    let mut value = n as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "B" || value >= 100.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_cells_and_not_by_letters() {
        assert_eq!(cut("zaldua2bez1", 11), "zaldua2bez1");
        assert_eq!(cut("zaldua2bez1", 8), "zaldua2…");
        // Each of these letters takes two cells.
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!((cut("日本語", 1), cut("日本語", 0)), ("…".into(), "".into()));
    }

    #[test]
    fn lines_are_cut_where_the_room_ends() {
        let line = |room| {
            let spans = vec![Span::raw("abc"), Span::raw("日本"), Span::raw("x")];
            fit(spans, room).to_string()
        };
        assert_eq!(line(8), "abc日本x");
        assert_eq!(line(7), "abc日…");
        assert_eq!(line(4), "abc…");
        assert_eq!(line(3), "ab…");
    }

    #[test]
    fn numbers_and_sizes_are_as_people_write_them() {
        assert_eq!([number(0), number(999), number(1_234_567)], ["0", "999", "1\u{a0}234\u{a0}567"]);
        assert_eq!([bytes(999), bytes(1_200), bytes(123_456_789)], ["999 B", "1.2 kB", "123 MB"]);
    }
}
