//! What every chart is drawn on: plotters' SVG, in pixels with fractions, with a title for screen readers.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::letters::cut;
use super::theme::{Dash, FONT, Rgb, Theme};
use crate::table::escape;

/// Plotters counts whole pixels; a grid four times as fine keeps curves smooth.
pub const FINE: f64 = 4.0;
/// Plotters means something else by the size of a font than CSS does, and divides by this.
const FONT_SIZE: f64 = 1.24;

/// An upright rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// By its upper left corner and its size.
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }

    /// Right edge.
    pub const fn right(self) -> f64 {
        self.x + self.w
    }

    /// Lower edge.
    pub const fn bottom(self) -> f64 {
        self.y + self.h
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    /// Its colour.
    pub colour: Rgb,
    /// Its width in pixels.
    pub width: f64,
    /// Whether it has gaps.
    pub dash: Dash,
}

impl Stroke {
    /// A solid line.
    pub const fn solid(colour: Rgb, width: f64) -> Self {
        Self { colour, width, dash: Dash::Solid }
    }
}

/// Which point of a text its position is, horizontally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Its beginning.
    Left,
    /// Its middle.
    Middle,
    /// Its end.
    Right,
}

/// How a text is written.
#[derive(Clone, Copy, Debug)]
pub struct Letters {
    /// Size in pixels.
    pub size: f64,
    /// Colour.
    pub colour: Rgb,
    /// Whether it is bold.
    pub bold: bool,
    /// Where it stands.
    pub align: Align,
}

impl Letters {
    /// Ordinary letters from the left.
    pub const fn new(size: f64, colour: Rgb) -> Self {
        Self { size, colour, bold: false, align: Align::Left }
    }

    /// The same, bold.
    #[must_use]
    pub const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same, aligned otherwise.
    #[must_use]
    pub const fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }
}

/// Where a chart is drawn.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// Its colours.
    pub theme: Theme,
}

/// Draws a picture of this size, and tells what it shows to those who do not see it.
pub fn svg(
    theme: Theme,
    (width, height): (f64, f64),
    (title, description): (&str, &str),
    draw: impl FnOnce(&Canvas<'_>),
) -> String {
    let mut body = String::new();
    let size = (fine(width).unsigned_abs(), fine(height).unsigned_abs());
    {
        let canvas = Canvas { area: SVGBackend::with_string(&mut body, size).into_drawing_area(), theme };
        canvas.fill(Rect::new(0.0, 0.0, width, height), theme.background());
        draw(&canvas);
        // Here and below: writing to a String cannot fail.
        let _ = canvas.area.present();
    }
    let (title, description) = (markup(title), markup(description));
    let content = body.split_once('\n').map_or("", |(_, content)| content);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\">\n<title>{title}</title>\n<desc>{description}</desc>\n{content}",
        size.0, size.1
    )
}

/// Text within markup. Names come from the wire, so what could end an element, hide or turn letters is escaped.
pub fn markup(text: &str) -> String {
    escape(text).chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
        safe
    })
}

/// A length on plotters' grid.
fn fine(px: f64) -> i32 {
    (px * FINE).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

fn colour((r, g, b): Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

impl<'a> Canvas<'a> {
    /// Fills a rectangle.
    pub fn fill(&self, rect: Rect, fill: Rgb) {
        let corners = [at((rect.x, rect.y)), at((rect.right(), rect.bottom()))];
        let _ = self.area.draw(&Rectangle::new(corners, colour(fill).filled()));
    }

    /// Draws the edge of a rectangle.
    pub fn frame(&self, rect: Rect, stroke: Stroke) {
        let (x, y, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
        self.line(&[(x, y), (right, y), (right, bottom), (x, bottom), (x, y)], stroke);
    }

    /// Draws a line through points.
    pub fn line(&self, points: &[(f64, f64)], stroke: Stroke) {
        let style = Self::shape(stroke);
        let Some((on, off)) = stroke.dash.pattern() else {
            let points: Vec<_> = points.iter().copied().map(at).collect();
            let _ = self.area.draw(&PathElement::new(points, style));
            return;
        };
        for piece in dashes(points, on, off) {
            let piece: Vec<_> = piece.into_iter().map(at).collect();
            let _ = self.area.draw(&PathElement::new(piece, style));
        }
    }

    /// Fills what a closed line encloses.
    pub fn polygon(&self, points: &[(f64, f64)], fill: Rgb) {
        let points: Vec<_> = points.iter().copied().map(at).collect();
        let _ = self.area.draw(&Polygon::new(points, colour(fill).filled()));
    }

    /// Fills a circle.
    pub fn dot(&self, centre: (f64, f64), radius: f64, fill: Rgb) {
        let _ = self.area.draw(&Circle::new(at(centre), fine(radius), colour(fill).filled()));
    }

    /// Draws a circle.
    pub fn ring(&self, centre: (f64, f64), radius: f64, stroke: Stroke) {
        let style = Self::shape(stroke);
        let _ = self.area.draw(&Circle::new(at(centre), fine(radius), style));
    }

    /// Draws a cross.
    pub fn cross(&self, (x, y): (f64, f64), radius: f64, stroke: Stroke) {
        self.line(&[(x - radius, y - radius), (x + radius, y + radius)], stroke);
        self.line(&[(x - radius, y + radius), (x + radius, y - radius)], stroke);
    }

    /// Draws slanted lines over a rectangle: it is inferred, or not what it seems.
    pub fn hatch(&self, rect: Rect, stroke: Stroke, gap: f64) {
        // Lines x + y = c, so that they join where rectangles touch.
        let mut c = ((rect.x + rect.y) / gap).ceil() * gap;
        while c < rect.right() + rect.bottom() {
            let (left, right) = ((c - rect.bottom()).max(rect.x), (c - rect.y).min(rect.right()));
            if right - left > 0.5 {
                self.line(&[(left, c - left), (right, c - right)], stroke);
            }
            c += gap;
        }
    }

    /// Writes a text; `y` is the middle of its line.
    pub fn text(&self, (x, y): (f64, f64), text: &str, letters: Letters) {
        let _ = self.area.draw(&Text::new(escape(text).into_owned(), at((x, y)), Self::style(letters)));
    }

    /// The same as plotters' style.
    pub(super) fn style(letters: Letters) -> TextStyle<'static> {
        let align = match letters.align {
            Align::Left => HPos::Left,
            Align::Middle => HPos::Center,
            Align::Right => HPos::Right,
        };
        let weight = if letters.bold { FontStyle::Bold } else { FontStyle::Normal };
        TextStyle {
            font: FontDesc::from((FONT, letters.size * FINE * FONT_SIZE, weight)),
            color: colour(letters.colour).to_backend_color(),
            pos: Pos::new(align, VPos::Center),
        }
    }

    /// A stroke as plotters' style.
    pub(super) fn shape(stroke: Stroke) -> ShapeStyle {
        colour(stroke.colour).stroke_width(Self::length(stroke.width).max(1))
    }

    /// A length on plotters' grid.
    pub(super) fn length(px: f64) -> u32 {
        fine(px).unsigned_abs()
    }

    /// A part of the canvas for plotters to draw into.
    pub(super) fn part(&self, rect: Rect) -> DrawingArea<SVGBackend<'a>, Shift> {
        let size = (Self::length(rect.w), Self::length(rect.h));
        self.area.clone().shrink((Self::length(rect.x), Self::length(rect.y)), size)
    }

    /// The same, cut so that it is not wider than `most` pixels.
    pub fn text_within(&self, place: (f64, f64), text: &str, most: f64, letters: Letters) {
        self.text(place, &cut(&escape(text), most, letters.size), letters);
    }
}

/// The pieces of a dashed line.
fn dashes(points: &[(f64, f64)], on: f64, off: f64) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let [from, to] = pair else { continue };
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let mut gone = 0.0;
        if drawing && piece.is_empty() {
            piece.push(*from);
        }
        while length - gone > left {
            gone += left;
            let here = (from.0 + dx * gone / length, from.1 + dy * gone / length);
            if drawing {
                piece.push(here);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece.push(here);
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - gone;
        if drawing {
            piece.push(*to);
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_round_corners() {
        let pieces = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], 3.0, 3.0);
        assert_eq!(pieces, [vec![(0.0, 0.0), (3.0, 0.0)], vec![(5.0, 1.0), (5.0, 4.0)]]);
        assert_eq!(dashes(&[(0.0, 0.0), (2.0, 0.0)], 3.0, 3.0), [vec![(0.0, 0.0), (2.0, 0.0)]]);
        assert_eq!(dashes(&[], 3.0, 3.0), Vec::<Vec<_>>::new());
    }

    #[test]
    fn nothing_in_a_name_is_markup() {
        let hostile = "a</text><script>\u{1b}[2J\u{202e}\u{0}&\"'\u{ffff}";
        let text = markup(hostile);
        assert_eq!(text, "a&lt;/text&gt;&lt;script&gt;\\u{1b}[2J\\u{202e}\\u{0}&amp;&quot;&#39;\\u{ffff}");
    }
}
