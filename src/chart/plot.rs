//! A pair of axes in a rectangle, drawn by plotters, and the places of values between them.

use plotters::prelude::*;

use super::axis::{Axis, TICK_SIZE};
use super::canvas::{Align, Canvas, Letters, Rect, Stroke};
use super::letters::width;

/// Size of an axis' name, in pixels.
const NAME_SIZE: f64 = 12.0;
/// Height of the ticks' labels and the name below a plot.
const BELOW: f64 = 46.0;
/// The same for an axis whose words another plot has.
const SMALL_BELOW: f64 = 16.0;
/// A label may stand out by so much on the right.
const BESIDE: f64 = 34.0;

/// Pixels left of a vertical axis. Plots above each other mostly need the same, and then stand in line.
fn beside(y: &Axis) -> f64 {
    y.labels().map(|label| width(label, TICK_SIZE) + 12.0).fold(46.0, f64::max)
}

/// A drawn pair of axes.
pub struct Plot<'c, 'a> {
    canvas: &'c Canvas<'a>,
    x: Axis,
    y: Axis,
    /// The part between the axes.
    pub inside: Rect,
}

impl<'c, 'a> Plot<'c, 'a> {
    /// Draws axes and a grid into `outside`.
    ///
    /// The name of the vertical axis stands above it, where it is read without turning the head.
    pub fn new(canvas: &'c Canvas<'a>, outside: Rect, x: Axis, y: Axis) -> Self {
        let above = 22.0;
        let left = beside(&y);
        let below = if x.name.is_empty() { SMALL_BELOW } else { BELOW };
        let inside = Rect::new(
            outside.x + left,
            outside.y + above,
            (outside.w - left - BESIDE).max(1.0),
            (outside.h - above - below).max(1.0),
        );
        let theme = canvas.theme;
        let name = Letters::new(NAME_SIZE, theme.weak());
        canvas.text_within((outside.x, outside.y + 8.0), &y.name, outside.w, name);
        Self::within(canvas, inside, (x, y), below)
    }

    /// Draws axes around `inside`; `below` pixels are for the words of the horizontal one.
    pub fn within(canvas: &'c Canvas<'a>, inside: Rect, (x, y): (Axis, Axis), below: f64) -> Self {
        canvas.mesh(inside, below, (&x, &y));
        let middle = (inside.x + inside.w / 2.0, inside.bottom() + below - NAME_SIZE / 2.0 - 2.0);
        let letters = Letters::new(NAME_SIZE, canvas.theme.weak()).align(Align::Middle);
        canvas.text_within(middle, &x.name, inside.w, letters);
        Self { canvas, x, y, inside }
    }

    /// The place of a value in pixels; beyond the axes it is at their end.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let Rect { w, h, .. } = self.inside;
        (self.inside.x + self.x.along(x) * w, self.inside.bottom() - self.y.along(y) * h)
    }

    /// A line through values.
    pub fn line(&self, values: impl IntoIterator<Item = (f64, f64)>, stroke: Stroke) {
        let points: Vec<_> = values.into_iter().map(|(x, y)| self.at(x, y)).collect();
        self.canvas.line(&points, stroke);
    }

    /// A filled bar between two values of x and two of y.
    pub fn bar(&self, x: (f64, f64), y: (f64, f64)) -> Rect {
        let (left, top) = self.at(x.0, y.1);
        let (right, bottom) = self.at(x.1, y.0);
        Rect::new(left, top, right - left, bottom - top)
    }

    /// A horizontal line over the whole width, with a word at its left end, above it.
    pub fn level(&self, y: f64, word: &str, stroke: Stroke) {
        let (from, to) = self.x.ends();
        self.line([(from, y), (to, y)], stroke);
        let (_, height) = self.at(from, y);
        let letters = Letters::new(TICK_SIZE, stroke.colour);
        // At the very top there is room below the line only.
        let beside = if height - self.inside.y < 14.0 { 9.0 } else { -9.0 };
        self.canvas.text_within((self.inside.x + 6.0, height + beside), word, self.inside.w, letters);
    }

    /// A vertical line over the whole height.
    pub fn mark(&self, x: f64, stroke: Stroke) {
        let (from, to) = self.y.ends();
        self.line([(x, from), (x, to)], stroke);
    }
}

impl Canvas<'_> {
    /// Axes, ticks and grid.
    fn mesh(&self, inside: Rect, below: f64, (x, y): (&Axis, &Axis)) {
        let left = beside(y);
        let area = self.part(Rect::new(inside.x - left, inside.y, inside.w + left, inside.h + below));
        let theme = self.theme;
        let chart = ChartBuilder::on(&area)
            .set_label_area_size(LabelAreaPosition::Left, Self::length(left))
            .set_label_area_size(LabelAreaPosition::Bottom, Self::length(below))
            .build_cartesian_2d(x.clone(), y.clone());
        let Ok(mut chart) = chart else { return };
        let labels = Self::style(Letters::new(TICK_SIZE, theme.weak()));
        // Writing to a String cannot fail.
        let _ = chart
            .configure_mesh()
            .bold_line_style(Self::shape(Stroke::solid(theme.grid(), 1.0)))
            .light_line_style(TRANSPARENT)
            .axis_style(Self::shape(Stroke::solid(theme.weak(), 1.0)))
            .label_style(labels)
            .set_all_tick_mark_size(Self::length(5.0))
            .draw();
    }
}
