//! What colours and marks mean, above a picture.

use super::canvas::{Canvas, Letters, Rect, Stroke};
use super::letters::width;
use super::theme::Rgb;

const SIZE: f64 = 12.0;
const ROW: f64 = 20.0;
const SWATCH: f64 = 26.0;
const GAP: f64 = 22.0;

/// How a thing looks in the picture.
#[derive(Clone, Copy, Debug)]
pub enum Swatch {
    /// A line.
    Line(Stroke),
    /// An area.
    Fill(Rgb),
    /// An area with slanted lines over it.
    Hatched(Rgb, Rgb),
    /// A point.
    Dot(Rgb),
    /// A ring.
    Ring(Stroke),
    /// The edge of an area.
    Frame(Stroke),
    /// A cross.
    Cross(Stroke),
}

/// Height of a legend with these words.
pub fn height<'a>(words: impl Iterator<Item = &'a str>, room: f64) -> f64 {
    places(words, room).last().map_or(0.0, |(_, y)| y + ROW + 4.0)
}

/// Draws it at the top of `body`, and returns what is left of that.
pub fn draw(canvas: &Canvas<'_>, body: Rect, items: &[(Swatch, String)]) -> Rect {
    let words = || items.iter().map(|(_, word)| word.as_str());
    for ((swatch, word), (x, y)) in items.iter().zip(places(words(), body.w)) {
        let (x, y) = (body.x + x, body.y + y + ROW / 2.0);
        swatch.draw(canvas, (x, y));
        let room = body.right() - x - SWATCH - 6.0;
        canvas.text_within((x + SWATCH + 6.0, y), word, room, Letters::new(SIZE, canvas.theme.text()));
    }
    let used = height(words(), body.w);
    Rect::new(body.x, body.y + used, body.w, body.h - used)
}

fn places<'a>(words: impl Iterator<Item = &'a str>, room: f64) -> Vec<(f64, f64)> {
    let (mut x, mut y) = (0.0, 0.0);
    let mut places = Vec::new();
    for word in words {
        let needed = SWATCH + 6.0 + width(word, SIZE);
        if x > 0.0 && x + needed > room {
            (x, y) = (0.0, y + ROW);
        }
        places.push((x, y));
        x += needed + GAP;
    }
    places
}

impl Swatch {
    fn draw(self, canvas: &Canvas<'_>, (x, y): (f64, f64)) {
        let middle = (x + SWATCH / 2.0, y);
        let area = Rect::new(x, y - 6.0, SWATCH, 12.0);
        match self {
            Self::Line(stroke) => canvas.line(&[(x, y), (x + SWATCH, y)], stroke),
            Self::Fill(colour) => canvas.fill(area, colour),
            Self::Hatched(colour, lines) => {
                canvas.fill(area, colour);
                canvas.hatch(area, Stroke::solid(lines, 1.0), 5.0);
            }
            Self::Dot(colour) => canvas.dot(middle, 4.0, colour),
            Self::Frame(stroke) => canvas.frame(area, stroke),
            Self::Ring(stroke) => canvas.ring(middle, 5.0, stroke),
            Self::Cross(stroke) => canvas.cross(middle, 5.0, stroke),
        }
    }
}
