//! The report as Markdown that Obsidian, GitHub and pandoc read alike.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::document::{Block, Card, Datum, Document, Figure, Grid, Item, Link, Words};

/// Rows of a table; more make an editor slow, and the page has them.
const MOST_ROWS: usize = 500;
/// Cards; the page has more.
const MOST_CARDS: usize = 60;

/// The document as Markdown.
pub fn render(document: &Document) -> String {
    let mut writer = Writer::new(document);
    writer.paragraph(&format!("# {}", inline(&document.title)));
    if !document.captures.as_str().is_empty() {
        writer.paragraph(&inline(&document.captures));
    }
    let summary: Vec<String> = document.summary.iter().map(inline).collect();
    writer.paragraph(&summary.join(" "));
    for section in &document.sections {
        writer.paragraph(&format!("## {}", section.heading));
        section.blocks.iter().for_each(|block| writer.block(block));
    }
    if writer.left_out > 0 {
        let left_out = writer.left_out;
        let cards = if left_out == 1 { "more proof card is" } else { "more proof cards are" };
        writer.paragraph(&format!("{left_out} {cards} in [index.html](index.html)."));
    }
    writer.out.truncate(writer.out.trim_end().len());
    writer.out.push('\n');
    writer.out
}

/// The text so far.
struct Writer {
    out: String,
    /// Cards that this form has, which links may lead to.
    cards: HashSet<String>,
    left_out: usize,
}

impl Writer {
    fn new(document: &Document) -> Self {
        let blocks = document.sections.iter().flat_map(|section| &section.blocks);
        let cards = blocks.flat_map(|block| match block {
            Block::Cards(cards) => cards.as_slice(),
            _ => &[],
        });
        let cards = cards.take(MOST_CARDS).map(|card| card.anchor.clone()).collect();
        Self { out: String::new(), cards, left_out: 0 }
    }

    fn paragraph(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push_str("\n\n");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(text) => self.paragraph(&inline(text)),
            Block::Heading(text) => self.paragraph(&format!("### {}", inline(text))),
            Block::List(items) => {
                let lines: Vec<String> = items.iter().map(|item| self.item(item)).collect();
                self.paragraph(&lines.join("\n"));
            }
            Block::Table(grid) => self.table(grid),
            Block::Chart(figure) => self.figure(figure),
            Block::Cards(cards) => cards.iter().for_each(|card| self.card(card)),
            Block::Code(meaning) => {
                self.paragraph(&format!("#### {}", meaning.code));
                self.paragraph(&format!(
                    "{} {}",
                    inline(&meaning.title.into()),
                    inline(&meaning.text.into())
                ));
            }
        }
    }

    fn item(&self, item: &Item) -> String {
        let mut line = "- ".to_owned();
        if !item.about.as_str().is_empty() {
            let _ = write!(line, "**{}**: ", inline(&item.about));
        }
        line.push_str(&inline(&item.text));
        if let Some(link) = item.link.as_ref().filter(|link| self.leads_somewhere(link)) {
            let _ = write!(line, " ({})", reference(link));
        }
        line
    }

    /// Whether this form has the end of a link.
    fn leads_somewhere(&self, link: &Link) -> bool {
        let exchange = |name: &str| {
            name.strip_prefix('e').is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
        };
        link.target.strip_prefix('#').is_none_or(|name| !exchange(name) || self.cards.contains(name))
    }

    fn table(&mut self, grid: &Grid) {
        let cells = |cells: &mut dyn Iterator<Item = String>| {
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        self.paragraph(&inline(&grid.caption));
        let heading = cells(&mut grid.columns.iter().map(|column| inline(&column.heading)));
        let rule = cells(
            &mut grid.columns.iter().map(|column| if column.number { "---:" } else { "---" }.to_owned()),
        );
        self.out.push_str(&heading);
        self.out.push_str(&rule);
        for row in grid.rows.iter().take(MOST_ROWS) {
            let line = cells(&mut row.iter().map(|datum| self.datum(datum)));
            self.out.push_str(&line);
        }
        self.out.push('\n');
        let more = grid.rows.len().saturating_sub(MOST_ROWS);
        if more > 0 {
            self.paragraph(&format!("{more} more rows are in [index.html](index.html)."));
        }
        if !grid.rest.as_str().is_empty() {
            self.paragraph(&inline(&grid.rest));
        }
    }

    fn datum(&self, datum: &Datum) -> String {
        match &datum.link {
            Some(link) if self.leads_somewhere(link) => reference(link),
            Some(link) => inline(&link.text),
            None => inline(&datum.text),
        }
    }

    fn figure(&mut self, figure: &Figure) {
        for page in &figure.pages {
            self.paragraph(&format!("![{}]({})", inline(&page.title), page.file));
        }
        let others = figure.others.iter().map(reference);
        let links: Vec<String> = others.chain([format!("[data as CSV]({})", figure.data)]).collect();
        self.paragraph(&links.join(", "));
    }

    fn card(&mut self, card: &Card) {
        if !self.cards.contains(&card.anchor) {
            self.left_out += 1;
            return;
        }
        self.paragraph(&format!("#### {}", card.anchor));
        self.paragraph(&inline(&card.reason));
        let text = fenced(&card.text);
        self.paragraph(&text);
    }
}

fn reference(link: &Link) -> String {
    format!("[{}]({})", inline(&link.text), link.target)
}

/// A block of text as it is, within a fence that nothing in it ends.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

/// Text within a paragraph, a heading or a cell: nothing in it means anything to Markdown.
///
/// Beside what CommonMark and tables give a meaning: `~ $ % = ^` of Obsidian and pandoc, `&` of entities, and what
/// makes addresses into links by themselves.
fn inline(text: &Words) -> String {
    let text = text.as_str();
    let mut safe = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let linked = rest.starts_with("://") || c == '@' || c == '.' && is_www(text, at);
        let special = matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '!'
                | '|'
                | '~'
                | '$'
                | '%'
                | '='
                | '^'
                | '&'
                | '{'
                | '}'
        );
        // At the beginning of a line these would make a list or a rule.
        let first = at == 0 && matches!(c, '-' | '+' | ' ' | '\t');
        if special || linked || first && c != ' ' {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe.trim().to_owned()
}

/// Whether this point ends a `www`.
fn is_www(text: &str, point: usize) -> bool {
    text.get(..point).is_some_and(|before| before.to_ascii_lowercase().ends_with("www"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a\n"), "```text\na\n```");
        assert_eq!(fenced("a ```` b"), "`````text\na ```` b\n`````");
    }

    #[test]
    fn nothing_means_anything() {
        let hostile = Words::from("a|b`c*d_e[f](g)<h>#i!\nj ![x](http://y) www.z.example");
        assert_eq!(
            inline(&hostile),
            "a\\|b\\`c\\*d\\_e\\[f\\](g)\\<h\\>\\#i\\!\\\\u\\{a\\}j \\!\\[x\\](http\\://y) www\\.z.example"
        );
    }
}
