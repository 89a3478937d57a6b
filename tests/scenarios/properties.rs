//! What must hold for every capture, whatever is in it.

use std::collections::HashMap;

use dorascope::pipeline::Analysis;
use dorascope::units::MessageId;

/// Every message stands in exactly one exchange, and names that exchange.
pub fn every_message_has_one_exchange(analysis: &Analysis<'_>) {
    let mut seen: HashMap<MessageId, u32> = HashMap::new();
    for exchange in &analysis.exchanges {
        for id in exchange.queries.iter().chain(&exchange.replies).flat_map(|step| step.sightings()) {
            *seen.entry(id).or_default() += 1;
            assert_eq!(analysis.message(id).exchange, Some(exchange.id));
        }
    }
    assert_eq!(seen.len(), analysis.messages.len(), "a message is in no exchange");
    assert!(seen.values().all(|count| *count == 1), "a message is in two exchanges");
}
