//! Queries and replies, laid between the facts of the control channel.

use smallvec::SmallVec;

use super::Query;
use super::input::Input;
use crate::units::{CaptureTime, ServerId};

/// A query or, if so, its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact<'q> {
    pub(super) time: CaptureTime,
    pub(super) query: &'q Query,
    pub(super) is_reply: bool,
}

impl<'q> Fact<'q> {
    /// A query and its reply. The reply is due with it, although it may come a little later.
    fn of(query: &'q Query) -> impl Iterator<Item = Self> {
        let reply = query.reply.map(|(time, _)| Fact { time, query, is_reply: true });
        std::iter::once(Fact { time: query.time, query, is_reply: false }).chain(reply)
    }
}

/// What all facts between two inputs of the control channel come to. Mostly that is nothing, and
/// this is all that has to be known of them.
#[derive(Clone, Debug)]
pub(super) struct Lull {
    /// When the last of them was.
    pub(super) end: CaptureTime,
    /// What was done at a seat, each thing once.
    pub(super) deeds: SmallVec<[Deed; 4]>,
    /// Who replied, and when last.
    pub(super) replied: SmallVec<[(ServerId, CaptureTime); 2]>,
}

/// The place of a seat, and the scope that it answered in; without one it heard a query.
pub(super) type Deed = (usize, Option<usize>);

impl Lull {
    fn add(&mut self, seat: Option<usize>, fact: &Fact<'_>) {
        self.end = self.end.max(fact.time);
        if let Some(seat) = seat {
            let deed = (seat, fact.query.scope.filter(|_| fact.is_reply));
            if !self.deeds.contains(&deed) {
                self.deeds.push(deed);
            }
        }
        if fact.is_reply {
            match self.replied.iter_mut().find(|replied| replied.0 == fact.query.server) {
                Some((_, last)) => *last = fact.time.max(*last),
                None => self.replied.push((fact.query.server, fact.time)),
            }
        }
    }
}

/// The lulls after each input, the first being the one before all inputs. What is of one instant comes
/// after the inputs of that instant.
pub(super) fn lulls<'q>(
    inputs: &[Input<'_>],
    queries: impl Iterator<Item = &'q Query>,
    seat: impl Fn(&Query) -> Option<usize>,
) -> Vec<Lull> {
    let none = Lull { end: CaptureTime(i64::MIN), deeds: SmallVec::new(), replied: SmallVec::new() };
    let mut lulls = vec![none; inputs.len() + 1];
    let mut last = 0;
    for query in queries {
        let seat = seat(query);
        for fact in Fact::of(query) {
            last = after(inputs, fact.time, last);
            if let Some(lull) = lulls.get_mut(last) {
                lull.add(seat, &fact);
            }
        }
    }
    lulls
}

/// How many inputs come before what is of an instant; most often as many as before the one asked for last.
fn after(inputs: &[Input<'_>], time: CaptureTime, last: usize) -> usize {
    let follows = last.checked_sub(1).and_then(|at| inputs.get(at)).is_none_or(|input| input.time <= time);
    if follows && inputs.get(last).is_none_or(|next| next.time > time) {
        return last;
    }
    inputs.partition_point(|input| input.time <= time)
}

/// Facts by the input of the control channel that they come after.
pub(super) struct Facts<'q> {
    list: Vec<Fact<'q>>,
    /// Where those after each input end, the first being those before all inputs.
    ends: Vec<usize>,
}

impl<'q> Facts<'q> {
    /// The facts of queries, each after as many inputs as its [`Lull`].
    pub(super) fn between(inputs: &[Input<'_>], queries: impl Iterator<Item = &'q Query>) -> Self {
        let mut facts: Vec<(usize, Fact<'q>)> = queries
            .flat_map(Fact::of)
            .map(|fact| (inputs.partition_point(|input| input.time <= fact.time), fact))
            .collect();
        // What happened at one instant is in the order of the queries, each before its reply.
        facts.sort_by_key(|(after, Fact { time, query, is_reply })| {
            (*after, *time, query.time, query.at, query.server, *is_reply)
        });
        let ends = (0..=inputs.len()).map(|at| facts.partition_point(|(after, _)| *after <= at)).collect();
        Self { list: facts.into_iter().map(|(_, fact)| fact).collect(), ends }
    }

    /// The facts after so many inputs and before the next one, in order.
    pub(super) fn after(&self, inputs: usize) -> &[Fact<'q>] {
        let begin = inputs.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(inputs).copied().unwrap_or_default();
        self.list.get(begin.unwrap_or_default()..end).unwrap_or_default()
    }
}
