//! The rows of every table from a finished analysis.

mod decisions;
mod events;
mod exchanges;
mod findings;
mod leases;
mod messages;
mod sources;

pub(super) use events::Seen;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Rows;
use super::schema;
use super::stream::{Entries, Ranks};
use super::texts::{FrameName, Numbered, Text, Word};
use super::words::Words;
use crate::capture::Source;
use crate::dhcp::MessageType;
use crate::exchange::{Observed, of};
use crate::findings::{Finding, find};
use crate::ha::topology::RelationshipId;
use crate::pipeline::Analysis;
use crate::units::{ExchangeId, FrameRef, HwAddr, MessageId, ServerId, ZoneId};

/// Makes rows from an analysis, and names things the same way in every table.
#[derive(Debug)]
pub struct Filler<'a> {
    analysis: &'a Analysis<'a>,
    /// Source names by index.
    labels: Vec<String>,
    ranks: Ranks,
    /// Link types by source.
    links: Vec<String>,
    /// Names of the relationships by number.
    relationships: Vec<String>,
    /// Made when they are asked for.
    findings: OnceLock<Vec<Finding>>,
}

impl<'a> Filler<'a> {
    /// A filler for one analysis.
    pub fn new(analysis: &'a Analysis<'a>) -> Self {
        let labels = labels(analysis);
        let links = analysis.sources.iter().map(Source::link_name).collect();
        let topology = &*analysis.network.topology;
        let relationships = (0..topology.relationships.len())
            .map(|id| topology.relationship_name(RelationshipId(id)))
            .collect();
        Self { analysis, ranks: Ranks::new(&labels), labels, links, relationships, findings: OnceLock::new() }
    }

    /// Every table of the contract, in its order.
    pub fn all(&self) -> Vec<Rows> {
        vec![
            self.messages(),
            self.exchanges(),
            self.leases(),
            self.decisions(),
            self.ha_events(),
            self.findings(),
            self.sources(),
        ]
    }

    /// How the sources of this analysis are ordered.
    pub(super) const fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// The rows of a table in its order.
    fn rows(&self, table: &'static schema::Table, entries: &Entries<'_>) -> Rows {
        entries.rows(table, &self.ranks)
    }

    /// A source's name: its file name where that is unique, its path otherwise.
    pub fn source(&self, at: FrameRef) -> &str {
        self.labels.get(at.source.0 as usize).map_or("?", String::as_str)
    }

    /// A frame as `source#number`.
    pub fn frame(&self, at: FrameRef) -> String {
        format!("{}#{}", self.source(at), at.number)
    }

    /// What an operator should look at, the most severe first.
    pub fn found(&self) -> &[Finding] {
        self.findings.get_or_init(|| find(self.analysis))
    }

    fn server(&self, id: ServerId) -> Numbered<&str> {
        Numbered(id.0, self.analysis.network.machines.name(id))
    }

    fn relationship(&self, id: RelationshipId) -> Numbered<&str> {
        Numbered(id.0, self.relationships.get(id.0).map_or("", String::as_str))
    }

    fn link(&self, at: FrameRef) -> Option<Numbered<&str>> {
        let source = at.source.0 as usize;
        self.links.get(source).map(|link| Numbered(source, link.as_str()))
    }

    fn zone(&self, id: ZoneId) -> Numbered<&str> {
        Numbered(id.0.into(), self.analysis.network.zone(id))
    }

    fn source_of(&self, at: FrameRef) -> Numbered<&str> {
        Numbered(at.source.0 as usize, self.source(at))
    }

    /// The frame of a message.
    fn frame_of(&self, id: MessageId) -> FrameName<'_> {
        self.frame_name(of(&self.analysis.messages, id).at)
    }

    fn frame_name(&self, at: FrameRef) -> FrameName<'_> {
        FrameName { source: self.source(at), at }
    }

    /// The client's name: the topology's, else the host name that it sends.
    fn client_name(&self, chaddr: HwAddr, exchange: ExchangeId) -> Option<&str> {
        self.analysis.client_name(chaddr).or_else(|| {
            let (exchange, _) = self.analysis.exchange(exchange)?;
            let mut queries = exchange.queries.iter().map(|step| of(&self.analysis.messages, step.first));
            queries.find_map(|query| query.hostname())
        })
    }
}

/// The name of a message's type, as [`Observed::type_name`] has it.
fn type_name(message: &Observed) -> TypeName {
    TypeName(message.message_type)
}

struct TypeName(Option<MessageType>);

impl Text for TypeName {
    fn number(&self, words: &mut Words) -> u64 {
        match self.0.map(|kind| kind.name().ok_or(kind)) {
            None => Word("BOOTP").number(words),
            Some(Ok(name)) => Word(name).number(words),
            Some(Err(unknown)) => unknown.to_string().number(words),
        }
    }
}

fn labels(analysis: &Analysis<'_>) -> Vec<String> {
    let file = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
    let mut users: HashMap<String, Vec<&str>> = HashMap::new();
    for source in &analysis.sources {
        let paths = users.entry(file(&source.name)).or_default();
        // The interfaces of one file share its name; frame numbers count over the file.
        if !paths.contains(&source.name.as_str()) {
            paths.push(&source.name);
        }
    }
    let unique = |name: &str| users.get(name).is_some_and(|paths| paths.len() == 1);
    analysis
        .sources
        .iter()
        .map(|source| {
            Some(file(&source.name)).filter(|name| unique(name)).unwrap_or_else(|| source.name.clone())
        })
        .collect()
}
