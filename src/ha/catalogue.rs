//! Every rule, verdict, finding, anomaly and lint code with its meaning. `dorascope explain
//! CODE` prints an entry; the codes are part of the tables' contract.

/// One catalogue entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stable kebab-case code.
    pub code: &'static str,
    /// What kind of code it is: `rule`, `verdict`, `finding`, `anomaly` or `lint`.
    pub kind: &'static str,
    /// One line.
    pub title: &'static str,
    /// The operator's paragraph: what it means, what Kea does, what to look at.
    pub text: &'static str,
}

macro_rules! codes {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $($variant:ident => $code:literal, $title:literal, $text:literal;)+) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $title] $variant,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its catalogue entry.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry { code: $code, kind: $kind, title: $title, text: $text },)+
                }
            }

            /// Its stable code.
            pub const fn code(self) -> &'static str {
                self.entry().code
            }
        }
    };
}

codes! {
    /// Why a server answers a query or not: the rule that decides.
    Rule, "rule",
    OwnScope => "own-scope", "It owns the query and serves its own scope.",
        "The query belongs to this server: it is the primary (hot-standby, passive-backup), or the parity of the \
         query's RFC 3074 hash names it (load-balancing). Its state serves that scope, so it answers.";
    FailoverScope => "failover-scope", "It serves its partner's scope too.",
        "The query belongs to the partner, but this server is in partner-down or partner-in-maintenance (or was told \
         so by ha-scopes) and answers for both. Its partner should be silent meanwhile; if it is not, the pair is split.";
    NoHa => "no-ha", "It has no High Availability configuration.",
        "The server's configuration holds no HA relationship, so it answers every query for which it has a subnet.";
    TypeNotFiltered => "type-not-filtered", "HA does not filter this message type.",
        "HA looks at DISCOVER, REQUEST, DECLINE, RELEASE and INFORM only (on a hub at DISCOVER, REQUEST and INFORM). \
         Every enabled server of a pair processes other types.";
    ScopeNotServed => "scope-not-served", "The query belongs to its partner, whose scope it does not serve.",
        "The server received the query, found that its partner owns it, and dropped it: as a standby in hot-standby, \
         or as the peer with the other hash parity in load-balancing. Kea logs HA_BUFFER4_RECEIVE_NOT_FOR_US, on a hub \
         HA_SUBNET4_SELECT_NOT_FOR_US, at debug level 40 only. This is the normal silence of a healthy pair.";
    ServiceDisabled => "service-disabled", "Its DHCP service is switched off in this state.",
        "In waiting, syncing, ready, in-maintenance and backup Kea switches the DHCP service off and drops every query \
         before HA sees it (DHCP4_PACKET_DROP_0008). While one partner synchronises, both are silent.";
    ForeignServerId => "foreign-server-id", "Option 54 names another server.",
        "The client selected another server's offer. A server that reads another server's identifier drops the message \
         (DHCP4_PACKET_DROP_0003). On a hub this check comes before HA, on other servers after it.";
    NoSubnet => "no-subnet", "It has no subnet for the query.",
        "Neither relay address, client address nor receiving interface selects one of the server's subnets, so it has \
         nothing to offer. A REQUEST may be answered with a NAK instead.";
    NoRelationshipForSubnet => "no-relationship-for-subnet", "The hub's subnet names no relationship.",
        "On a hub every subnet needs user-context.ha-server-name with a peer name of one of its relationships. Without \
         it Kea drops every query for the subnet and logs HA_SUBNET4_SELECT_NO_RELATIONSHIP_SELECTOR_FOR_SUBNET.";
    NoIdentifier => "no-identifier", "Neither option 61 nor a hardware address: nobody owns the query.",
        "Load-balancing has nothing to hash, so both peers drop the query (HA_LOAD_BALANCING_IDENTIFIER_MISSING).";
    LeaseUpdateRejected => "lease-update-rejected", "Its partner refused the lease, so it sends no ACK.",
        "Before a server acknowledges, its partner must store the lease. The partner answered the lease4-update with an \
         error; result 4 is a conflict, most often a subnet that the partner does not know. Kea drops the prepared ACK. \
         Compare the subnets and their ids in the two configurations.";
    LeaseUpdateFailed => "lease-update-failed", "Its partner could not be reached, so it sends no ACK.",
        "Before a server acknowledges, its partner must store the lease. The connection to the partner was refused or \
         stayed unanswered, so the update fails after ten seconds at most and Kea drops the prepared ACK. In hot-standby \
         this goes on until the server is in partner-down (max-response-delay); in load-balancing communication-recovery \
         ends it at once, unless delayed-updates-limit is 0.";
    NotServing => "not-serving", "It served nobody at that time, for a reason that nothing shows.",
        "The query is this server's, and other clients around that time got no answer from it either, although the \
         captures show its answers at other times. It may have been down, waiting, syncing or in maintenance: heartbeats \
         on the control channel would tell, and so would its log (--log).";
    ServerDown => "server-down", "It was not running.",
        "Connections to its control port were refused around that time: the machine is up and Kea is not. It could \
         neither hear nor answer.";
    StateUnknown => "state-unknown", "Its HA state at that time is not known.",
        "It answered nothing around that time although it should have. It may have been down, waiting, syncing or in \
         maintenance, or the query did not reach it; nothing in the captures decides which. Heartbeats on the control \
         channel would: capture the control ports too.";
    RelationshipUnknown => "relationship-unknown", "It is not known to which relationship the query belongs.",
        "The server takes part in several relationships, and its own configuration or its subnet is missing. Give its \
         kea-dhcp4.conf with --kea.";
    NoConfiguration => "no-configuration", "Nothing is known about its configuration.",
        "Without Kea's configuration or a topology nobody can tell what this server should do. Give its kea-dhcp4.conf \
         with --kea NAME=FILE, or a topology with -t.";
    NoReplyExpected => "no-reply-expected", "It takes the message without a reply.",
        "RELEASE and DECLINE have no answer (RFC 2131 §4.3.3, §4.3.4), so silence says nothing about what the server did.";
}

codes! {
    /// What became of an exchange, and whether the rules expect it.
    Verdict, "verdict",
    OwnerAnswered => "owner-answered", "The server that owns the query answered.",
        "As Kea's rules expect: the owner answered and its partner, if it heard the query, stayed silent.";
    PartnerTookOver => "partner-took-over", "The partner answered in the owner's place.",
        "The owner was gone long enough, enough clients were unserved (or an administrator said so), and the partner \
         answers for both scopes. Expected after a failure; unexpected while the owner works.";
    AnsweredWithoutHa => "answered-without-ha", "A server without HA answered.",
        "The answering server has no HA relationship for this subnet. Any server with the subnet may answer.";
    AnsweredUnexplained => "answered-unexplained", "Answered; whether the right server did is not known.",
        "A server answered, but nothing is known about its configuration or its relationship, so there is no rule to \
         compare with. Give Kea's configurations with --kea, or a topology with -t.";
    WrongServerAnswered => "wrong-server-answered", "A server answered that should have been silent.",
        "Kea's rules, with the state that the evidence shows, expect this server to ignore the query. Causes: the state \
         is another than the evidence says, roles are swapped in one file, ha-scopes was used, the HA hook is not loaded.";
    BothAnswered => "both-answered", "Both servers of a pair answered one query.",
        "In a pair whose servers know of each other no two states allow this. Causes: the control channel is cut and \
         both are in partner-down (split brain), a server without the HA hook, scopes set by hand. For a few seconds \
         around a fail-back it can happen. Compare the states on the card with the heartbeats before it.";
    AckWithheld => "ack-withheld", "The ACK was withheld because the partner refused the lease.",
        "DISCOVER, OFFER, REQUEST, REQUEST, nothing: the server asked its partner to store the lease, the partner \
         refused, and the prepared ACK was dropped. The reason is visible in the control channel only. Compare the \
         subnets and their ids in the configurations of both partners.";
    NoAck => "no-ack", "An address was offered, requested and never acknowledged.",
        "The client's REQUEST went unanswered. In a pair the usual cause is a lease update to the partner that fails or \
         is rejected: capture the control ports to see it. The offering server may also have died in between.";
    OwnerDown => "owner-down", "Nobody answered: the owner was down and its partner had not taken over.",
        "The partner takes over only when the control channel has been silent for longer than max-response-delay, more \
         than max-unacked-clients clients were unserved for longer than max-ack-delay, and the next heartbeat failed.";
    OwnerSilent => "owner-silent", "Nobody answered, although the owner should have.",
        "The owner of the query could hear it and its state serves it. Causes: no free address, a class or a reservation \
         that excludes the client, a full queue, a query that did not reach the server.";
    NobodyListens => "nobody-listens", "Nobody answered, and no known server hears this zone.",
        "No server with an interface in this zone is known to have run at that time.";
    NoAnswer => "no-answer", "Nobody answered; why is not known.",
        "No server answered the query, and what is known about the servers does not explain it.";
    OfferNotTaken => "offer-not-taken", "An address was offered and the client did not ask for it.",
        "The client took another offer outside this capture, gave up, or only probed for servers.";
    Refused => "refused", "The server refused the address (NAK).",
        "The client asked for an address that is not right for it here: it moved, the lease went to somebody else, or \
         the server that remembers it is another one.";
    Informed => "informed", "The client got its parameters; no lease was involved.",
        "An INFORM (or another query without a lease) was answered.";
    Released => "released", "The client gave its lease back.",
        "A RELEASE has no answer. A server that does not own the client ignores it, and the lease lingers there.";
    Declined => "declined", "The client found its address in use.",
        "A DECLINE has no answer; Kea takes the address out of use for decline-probation-period.";
}

mod findings;

pub use findings::FindingCode;

mod lint;

pub use lint::LintCode;

/// The kinds of code in the order in which a reader meets them, and what each kind says.
pub const KINDS: [(&str, &str); 5] = [
    ("finding", "What an operator should look at, in the findings table."),
    ("verdict", "What became of an exchange, and whether Kea's rules expect it."),
    ("rule", "Why a server answers a query or not."),
    ("anomaly", "What is odd about a DHCP message, in the column anomalies."),
    ("lint", "What is wrong in the servers' configuration files: dorascope topology lint."),
];

/// The entry with this code, of whatever kind; a finding or verdict wins over nothing else, codes are unique.
pub fn find(code: &str) -> Option<Entry> {
    entries().find(|entry| entry.code == code)
}

/// Every entry.
pub fn entries() -> impl Iterator<Item = Entry> {
    let anomalies = crate::dhcp::AnomalyKind::ALL.iter().map(|kind| Entry {
        code: kind.code(),
        kind: "anomaly",
        title: kind.meaning(),
        text: kind.advice(),
    });
    let rules = Rule::ALL.iter().map(|rule| rule.entry());
    let verdicts = Verdict::ALL.iter().map(|verdict| verdict.entry());
    let findings = FindingCode::ALL.iter().map(|finding| finding.entry());
    let lints = LintCode::ALL.iter().map(|lint| lint.entry());
    rules.chain(verdicts).chain(findings).chain(anomalies).chain(lints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut seen = HashSet::new();
        for entry in entries() {
            assert!(seen.insert(entry.code), "{} twice", entry.code);
            assert!(entry.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            assert!(entry.title.ends_with('.'), "{}", entry.code);
            assert!(entry.text.len() > 10 && entry.text.ends_with('.'), "{} says nothing", entry.code);
        }
        for entry in entries() {
            assert!(KINDS.iter().any(|(kind, _)| *kind == entry.kind), "{}", entry.kind);
        }
        assert_eq!(find("scope-not-served").map(|entry| entry.kind), Some("rule"));
        assert_eq!(find("nonsense"), None);
    }
}
