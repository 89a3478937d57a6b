//! What a report says, once for both of its forms: sections of paragraphs, tables, charts and cards.

use std::collections::HashSet;
use std::fmt;

use crate::chart::Kind;
use crate::explain::text::{Line, Role};
use crate::table::escape;
use crate::units::CaptureTime;

/// Text in which nothing moves a cursor, hides letters or turns the direction of writing. All text of a
/// report is of this type, so that none that came from outside gets around [`escape`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// The text; what ends an element or a table's cell in some notation is still in it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for Words {
    fn from(text: T) -> Self {
        Self(escape(text.as_ref()).into_owned())
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A report.
#[derive(Debug, Default)]
pub struct Document {
    /// Its title.
    pub title: Words,
    /// What was captured, in one line.
    pub captures: Words,
    /// The result in a few sentences.
    pub summary: Vec<Words>,
    /// Everything else, in order.
    pub sections: Vec<Section>,
}

/// One section.
#[derive(Debug)]
pub struct Section {
    /// Where links to it go.
    pub anchor: &'static str,
    /// Its heading.
    pub heading: &'static str,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug)]
pub enum Block {
    /// Sentences.
    Paragraph(Words),
    /// Sentences with a point before each.
    List(Vec<Item>),
    /// A heading below that of the section.
    Heading(Words),
    /// A table.
    Table(Grid),
    /// The pages of a chart.
    Chart(Figure),
    /// Proof cards of one client, or of several.
    Cards(Vec<Card>),
    /// What a code means.
    Code(Meaning),
}

/// A sentence of a list, about something that a link may lead to.
#[derive(Debug)]
pub struct Item {
    /// What it is about; may be empty.
    pub about: Words,
    /// The sentence.
    pub text: Words,
    /// Where it is shown.
    pub link: Option<Link>,
}

/// Where a link goes, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `#e12` for a place on the page, or a file beside it.
    pub target: String,
    /// Its text.
    pub text: Words,
}

impl Link {
    /// To a place on the page that is called so.
    pub fn to(anchor: impl fmt::Display) -> Self {
        let anchor = anchor.to_string();
        Self { target: format!("#{anchor}"), text: Words::from(anchor) }
    }
}

/// A table.
#[derive(Debug)]
pub struct Grid {
    /// Its name on the page.
    pub anchor: String,
    /// What one row is.
    pub caption: Words,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: one datum per column.
    pub rows: Vec<Vec<Datum>>,
    /// What is left out and how to get it; may be empty.
    pub rest: Words,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its heading.
    pub heading: Words,
    /// Whether it is set flush right.
    pub number: bool,
}

/// One cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Datum {
    /// What it says.
    pub text: Words,
    /// Where it leads.
    pub link: Option<Link>,
    /// What it is, for its colour; the text says it too.
    pub role: Option<Role>,
}

impl Datum {
    /// The same with a role.
    pub fn of(role: Role, text: impl Into<Words>) -> Self {
        Self { text: text.into(), link: None, role: Some(role) }
    }

    /// A link.
    pub fn link(link: Link) -> Self {
        Self { text: Words::default(), link: Some(link), role: None }
    }
}

impl<T: Into<Words>> From<T> for Datum {
    fn from(text: T) -> Self {
        Self { text: text.into(), link: None, role: None }
    }
}

/// A chart.
#[derive(Debug)]
pub struct Figure {
    /// What it shows.
    pub kind: Kind,
    /// Its pages, the first ones of them if there are many.
    pub pages: Vec<Leaf>,
    /// Pages that are files only.
    pub others: Vec<Link>,
    /// The data behind it.
    pub data: String,
}

/// A page of a chart.
#[derive(Debug)]
pub struct Leaf {
    /// What it states.
    pub title: Words,
    /// It in words.
    pub description: Words,
    /// The file of its light form.
    pub file: String,
    /// Light and dark, as elements for a page.
    pub svg: [String; 2],
}

/// A proof card.
#[derive(Debug)]
pub struct Card {
    /// Its name on the page: that of the exchange.
    pub anchor: String,
    /// The client's name; may be empty.
    pub client: Words,
    /// Its hardware address, or whatever else there is.
    pub identity: Words,
    /// What the client got.
    pub headline: Words,
    /// Whether that is as it should be.
    pub standing: (Role, Words),
    /// When it began.
    pub start: CaptureTime,
    /// The same in words.
    pub when: Words,
    /// The sentence.
    pub reason: Words,
    /// Zone and relationship.
    pub place: Words,
    /// The messages between the machines, drawn.
    pub ladder: Vec<Line>,
    /// The same in sentences.
    pub steps: Vec<Words>,
    /// Why each server answered or did not.
    pub reasons: Vec<Why>,
    /// The command that shows it in a terminal.
    pub command: Words,
    /// The card as a terminal shows it.
    pub text: String,
}

/// A reason on a card.
#[derive(Debug)]
pub struct Why {
    /// `Why zaldua2zerb1`; may be empty.
    pub opening: Words,
    /// The rule that stopped a message; may be empty.
    pub rule: Words,
    /// The sentence.
    pub text: Words,
    /// Frames that show it; may be empty.
    pub evidence: Words,
    /// Whether it belongs to the reason before it.
    pub below: bool,
}

/// What a code means, for an operator.
#[derive(Debug)]
pub struct Meaning {
    /// The code.
    pub code: &'static str,
    /// In a line.
    pub title: &'static str,
    /// What to do.
    pub text: &'static str,
}

impl Document {
    /// Every name that a link can lead to: cards and codes.
    fn anchors(&self) -> HashSet<String> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        let names = blocks.flat_map(|block| match block {
            Block::Cards(cards) => cards.iter().map(|card| card.anchor.clone()).collect(),
            Block::Code(meaning) => vec![meaning.code.to_owned()],
            _ => Vec::new(),
        });
        names.collect()
    }

    /// Links within the report whose end is not in it become text.
    pub fn keep_links(&mut self) {
        let anchors = self.anchors();
        let dead = |link: &Link| link.target.strip_prefix('#').is_some_and(|name| !anchors.contains(name));
        for block in self.sections.iter_mut().flat_map(|section| &mut section.blocks) {
            match block {
                Block::List(items) => items.iter_mut().for_each(|item| {
                    item.link.take_if(|link| dead(link));
                }),
                Block::Table(grid) => {
                    for datum in grid.rows.iter_mut().flatten() {
                        if let Some(link) = datum.link.take_if(|link| dead(link)) {
                            datum.text = link.text;
                        }
                    }
                }
                _ => {}
            }
        }
    }
}
