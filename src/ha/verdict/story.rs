//! What there is to say about a lease, once for all leases of which the same is to be said.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Judgement;
use crate::ha::catalogue::Verdict;
use crate::ha::topology::RelationshipId;
use crate::units::ServerId;

/// The judgement of the exchange that created a lease, without what is its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// The code.
    pub verdict: Verdict,
    /// The sentence.
    pub reason: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// The owner of the query.
    pub owner: Option<ServerId>,
    /// The relationship that the query belongs to.
    pub relationship: Option<RelationshipId>,
}

/// Stories by number.
#[derive(Clone, Debug, Default)]
pub struct Stories {
    list: Vec<Story>,
    /// The numbers of the stories with a hash.
    known: HashMap<Key, u32, RandomState>,
}

type Key = (Verdict, String, u64, Option<ServerId>, Option<RelationshipId>);

impl Stories {
    /// The number of an exchange's story.
    pub fn number(&mut self, judgement: &Judgement) -> u32 {
        let Judgement { verdict, reason, confidence, owner, relationship, .. } = judgement;
        // Neighbours are alike.
        let same = |story: &Story| {
            story.verdict == *verdict
                && story.confidence.to_bits() == confidence.to_bits()
                && story.owner == *owner
                && story.relationship == *relationship
                && story.reason == *reason
        };
        let recent = self.list.len().saturating_sub(4);
        if let Some(at) = self.list.get(recent..).unwrap_or_default().iter().position(same) {
            return (recent + at) as u32;
        }
        let key = (*verdict, reason.clone(), confidence.to_bits(), *owner, *relationship);
        let list = &mut self.list;
        *self.known.entry(key).or_insert_with(|| {
            list.push(Story {
                verdict: *verdict,
                reason: reason.clone(),
                confidence: *confidence,
                owner: *owner,
                relationship: *relationship,
            });
            list.len() as u32 - 1
        })
    }

    /// The story with this number.
    pub fn get(&self, number: u32) -> Option<&Story> {
        self.list.get(number as usize)
    }
}
