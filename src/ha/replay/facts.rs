//! Queries and replies, laid between the facts of the control channel.

use super::Query;
use super::input::Input;
use crate::units::CaptureTime;

/// A query or, if so, its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    pub(super) time: CaptureTime,
    /// Which of the queries that wait.
    pub(super) query: u32,
    pub(super) is_reply: bool,
}

/// Facts by the input of the control channel that they come after.
pub(super) struct Facts {
    list: Vec<Fact>,
    /// Where those after each input end, the first being those before all inputs.
    ends: Vec<usize>,
}

impl Facts {
    /// Those of the queries that are due. What is of one instant comes after the inputs of that instant;
    /// a query's reply is due with it, although it may come a little later.
    pub(super) fn between(
        inputs: &[Input<'_>],
        waiting: &[Query],
        due: impl Fn(CaptureTime) -> bool,
    ) -> Self {
        let mut facts = Vec::with_capacity(2 * waiting.len());
        for (at, query) in waiting.iter().enumerate().filter(|(_, query)| due(query.time)) {
            let mut add = |time, is_reply| {
                let after = inputs.partition_point(|input| input.time <= time);
                facts.push((after, Fact { time, query: at as u32, is_reply }));
            };
            add(query.time, false);
            if let Some((time, _)) = query.reply {
                add(time, true);
            }
        }
        // Grouped by counting, because there are few inputs and many queries.
        let mut ends = vec![0; inputs.len() + 1];
        for (after, _) in &facts {
            if let Some(end) = ends.get_mut(*after) {
                *end += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            (sum, *end) = (sum + *end, sum);
        }
        let mut list = vec![None; facts.len()];
        for (after, fact) in facts {
            if let Some(end) = ends.get_mut(after) {
                if let Some(place) = list.get_mut(*end) {
                    *place = Some(fact);
                }
                *end += 1;
            }
        }
        Self { list: list.into_iter().flatten().collect(), ends }
    }

    /// The facts after so many inputs and before the next one.
    pub(super) fn after(&mut self, inputs: usize) -> &mut [Fact] {
        let begin =
            inputs.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        let end = self.ends.get(inputs).copied().unwrap_or_default();
        self.list.get_mut(begin..end).unwrap_or_default()
    }
}
