//! What the control channel shows of a pair in trouble (kea-ha §8.3 no. 20 to 22).

mod conflicts;
mod damage;
mod stopped;
mod stuck;

use super::list::Findings;
use super::view::View;

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    stopped::find(view, findings);
    stuck::find(view, findings);
    conflicts::find(view, findings);
    damage::find(view, findings);
}
