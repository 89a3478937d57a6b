//! What the user looks at, and what keys do.

use std::sync::Arc;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::paint::Paint;
use super::{Row, Snapshot, Told};

/// Letters of a filter.
const MOST_LETTERS: usize = 60;

/// What follows a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The view goes on.
    Goes,
    /// The user wants no more of it.
    Quits,
}

/// The two lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum List {
    #[default]
    Exchanges,
    Findings,
}

/// What fills the terminal.
#[derive(Clone, Debug, Default)]
pub(super) enum Page {
    #[default]
    Lists,
    Card(Arc<Row>),
    Finding(Box<Told>),
    Help,
}

/// What the user looks at.
#[derive(Clone, Debug)]
pub struct Ui {
    pub(super) paint: Paint,
    /// What came last, and what is shown instead while the view is paused.
    latest: Arc<Snapshot>,
    frozen: Option<Arc<Snapshot>>,
    pub(super) list: List,
    pub(super) page: Page,
    /// Lines of a page that are above the terminal.
    pub(super) scroll: usize,
    pub(super) filter: String,
    pub(super) is_typing: bool,
    /// The chosen entry of each list; without one it is the first, whichever that is.
    chosen: [Option<u64>; 2],
    /// Its place when it was last seen.
    place: [usize; 2],
    /// The first entry of each list that is shown.
    pub(super) top: [usize; 2],
    /// Lines of a list and of a page that were shown last, for paging, and those that a page has.
    pub(super) high: usize,
    pub(super) long: usize,
}

impl Ui {
    /// The view of a user who did nothing yet; without `colour` no colour is used.
    pub fn new(colour: bool) -> Self {
        Self {
            paint: Paint { colour },
            latest: Arc::default(),
            frozen: None,
            list: List::default(),
            page: Page::default(),
            scroll: 0,
            filter: String::new(),
            is_typing: false,
            chosen: [None; 2],
            place: [0; 2],
            top: [0; 2],
            high: 1,
            long: 0,
        }
    }

    /// Something new is to be shown.
    pub fn show(&mut self, snapshot: Arc<Snapshot>) {
        self.latest = snapshot;
        if self.frozen.is_none() {
            self.renew_page();
        }
    }

    /// What is shown.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(self.frozen.as_ref().unwrap_or(&self.latest))
    }

    /// Exchanges that began since the view was paused; absent while it is not.
    pub fn waiting(&self) -> Option<u64> {
        self.frozen.as_ref().map(|frozen| self.latest.begun().saturating_sub(frozen.begun()))
    }

    /// The exchanges that the filter finds.
    pub(super) fn exchanges(&self) -> Vec<Arc<Row>> {
        let filter = self.filter.to_lowercase();
        self.snapshot().exchanges.iter().filter(|row| row.has(&filter)).cloned().collect()
    }

    /// The findings that the filter finds.
    pub(super) fn findings(&self) -> Vec<Told> {
        let filter = self.filter.to_lowercase();
        self.snapshot().findings.iter().filter(|told| told.has(&filter)).cloned().collect()
    }

    /// The place of the chosen entry among these, and the first that is shown of so many lines.
    pub(super) fn placed(&mut self, keys: &[u64], lines: usize) -> (usize, usize) {
        self.high = lines.max(1);
        let at = self.chosen_among(keys);
        let (Some(place), Some(top)) =
            (self.place.get_mut(self.list as usize), self.top.get_mut(self.list as usize))
        else {
            return (0, 0);
        };
        *place = at;
        let most = keys.len().saturating_sub(lines);
        *top = (*top).min(at).max((at + 1).saturating_sub(lines)).min(most);
        (at, *top)
    }

    fn chosen_among(&self, keys: &[u64]) -> usize {
        let list = self.list as usize;
        let Some(chosen) = self.chosen.get(list).copied().flatten() else { return 0 };
        let place = self.place.get(list).copied().unwrap_or_default();
        // What is gone, or filtered away, leaves its place.
        let at = keys.iter().position(|key| *key == chosen).unwrap_or(place);
        at.min(keys.len().saturating_sub(1))
    }

    fn keys(&self) -> Vec<u64> {
        match self.list {
            List::Exchanges => self.exchanges().iter().map(|row| u64::from(row.id.0)).collect(),
            List::Findings => self.findings().iter().map(|told| told.key).collect(),
        }
    }

    /// What a key does.
    pub fn key(&mut self, key: KeyEvent) -> Then {
        if key.kind == KeyEventKind::Release {
            return Then::Goes;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Then::Quits } else { Then::Goes };
        }
        if self.is_typing {
            self.type_filter(key.code);
            return Then::Goes;
        }
        match (&self.page, key.code) {
            (_, KeyCode::Char(' ')) => self.pause(),
            (Page::Lists, KeyCode::Char('q')) => return Then::Quits,
            (Page::Lists, code) => self.key_of_lists(code),
            (Page::Help, KeyCode::Char('?') | KeyCode::Enter)
            | (_, KeyCode::Char('q') | KeyCode::Esc | KeyCode::Backspace | KeyCode::Left) => {
                self.page = Page::Lists;
            }
            (_, KeyCode::Char('?')) => self.open(Page::Help),
            (_, code) => {
                self.scroll = moved(code, self.scroll, self.high, self.long.saturating_sub(self.high));
            }
        }
        Then::Goes
    }

    fn key_of_lists(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char('?') => self.open(Page::Help),
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Tab | KeyCode::BackTab => {
                self.list = if self.list == List::Exchanges { List::Findings } else { List::Exchanges };
            }
            KeyCode::Enter | KeyCode::Right => self.open_chosen(),
            _ => {
                let keys = self.keys();
                let at = self.chosen_among(&keys);
                let to = moved(code, at, self.high, keys.len().saturating_sub(1));
                let list = self.list as usize;
                if let (Some(chosen), Some(place)) = (self.chosen.get_mut(list), self.place.get_mut(list)) {
                    // Whoever is at the first entry wants to see the newest.
                    *chosen = keys.get(to).copied().filter(|_| to > 0);
                    *place = to;
                }
            }
        }
    }

    fn type_filter(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => _ = self.filter.pop(),
            KeyCode::Char(letter) if self.filter.chars().count() < MOST_LETTERS && !letter.is_control() => {
                self.filter.push(letter);
            }
            _ => {}
        }
    }

    fn pause(&mut self) {
        self.frozen = match self.frozen.take() {
            None => Some(Arc::clone(&self.latest)),
            Some(_) => None,
        };
        self.renew_page();
    }

    fn open(&mut self, page: Page) {
        self.page = page;
        self.scroll = 0;
    }

    fn open_chosen(&mut self) {
        let at = self.chosen_among(&self.keys());
        let page = match self.list {
            List::Exchanges => self.exchanges().get(at).cloned().map(Page::Card),
            List::Findings => self.findings().get(at).cloned().map(|told| Page::Finding(Box::new(told))),
        };
        if let Some(page) = page {
            self.open(page);
        }
    }

    /// An open page shows what is known now.
    fn renew_page(&mut self) {
        let snapshot = self.snapshot();
        match &mut self.page {
            Page::Card(row) => {
                if let Some(now) = snapshot.exchanges.iter().find(|it| it.id == row.id) {
                    *row = Arc::clone(now);
                }
            }
            Page::Finding(told) => {
                if let Some(now) = snapshot.findings.iter().find(|it| it.key == told.key) {
                    **told = now.clone();
                }
            }
            Page::Lists | Page::Help => {}
        }
    }
}

/// Where a key that moves leads, from 0 to `last`.
fn moved(code: KeyCode, at: usize, page: usize, last: usize) -> usize {
    let page = page.saturating_sub(1).max(1);
    let to = match code {
        KeyCode::Down | KeyCode::Char('j') => at + 1,
        KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
        KeyCode::PageDown => at + page,
        KeyCode::PageUp => at.saturating_sub(page),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => last,
        _ => at,
    };
    to.min(last)
}
