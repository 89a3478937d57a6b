//! How much room a text needs, before anybody knows which font will show it.

use unicode_width::UnicodeWidthChar as _;

use crate::table::escape;

/// The width of a text in pixels, with room for fonts that are wider than ours.
///
/// A chart must find room for a text before anybody knows which font will show it.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// The advance of a letter in a common sans serif, in ems, rounded up.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.3,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '·' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '→' | '←' | '—' | '…' => 0.98,
        'A'..='Z' => 0.72,
        _ if c.is_ascii() => 0.6,
        _ => c.width().unwrap_or(1) as f64 * 0.7,
    }
}

/// A text that is at most so wide, with an ellipsis where something is missing.
pub fn cut(text: &str, most: f64, size: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let room = most - width("…", size);
    let mut used = 0.0;
    let kept: String = text
        .chars()
        .take_while(|c| {
            used += advance(*c) * size;
            used <= room
        })
        .collect();
    format!("{}…", kept.trim_end())
}

/// Lines of a text that are at most so wide, broken at spaces; a word without room is cut.
pub fn wrap(text: &str, most: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // What is escaped takes more room.
    for word in escape(text).split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(" ", size) + width(word, size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, most, size)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_its_room() {
        assert_eq!(cut("zaldua1zerb1", 200.0, 12.0), "zaldua1zerb1");
        let short = cut("zaldua1zerb1", 50.0, 12.0);
        assert!(short.ends_with('…') && width(&short, 12.0) <= 50.0, "{short}");
        for line in wrap("one two three four five", 60.0, 12.0) {
            assert!(width(&line, 12.0) <= 60.0, "{line}");
        }
    }
}
