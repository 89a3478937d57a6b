//! Messages by number: a window over everything that was read, whose oldest leave.

use std::collections::{BTreeMap, VecDeque, vec_deque::Iter};

use super::Observed;
use super::answer::Answer;
use crate::units::{FrameRef, MessageId};

/// Values by message number. The first one kept may have any number.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ByMessage<T> {
    base: u32,
    list: VecDeque<T>,
}

impl<T> Default for ByMessage<T> {
    fn default() -> Self {
        Self { base: 0, list: VecDeque::new() }
    }
}

impl<T> ByMessage<T> {
    fn place(&self, id: MessageId) -> Option<usize> {
        id.0.checked_sub(self.base).map(|at| at as usize)
    }

    fn next(&self) -> MessageId {
        MessageId(self.base + self.list.len() as u32)
    }

    fn forget(&mut self, before: MessageId) {
        let count = self.place(before).unwrap_or_default().min(self.list.len());
        self.list.drain(..count);
        self.base += count as u32;
    }
}

/// The messages that are still of use, by number, in the order of reading.
///
/// Those that the present batch settles come first ([`Messages::iter`]), those
/// that were read ahead of it follow.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    kept: ByMessage<Observed>,
    /// How many of the first belong to the present batch; all of them while it is not said.
    settled: Option<usize>,
    /// The frame of every message that a kept one is a sighting of, and the last such one.
    /// The message itself may have left: its sightings come after it, and may be in a later batch.
    firsts: BTreeMap<MessageId, (FrameRef, MessageId)>,
}

impl Messages {
    /// The number that the next message gets.
    pub fn next(&self) -> MessageId {
        self.kept.next()
    }

    /// Adds a message.
    pub fn push(&mut self, message: Observed) -> MessageId {
        let id = self.next();
        self.kept.list.push_back(message);
        id
    }

    /// A message turns out to be a sighting of an earlier one.
    pub fn copied(&mut self, first: MessageId, again: MessageId) {
        let Some(at) = self.get(first).map(|message| message.at) else { return };
        if let Some(message) = self.get_mut(again) {
            message.sighting_of = Some(first);
            self.firsts.insert(first, (at, again));
        }
    }

    /// The frame of the message that one of the kept messages is a sighting of.
    pub fn first_sighting(&self, message: &Observed) -> Option<FrameRef> {
        self.firsts.get(&message.sighting_of?).map(|(at, _)| *at)
    }

    /// The message with this number, unless it has left or is still to come.
    pub fn get(&self, id: MessageId) -> Option<&Observed> {
        self.kept.list.get(self.kept.place(id)?)
    }

    /// The same for changing it.
    pub fn get_mut(&mut self, id: MessageId) -> Option<&mut Observed> {
        let at = self.kept.place(id)?;
        self.kept.list.get_mut(at)
    }

    /// The messages of the present batch.
    pub fn iter(&self) -> Iter<'_, Observed> {
        self.kept.list.range(..self.len())
    }

    /// How many messages the present batch has.
    pub fn len(&self) -> usize {
        self.settled.unwrap_or(usize::MAX).min(self.kept.list.len())
    }

    /// Whether the present batch has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first message of the present batch.
    pub fn first(&self) -> Option<&Observed> {
        self.iter().next()
    }

    /// The last message of the present batch.
    pub fn last(&self) -> Option<&Observed> {
        self.iter().next_back()
    }

    /// Every message kept from a number on, those read ahead included.
    pub fn from(&self, id: MessageId) -> impl Iterator<Item = &Observed> {
        let at = self.kept.place(id).unwrap_or_default().min(self.kept.list.len());
        self.kept.list.range(at..)
    }

    /// The present batch ends before this message; without one it holds them all.
    pub fn settle(&mut self, end: Option<MessageId>) {
        self.settled = end.map(|id| self.kept.place(id).unwrap_or_default());
    }

    /// Lets go of all messages before this one.
    pub fn forget(&mut self, before: MessageId) {
        self.kept.forget(before);
        self.firsts.retain(|_, (_, last)| *last >= before);
    }
}

impl<'m> IntoIterator for &'m Messages {
    type Item = &'m Observed;
    type IntoIter = Iter<'m, Observed>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Observed> for Messages {
    fn from_iter<I: IntoIterator<Item = Observed>>(messages: I) -> Self {
        let kept = ByMessage { base: 0, list: messages.into_iter().collect() };
        Self { kept, ..Self::default() }
    }
}

/// Who sent each reply that is still of use; the key is the reply's first sighting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(ByMessage<Option<Answer>>);

impl Answers {
    /// Who sent this reply.
    pub fn get(&self, id: &MessageId) -> Option<&Answer> {
        self.0.list.get(self.0.place(*id)?)?.as_ref()
    }

    /// Notes who sent a reply.
    pub fn insert(&mut self, id: MessageId, answer: Answer) {
        let Some(at) = self.0.place(id) else { return };
        if at >= self.0.list.len() {
            self.0.list.resize(at + 1, None);
        }
        if let Some(place) = self.0.list.get_mut(at) {
            *place = Some(answer);
        }
    }

    /// Every reply that is kept with its sender, in order.
    pub fn iter(&self) -> impl Iterator<Item = (MessageId, &Answer)> {
        let numbered = self.0.list.iter().zip(self.0.base..);
        numbered.filter_map(|(answer, id)| Some((MessageId(id), answer.as_ref()?)))
    }

    /// Lets go of all replies before this one.
    pub fn forget(&mut self, before: MessageId) {
        let gone = self.0.place(before).unwrap_or_default() > self.0.list.len();
        self.0.forget(before);
        if gone {
            self.0.base = before.0;
        }
    }
}
