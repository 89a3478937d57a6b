//! One reason on a card, and how a terminal lays it out.

use unicode_width::UnicodeWidthStr;

use super::text::{Line, Role, wrap};
use crate::ha::catalogue::Rule;

/// Where wrapped reasons go on.
const INDENT: usize = 25;
/// The same where that leaves too little room.
const SMALL_INDENT: usize = 9;
/// A reason needs this much room beside the queries that it is about.
const LEAST_ROOM: usize = 24;

/// One thing that a card says below its ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// What a sentence is about, the sentence, and the frames that show it.
    Because {
        /// `Why zaldua2zerb1`.
        opening: Line,
        /// The sentence.
        text: String,
        /// `heartbeat #52`; may be empty.
        evidence: Line,
    },
    /// The rule that stopped some messages at the server before it.
    Rule {
        /// `DISCOVER #54, REQUEST #56`.
        queries: String,
        /// The rule.
        rule: Rule,
        /// The rule in the words of this case.
        text: String,
        /// `heartbeat #55`; may be empty.
        evidence: Line,
    },
    /// A sentence by itself.
    Sentence(String),
    /// How more could be known.
    Remark(String),
}

impl Reason {
    pub(super) const fn of(opening: Line, text: String, evidence: Line) -> Self {
        Self::Because { opening, text, evidence }
    }

    /// The reason for a terminal of this width.
    pub fn lay(&self, width: usize) -> Vec<Line> {
        match self {
            Self::Because { opening, text, evidence } => because(opening.clone(), text, evidence, width),
            Self::Rule { queries, rule, text, evidence } => {
                let mut lines = Vec::new();
                let mut line = Line::of([(Role::Plain, "     "), (Role::Plain, queries.as_str())]);
                line.pad_to(INDENT - 2);
                if line.width() + rule.code().len() + LEAST_ROOM > width {
                    lines.push(std::mem::take(&mut line));
                    line.pad_to(SMALL_INDENT - 2);
                }
                line.push(Role::Plain, "  ");
                line.push(Role::Notable, rule.code());
                line.push(Role::Plain, ": ");
                lines.extend(because(line, text, evidence, width));
                lines
            }
            Self::Sentence(text) => paragraph(Role::Plain, text, width),
            Self::Remark(text) => paragraph(Role::Weak, text, width),
        }
    }
}

/// Text behind a beginning, wrapped under itself, with the evidence flush right on the last line.
pub(super) fn because(beginning: Line, text: &str, evidence: &Line, width: usize) -> Vec<Line> {
    let most = if width < 3 * INDENT { SMALL_INDENT } else { INDENT };
    let indent = beginning.width().min(most);
    let mut lines = Vec::new();
    let mut current = beginning;
    let mut started = false;
    for word in text.split_whitespace() {
        let gap = if started { " " } else { "" };
        let movable = started || current.width() > indent;
        if movable && current.width() + gap.len() + word.width() > width {
            lines.push(std::mem::take(&mut current));
            current.pad_to(indent);
            current.push(Role::Plain, word);
        } else {
            current.push(Role::Plain, format!("{gap}{word}"));
        }
        started = true;
    }
    if evidence.width() == 0 {
        lines.push(current);
    } else {
        lines.extend(current.with_right(evidence.clone(), width));
    }
    lines
}

/// A sentence, one column in.
fn paragraph(role: Role, text: &str, width: usize) -> Vec<Line> {
    wrap(text, width.saturating_sub(1))
        .into_iter()
        .map(|line| Line::of([(Role::Plain, " "), (role, line.as_str())]))
        .collect()
}
