//! Charts for documentation: SVG with real text, the same as PNG, and the data behind each as rows.
//!
//! ```text
//! Analysis, batch by batch → Charts → Chart → page → canvas (plotters) → SVG → png
//!                                           → rows
//! ```
//!
//! | file | what it shows |
//! |---|---|
//! | `ladder` | the messages of exchanges between client, relay and servers, and the rule that silenced a server |
//! | `states` | the HA state of every server over time |
//! | `latency` | how long DISCOVER→OFFER and REQUEST→ACK took per server, and what HA cost |
//! | `share` | leases per server over time, with the share that is expected |
//! | `buckets` | the 256 hash buckets: owner, clients, who answered |
//! | `unacked` | clients that failure detection counted, up to the takeover |
//! | `secs` | what clients said about their waiting |
//! | `rate` | messages per type over time |
//!
//! A chart gathers what it needs from every batch, in bounded memory, as
//! [`findings`](crate::findings) does; what it leaves out or rounds it says below the picture.
//! The title states what the picture shows, worked out from the same data.
//! Reading order: this page, `latency` (a simple chart), `canvas` and `plot` (how one is drawn).

mod about;
mod axis;
mod binomial;
mod bins;
mod buckets;
mod canvas;
mod ladder;
mod latency;
mod legend;
mod letters;
mod page;
mod plot;
pub mod png;
mod rate;
mod secs;
mod share;
mod states;
mod theme;
mod unacked;

pub use about::About;
pub use canvas::markup;
pub use theme::Theme;

use self::page::Picture;
use crate::explain::Selector;
use crate::pipeline::Analysis;
use crate::table::{Error, Format, Rows, TableWriter};

/// The kinds of charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Messages between client, relay and servers.
    Ladder,
    /// HA states over time.
    States,
    /// How long answers took.
    Latency,
    /// Leases per server over time.
    Share,
    /// The hash buckets of load-balancing.
    Buckets,
    /// Clients that failure detection counted.
    Unacked,
    /// What clients said about their waiting.
    Secs,
    /// Messages over time.
    Rate,
}

impl Kind {
    /// Every kind, in the order of a report.
    pub const ALL: [Self; 8] = [
        Self::Ladder,
        Self::States,
        Self::Unacked,
        Self::Latency,
        Self::Share,
        Self::Buckets,
        Self::Secs,
        Self::Rate,
    ];

    /// Its word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ladder => "ladder",
            Self::States => "states",
            Self::Latency => "latency",
            Self::Share => "share",
            Self::Buckets => "buckets",
            Self::Unacked => "unacked",
            Self::Secs => "secs",
            Self::Rate => "rate",
        }
    }
}

/// What a kind of chart remembers of the batches.
trait Gather {
    /// Takes what a batch settles.
    fn take(&mut self, batch: &Analysis<'_>);
    /// Makes the picture; `last` is the last batch, which was taken.
    fn finish(self: Box<Self>, last: &Analysis<'_>, about: &About) -> Box<dyn Picture>;
}

/// Charts in the making: takes an analysis batch by batch, draws at the end.
pub struct Charts(Vec<(Kind, Box<dyn Gather>)>);

impl Charts {
    /// Charts of these kinds; a ladder shows the exchanges that `selector` means, else examples.
    pub fn new(kinds: &[Kind], selector: Option<&Selector>) -> Self {
        let gather = |kind: &Kind| -> Box<dyn Gather> {
            match kind {
                Kind::States => Box::new(states::Gathered::default()),
                Kind::Unacked => Box::new(unacked::Gathered),
                Kind::Rate => Box::new(rate::Gathered::default()),
                Kind::Secs => Box::new(secs::Gathered::default()),
                Kind::Share => Box::new(share::Gathered::default()),
                Kind::Buckets => Box::new(buckets::Gathered::default()),
                Kind::Ladder => Box::new(ladder::Gathered::new(selector)),
                Kind::Latency => Box::new(latency::Gathered::default()),
            }
        };
        Self(kinds.iter().map(|kind| (*kind, gather(kind))).collect())
    }

    /// Takes what a batch settles; batches come in order.
    pub fn take(&mut self, batch: &Analysis<'_>) {
        self.0.iter_mut().for_each(|(_, chart)| chart.take(batch));
    }

    /// The charts in the order in which they were asked for. `last` is the last batch, which was taken.
    pub fn finish(self, last: &Analysis<'_>) -> Vec<Chart> {
        let about = About::of(last);
        let finish = |(kind, gathered): (Kind, Box<dyn Gather>)| {
            let picture = gathered.finish(last, &about);
            Chart { kind, about: about.clone(), picture }
        };
        self.0.into_iter().map(finish).collect()
    }
}

/// A finished chart.
pub struct Chart {
    /// What it shows.
    pub kind: Kind,
    about: About,
    picture: Box<dyn Picture>,
}

impl Chart {
    /// Pages that it takes; at least one, also where there is nothing to show.
    pub fn pages(&self) -> usize {
        self.picture.pages().max(1)
    }

    /// The finding that a page states; the first page is 0.
    pub fn title(&self, page: usize) -> String {
        self.picture.page(page).title
    }

    /// A page in words, for those who do not see it.
    pub fn description(&self, page: usize) -> String {
        page::description(&self.picture.page(page), &self.about)
    }

    /// A page as SVG.
    pub fn svg(&self, page: usize, theme: Theme) -> String {
        page::svg(&*self.picture, page, self.pages(), &self.about, theme)
    }

    /// The data behind all pages.
    pub fn rows(&self) -> Rows {
        self.picture.rows()
    }

    /// The same as CSV.
    pub fn csv(&self) -> Result<Vec<u8>, Error> {
        let rows = self.rows();
        let mut bytes = Vec::new();
        let mut writer = TableWriter::new(&mut bytes, rows.table(), Format::Csv)?;
        writer.write(&rows)?;
        writer.finish()?;
        Ok(bytes)
    }
}
