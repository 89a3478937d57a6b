//! The frame of every chart: the finding as title, the captures as subtitle, the picture, and notes below it.

use super::about::About;
use super::canvas::{self, Canvas, Letters, Rect};
use super::letters::wrap;
use super::theme::Theme;
use crate::table::Rows;

/// Width of every chart in pixels: that of a text column, so that letters keep their size there.
pub const WIDTH: f64 = 960.0;
/// White space around everything.
pub const MARGIN: f64 = 28.0;
const TITLE: f64 = 19.0;
/// Bold letters of the widest common font, in those that are reckoned with.
const BOLD: f64 = 1.2;
const SMALL: f64 = 12.5;
const LINE: f64 = 18.0;

/// A chart that is ready to be drawn.
pub trait Picture {
    /// The data behind it.
    fn rows(&self) -> Rows;

    /// Pages that it takes.
    fn pages(&self) -> usize {
        1
    }

    /// The width of every picture in pixels.
    fn room(&self) -> f64 {
        WIDTH - 2.0 * MARGIN
    }

    /// What a page says in words, and the height of its picture; the first page is 0.
    fn page(&self, number: usize) -> Page;

    /// Draws a page's picture into `body`, which has the height that [`Picture::page`] asks for.
    fn draw(&self, number: usize, canvas: &Canvas<'_>, body: Rect);
}

/// The words of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The finding.
    pub title: String,
    /// What is special about this page, such as the relationship that it is about; may be empty.
    pub subject: String,
    /// How to read it, what is missing, rounded or left out.
    pub notes: Vec<String>,
    /// Height of the picture in pixels.
    pub height: f64,
}

impl Page {
    /// A page that has nothing to show, and says why.
    pub fn empty(title: impl Into<String>, notes: &[&str]) -> Self {
        let notes = notes.iter().map(|note| (*note).to_owned()).collect();
        Self { title: title.into(), subject: String::new(), notes, height: 0.0 }
    }
}

/// A page in words.
pub fn description(page: &Page, about: &About) -> String {
    let parts = [page.subject.as_str(), about.captures.as_str()].into_iter();
    let parts = parts.chain(page.notes.iter().map(String::as_str)).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(". ")
}

/// A page as SVG.
pub fn svg(picture: &dyn Picture, number: usize, pages: usize, about: &About, theme: Theme) -> String {
    let page = picture.page(number);
    let room = picture.room();
    let title = wrap(&page.title, room / BOLD, TITLE);
    let mut subtitle = vec![about.captures.clone()];
    if !page.subject.is_empty() {
        subtitle.insert(0, page.subject.clone());
    }
    if pages > 1 {
        subtitle.insert(0, format!("page {} of {pages}", number + 1));
    }
    let subtitle = wrap(&subtitle.join(" · "), room, SMALL);
    let notes: Vec<String> = page.notes.iter().flat_map(|note| wrap(note, room, SMALL)).collect();
    let head = MARGIN + title.len() as f64 * 26.0 + subtitle.len() as f64 * LINE + 14.0;
    let foot = if notes.is_empty() { 0.0 } else { 10.0 + notes.len() as f64 * LINE };
    let height = head + page.height + foot + MARGIN - 8.0;
    canvas::svg(theme, (WIDTH, height), (&page.title, &description(&page, about)), |canvas| {
        let mut y = MARGIN + 8.0;
        for line in &title {
            canvas.text((MARGIN, y), line, Letters::new(TITLE, theme.text()).bold());
            y += 26.0;
        }
        for line in &subtitle {
            canvas.text((MARGIN, y), line, Letters::new(SMALL, theme.weak()));
            y += LINE;
        }
        // A page without anything to show has words only.
        if page.height > 0.0 {
            picture.draw(number, canvas, Rect::new(MARGIN, head, room, page.height));
        }
        let mut y = head + page.height + 10.0 + LINE / 2.0;
        for line in &notes {
            canvas.text((MARGIN, y), line, Letters::new(SMALL, theme.weak()));
            y += LINE;
        }
    })
}
