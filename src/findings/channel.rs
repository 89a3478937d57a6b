//! What the control channel shows of a pair in trouble (kea-ha §8.3 no. 20 to 22).

mod conflicts;
mod damage;
mod stopped;
mod stuck;

use self::conflicts::Conflicts;
use self::stopped::Stopped;
use self::stuck::Returning;
use super::list::Findings;
use super::view::{Case, View};
use crate::ha::events::HaEvent;

/// What is kept of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Channel {
    stopped: Stopped,
    returning: Returning,
    conflicts: Conflicts,
}

impl Channel {
    pub(super) fn event(&mut self, view: &View<'_>, event: &HaEvent) {
        self.stopped.event(event);
        self.returning.event(view, event);
        self.conflicts.event(event);
    }

    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>) {
        self.stopped.case(view, case);
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        self.stopped.finish(view, findings);
        self.returning.finish(view, findings);
        self.conflicts.finish(view, findings);
        damage::report(view, findings);
    }
}
