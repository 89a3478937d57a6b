//! What clients say about themselves (kea-ha §1.4, §8.3 no. 15 to 17).

mod flips;
mod shared;

use self::flips::Flips;
use self::shared::Shared;
use super::list::{About, Findings, Severity};
use super::view::{Case, View};
use crate::dhcp::MessageType;
use crate::exchange::Observed;
use crate::ha::catalogue::{FindingCode, Rule};
use crate::units::MessageId;

/// What is remembered of identities.
#[derive(Clone, Debug, Default)]
pub(super) struct Identities {
    shared: Shared,
    flips: Flips,
}

impl Identities {
    /// Looks at the queries in which a client asks for an address, each once.
    pub(super) fn message(&mut self, view: &View<'_>, message: &Observed) {
        if message.sighting_of.is_none()
            && matches!(message.message_type, Some(MessageType::DISCOVER | MessageType::REQUEST))
            && !message.chaddr.is_empty()
        {
            self.shared.query(view, message);
            self.flips.query(view, message);
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        self.shared.finish(findings);
        self.flips.finish(view, findings);
    }
}

/// Clients that a load-balancing pair cannot tell an owner for: both servers drop them.
pub(super) fn nobody(view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
    let mut last: Option<MessageId> = None;
    for decision in case.decisions {
        // Both servers have a decision about the query; it counts once.
        if decision.rule != Rule::NoIdentifier || last == Some(decision.query) {
            continue;
        }
        last = Some(decision.query);
        let query = view.message(decision.query);
        let about = About::new(FindingCode::NoIdentifierClient, Severity::Warning).zone(query.zone);
        findings.add(about, query.time, query.at, || {
            let name = decision
                .relationship
                .map_or_else(String::new, |id| view.analysis.network.topology.relationship_name(id));
            format!(
                "a {} without hardware address and client identifier: neither server of {name} answers it",
                query.type_name()
            )
        });
    }
}
