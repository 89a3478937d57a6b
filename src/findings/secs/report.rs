//! What the habits of all clients together mean for a takeover.

use super::habits::{Crowd, Habits};
use super::wait::Habit;
use crate::findings::list::{About, Findings, Severity};
use crate::findings::view::View;
use crate::ha::catalogue::FindingCode;
use crate::ha::topology::{Limits, Mode};

impl Habits {
    /// `forgotten`: clients of which nothing is known any more.
    pub(super) fn report(self, view: &View<'_>, forgotten: u64, findings: &mut Findings) {
        let crowds = self.crowds;
        for ((place, habit), seen) in self.seen {
            let (zone, relationship) = place;
            let crowd = crowds.get(&place).copied().unwrap_or_default();
            let n = seen.tally.count;
            // Only a pair counts clients, and not where it fails over without that test.
            let limits = relationship
                .filter(|id| view.relationship(Some(*id)).is_some_and(|it| it.mode != Mode::PassiveBackup))
                .and_then(|id| view.limits(id))
                .filter(|limits| limits.max_unacked_clients > 0);
            let name = view.zone_name(zone);
            let of = format!("{n} of {} clients that asked again in {name}", crowd.judged);
            let (code, text) = match habit {
                Habit::Counts => continue,
                Habit::Zero => (FindingCode::SecsConstantZero, format!("{of} kept secs at 0")),
                Habit::Stuck => (FindingCode::SecsNotIncreasing, format!("{of} did not count up secs")),
                Habit::Swapped => {
                    (FindingCode::SecsByteSwapped, format!("{of} sent secs with its bytes swapped"))
                }
                Habit::High => {
                    (FindingCode::SecsHighAtStart, format!("{n} clients in {name} began with a high secs"))
                }
                Habit::Misread => {
                    let what = "sent a secs that Kea takes for a byte-swapped one";
                    (FindingCode::SecsMisread, format!("{n} clients in {name} {what}"))
                }
            };
            let effect = limits.and_then(|limits| effect(habit, n, crowd, limits));
            let severity = if effect.is_some() { Severity::Warning } else { Severity::Note };
            let again = (forgotten > 0)
                .then(|| format!("{forgotten} clients were forgotten meanwhile and may count twice"));
            let parts: Vec<String> = [text, seen.example].into_iter().chain(effect).chain(again).collect();
            findings.whole(About::new(code, severity).zone(zone), seen.tally, parts.join("; "));
        }
    }
}

/// What the habit does to a takeover, when there are enough of these clients to matter.
fn effect(habit: Habit, n: u64, crowd: Crowd, limits: Limits) -> Option<String> {
    let need = u64::from(limits.max_unacked_clients) + 1;
    let Crowd { judged, counting } = crowd;
    match habit {
        Habit::Zero | Habit::Stuck if counting < need && judged >= need => Some(format!(
            "only {counting} counted up, and {need} unserved clients must before the partner takes over"
        )),
        Habit::High if n >= need => {
            Some(format!("{need} such clients are enough for a takeover once heartbeats fail"))
        }
        _ => None,
    }
}
