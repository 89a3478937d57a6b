//! Messages by number: a window over everything that was read, whose oldest leave.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::Observed;
use super::answer::Answer;
use crate::units::MessageId;

/// Messages of one [`Segment`]: a quarter of a megabyte, which stays in a core's cache.
pub const SEGMENT: usize = 1 << SEGMENT_BITS;
const SEGMENT_BITS: u32 = 10;

/// Messages that follow each other, the first of which has a number that [`SEGMENT`]
/// divides. Once paired they do not change, and whoever needs them shares them.
pub type Segment = Arc<Vec<Observed>>;

/// The messages that are still of use, by number, in the order of reading.
///
/// Those that the present batch settles come first ([`Messages::iter`]), those
/// that were read ahead of it follow.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// The number of the first one kept.
    base: u32,
    /// The number that the next one gets.
    next: u32,
    /// Those that do not change any more; the first has `base` in it.
    sealed: VecDeque<Segment>,
    /// Those that are being paired; what comes next belongs here.
    open: Vec<Observed>,
    /// The first one behind the present batch; without it the batch has all of them.
    settled: Option<u32>,
}

impl Messages {
    /// The number that the next message gets.
    pub const fn next(&self) -> MessageId {
        MessageId(self.next)
    }

    /// Those that are not sealed.
    pub const fn open(&self) -> &Vec<Observed> {
        &self.open
    }

    /// Adds a message.
    pub fn push(&mut self, message: Observed) -> MessageId {
        if self.open.len() == SEGMENT {
            self.seal();
        }
        let id = self.next();
        self.open.push(message);
        self.next += 1;
        id
    }

    /// Those that were added since the last call do not change from now on.
    ///
    /// Only the last segment of a capture may have fewer than [`SEGMENT`] messages.
    pub fn seal(&mut self) -> Option<Segment> {
        if self.open.is_empty() {
            return None;
        }
        let segment = Arc::new(std::mem::replace(&mut self.open, Vec::with_capacity(SEGMENT)));
        self.sealed.push_back(Arc::clone(&segment));
        Some(segment)
    }

    /// Adds what was paired elsewhere, in place of what was shown of it.
    pub fn share(&mut self, segment: Segment) {
        self.show(&mut Vec::new());
        self.next += segment.len() as u32;
        self.sealed.push_back(segment);
    }

    /// Adds messages that were paired elsewhere and are the first of a segment to come, in place of those shown before.
    pub fn show(&mut self, open: &mut Vec<Observed>) {
        self.next -= self.open.len() as u32;
        self.next += open.len() as u32;
        self.open.clear();
        self.open.append(open);
    }

    /// The message with this number, unless it has left or is still to come.
    pub fn get(&self, id: MessageId) -> Option<&Observed> {
        if id.0 < self.base {
            return None;
        }
        let at = ((id.0 >> SEGMENT_BITS) - (self.base >> SEGMENT_BITS)) as usize;
        let place = id.0 as usize % SEGMENT;
        match self.sealed.get(at) {
            Some(segment) => segment.get(place),
            None if at == self.sealed.len() => self.open.get(place),
            None => None,
        }
    }

    /// The same for changing it, while it is not sealed.
    pub fn get_mut(&mut self, id: MessageId) -> Option<&mut Observed> {
        let open = self.next - self.open.len() as u32;
        self.open.get_mut(id.0.checked_sub(open)? as usize)
    }

    /// The messages of the present batch.
    pub fn iter(&self) -> Iter<'_> {
        let end = self.settled.unwrap_or(u32::MAX).min(self.next);
        Iter { messages: self, ids: self.base..end.max(self.base) }
    }

    /// How many messages the present batch has.
    pub fn len(&self) -> usize {
        self.iter().len()
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
    pub fn from(&self, id: MessageId) -> Iter<'_> {
        let end = self.next;
        Iter { messages: self, ids: id.0.clamp(self.base, end)..end }
    }

    /// The present batch ends before this message; without one it holds them all.
    pub fn settle(&mut self, end: Option<MessageId>) {
        self.settled = end.map(|id| id.0);
    }

    /// Lets go of all messages before this one.
    pub fn forget(&mut self, before: MessageId) {
        let base = before.0.clamp(self.base, self.next);
        let gone = (base >> SEGMENT_BITS) - (self.base >> SEGMENT_BITS);
        self.sealed.drain(..(gone as usize).min(self.sealed.len()));
        self.base = base;
    }
}

/// Messages in order.
#[derive(Clone, Debug)]
pub struct Iter<'m> {
    messages: &'m Messages,
    ids: Range<u32>,
}

impl<'m> Iterator for Iter<'m> {
    type Item = &'m Observed;

    fn next(&mut self) -> Option<Self::Item> {
        self.messages.get(MessageId(self.ids.next()?))
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.messages.get(MessageId(self.ids.nth(n)?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ids.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.messages.get(MessageId(self.ids.next_back()?))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'m> IntoIterator for &'m Messages {
    type Item = &'m Observed;
    type IntoIter = Iter<'m>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Observed> for Messages {
    fn from_iter<I: IntoIterator<Item = Observed>>(messages: I) -> Self {
        let mut all = Self::default();
        for message in messages {
            all.push(message);
        }
        all
    }
}

/// Who sent each reply that is still of use; the key is the reply's first sighting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The message that the list begins with.
    base: u32,
    list: VecDeque<Option<Answer>>,
}

impl Answers {
    fn place(&self, id: MessageId) -> Option<usize> {
        id.0.checked_sub(self.base).map(|at| at as usize)
    }

    /// Who sent this reply.
    pub fn get(&self, id: &MessageId) -> Option<&Answer> {
        self.list.get(self.place(*id)?)?.as_ref()
    }

    /// Notes who sent a reply.
    pub fn insert(&mut self, id: MessageId, answer: Answer) {
        let Some(at) = self.place(id) else { return };
        if at >= self.list.len() {
            self.list.resize(at + 1, None);
        }
        if let Some(place) = self.list.get_mut(at) {
            *place = Some(answer);
        }
    }

    /// Every reply that is kept with its sender, in order.
    pub fn iter(&self) -> impl Iterator<Item = (MessageId, &Answer)> {
        let numbered = self.list.iter().zip(self.base..);
        numbered.filter_map(|(answer, id)| Some((MessageId(id), answer.as_ref()?)))
    }

    /// Lets go of all replies before this one.
    pub fn forget(&mut self, before: MessageId) {
        let Some(gone) = self.place(before) else { return };
        self.list.drain(..gone.min(self.list.len()));
        self.base = before.0;
    }
}
