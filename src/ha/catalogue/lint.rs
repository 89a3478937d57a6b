//! What can be wrong in the configuration files of a pair.

use super::Entry;
use crate::ha::severity::Severity;

codes! {
    /// Something in Kea's configuration files that an operator should look at.
    LintCode, "lint",
    ConfigurationRefused => "configuration-refused", "Kea does not load this file.",
        "The line breaks a rule of Kea's own: JSON that is not closed, a value of the wrong kind, a mode without its \
         roles (hot-standby needs a primary and a standby, load-balancing a primary and a secondary), a hub that is not \
         hot-standby, delayed-updates-limit outside load-balancing, wait-backup-ack outside passive-backup, a peer name \
         that stands twice. Kea would start without this server or not at all. The file takes no part in the other \
         checks until it is repaired.";
    MisspeltKey => "misspelt-key", "Kea passes over a key that looks misspelt.",
        "The HA library ignores keys that it does not know and says nothing, so the default stays in force. Correct the \
         spelling; Kea's keys have hyphens.";
    ModeDiffers => "mode-differs", "The two files give the relationship different modes.",
        "Each server works by the mode of its own file. Partners of different modes find the other's state impossible, \
         and either both answer a client or none does. Make the relationship equal in both files, but for \
         this-server-name.";
    PeerNamesDiffer => "peer-names-differ", "The two files call the peers differently.",
        "Scopes, heartbeats and lease updates name peers. A name that the partner does not know is refused, so the pair \
         does not share its work. Use the same peer names in both files; a hub has another name in each of its \
         relationships, and that name must stand in the spoke's file too.";
    RoleDiffers => "role-differs", "The two files give a peer different roles.",
        "Who owns a client follows from the roles. With inverted roles both servers think that a client is theirs, or \
         both leave it to the other. A peer has one role, the same in every file.";
    UrlDiffers => "url-differs", "The two files give a peer different URLs.",
        "A server listens at the URL of its own entry, and its partner talks to the URL of its own file. When they \
         differ, heartbeats and lease updates go nowhere, and both servers end in partner-down: both answer everything.";
    LimitsDiffer => "limits-differ", "The two files set different times or limits.",
        "Each server works by the values of its own file, so one takes over earlier than the other, or one sends lease \
         updates that the other does not. Kea's manual wants the parameters of both partners equal.";
    ThisServerNameTwice => "this-server-name-twice", "Two machines claim the same this-server-name.",
        "The files of a pair are equal but for this-server-name; one was copied without changing it. Both servers take \
         the same role, and the other peer does not exist.";
    RelationshipOneSided => "relationship-one-sided", "The partner's file does not have the relationship.",
        "One server sends heartbeats to a machine that knows nothing of the pair. It waits for the partner, takes it \
         for dead and serves alone, while the other answers the same clients without HA. Add the relationship to the \
         partner's file.";
    FileNotGiven => "file-not-given", "A file that belongs to the pair was not given.",
        "Nothing about the partner, or about who listens for it, could be compared. Give the file with NAME=FILE, or \
         name it in the topology file.";
    HeartbeatTooSlow => "heartbeat-too-slow", "Heartbeats are no more frequent than the time after which silence alarms.",
        "Communication counts as interrupted when the last successful heartbeat is older than max-response-delay. With \
         a heartbeat-delay that is not below it, every pause between two heartbeats looks like a failure. Keep \
         heartbeat-delay well below max-response-delay; Kea's defaults are 10000 and 60000.";
    HeartbeatOff => "heartbeat-off", "No heartbeats are sent.",
        "With heartbeat-delay 0 the server notices a dead partner only by lease updates that fail, and a partner that \
         waits to become ready is never seen. Set it to some seconds.";
    DelayTooLong => "delay-too-long", "A delay is longer than Kea before 3.3 takes.",
        "heartbeat-delay, max-response-delay and max-ack-delay above 65535 ms are refused before Kea 3.3.0, and the \
         server does not start with HA. Choose a smaller value, or be sure of the version.";
    TakeoverAtOnce => "takeover-at-once", "The partner is taken for dead without any unserved client.",
        "With max-unacked-clients 0 a server goes to partner-down as soon as the control channel is interrupted for \
         max-response-delay. When only the network between the servers fails, both answer everything. A few clients \
         as proof protect against that; the default is 10.";
    TakeoverUnlikely => "takeover-unlikely", "So many clients are hardly ever unserved.",
        "Before a takeover more than max-unacked-clients clients must have waited longer than max-ack-delay. Where the \
         pools are not larger than the number, or where the delay is longer than clients keep trying (about a minute, \
         RFC 2131 §4.1), the partner never takes over. Lower the value.";
    LeasesNotShared => "leases-not-shared", "Only one half of the lease exchange is on.",
        "send-lease-updates and sync-leases belong together: both on for databases of their own, both off for one \
         database that the servers share. With one of them off the databases drift apart \
         (HA_CONFIG_LEASE_UPDATES_AND_SYNCING_DIFFER).";
    LeaseCommandsMissing => "lease-commands-missing", "libdhcp_ha.so is loaded without libdhcp_lease_cmds.so.",
        "The partner's lease updates and synchronisation are commands of that library. Kea starts without it and \
         answers each of them with an error, so the partner withholds its ACKs. Add the library to hooks-libraries.";
    MultiThreadingOff => "multi-threading-off", "HA asks for multi-threading that the server has switched off.",
        "HA's threads and its dedicated listener need multi-threading.enable-multi-threading of the server itself. \
         Kea switches them off without it (HA_CONFIG_DHCP_MT_DISABLED), and the Control Agent or an HTTP control \
         socket must listen at the peer's URL.";
    SubnetMissing => "subnet-missing", "The partner does not have the subnet.",
        "A partner refuses leases of a subnet that it does not know (result 4, conflict), and the server that asked \
         withholds its ACK: DISCOVER, OFFER, REQUEST, REQUEST, nothing. After max-rejected-lease-updates such clients \
         the HA service terminates. Both partners need every subnet of the relationship, also one where the partner \
         has no interface.";
    SubnetIdDiffers => "subnet-id-differs", "The two files number a subnet differently.",
        "Lease updates name the subnet by its id. Where the id means another subnet at the partner, or none, it refuses \
         the lease (result 4, conflict) and the ACK is withheld. Give the subnet the same id in both files.";
    SubnetIdMissing => "subnet-id-missing", "The subnet has no id.",
        "Kea before 2.6 numbers such subnets in file order, so that a subnet removed above changes the ids below it, and \
         leases and partner no longer agree. Kea 2.6 and later refuse the file. Write the id that leases have now.";
    SubnetRelationshipDiffers => "subnet-relationship-differs", "The partner has the subnet in another relationship.",
        "On a hub ha-server-name decides to which relationship a subnet belongs. The spoke serves the subnet with one \
         partner and the hub with another, so nobody, or both, answer. Correct ha-server-name on the hub.";
    SubnetUnrelated => "subnet-unrelated", "A subnet of a hub names no relationship.",
        "A hub drops every query for a subnet without user-context.ha-server-name, or with a name that is no peer \
         (HA_SUBNET4_SELECT_NO_RELATIONSHIP_SELECTOR_FOR_SUBNET), also for zones that have no partner. Name a peer of \
         the relationship that should decide.";
    PoolsDiffer => "pools-differ", "The two files give a subnet different pools.",
        "The partner stores leases from anywhere in the subnet, so nothing fails at first. After a takeover it hands out \
         other addresses, and an address that only one of them counts as its own may be in use elsewhere. Make the \
         pools equal.";
    PoolRefused => "pool-refused", "Kea refuses the pool, and with it the file.",
        "A pool is FIRST - LAST or a prefix, lies inside its subnet and overlaps no other pool of it.";
    PoolsNotSplit => "pools-not-split", "Both load-balancing servers give addresses from one pool.",
        "Each server owns half of the clients, but here both choose from the same free addresses. Under load they offer \
         one address to two clients, and the second lease is refused. Split the pool, and keep each part for one server \
         with the client class HA_ and its peer name.";
    PeerWithoutPool => "peer-without-pool", "One load-balancing server has no pool for its clients.",
        "All pools of the subnet are kept for the clients of the other server. Half of the clients get no address. Add a \
         pool with the class HA_ and the missing peer name.";
    ClassOfNoPeer => "class-of-no-peer", "A class HA_ names nobody who owns clients.",
        "Kea gives a query the class HA_ with the name of the peer that owns it: primary or secondary in load-balancing, \
         the primary otherwise. A pool or subnet for another name is never used. Class names are as exact as peer \
         names; Kea does not check them.";
    PortCollision => "port-collision", "Two services of one machine listen at the same address and port.",
        "The dedicated HA listener of each relationship, the Control Agent and the HTTP control socket are separate \
         listeners; 0.0.0.0 takes the port on every address. The one that starts second fails, which is Kea without HA \
         or an agent that does not run. Give each its own port. Before Kea 2.4 the dedicated listener was off unless the \
         file asked for it, and the agent had to have the URL.";
    UrlWithoutPort => "url-without-port", "A peer's URL has no port.",
        "Kea implies none: it uses port 0, where nobody can connect. Write it, such as http://192.168.42.4:8001/.";
    UrlUnserved => "url-unserved", "Nobody listens at the server's own URL.",
        "The partner sends heartbeats and lease updates to the URL. The dedicated listener is off, and neither the \
         Control Agent nor an HTTP control socket of this machine listens there, so each takes the other for dead. \
         Correct http-host and http-port, or switch the dedicated listener on.";
    UrlNotOwn => "url-not-own", "The server's own URL has an address that the machine does not have.",
        "The dedicated listener opens the address of the server's own entry and fails where the machine lacks it. The \
         topology file lists other addresses for this machine; one of the two is wrong.";
    OpenControlSocket => "open-control-socket", "Anybody on the network may give commands to this server.",
        "The socket listens on every interface and asks neither for a password nor for a certificate. Whoever reaches \
         it, DHCP clients included, can read and delete leases, change the configuration and stop the server. Let it \
         listen on one address, and set authentication.";
    PasswordInClear => "password-in-clear", "A password travels readable over the control channel.",
        "Basic authentication without TLS is base64 only, and every heartbeat carries it. Set trust-anchor, cert-file \
         and key-file, or keep the control channel on a wire of its own.";
    AgentSocketDiffers => "agent-socket-differs", "The Control Agent does not reach the DHCP server.",
        "The agent hands commands on through the UNIX socket in control-sockets.dhcp4, which must be the one in the \
         server's control-socket. Without it commands, and heartbeats where the agent takes them, end in an error.";
}

impl LintCode {
    /// How much it matters.
    pub const fn severity(self) -> Severity {
        match self {
            Self::FileNotGiven | Self::PasswordInClear => Severity::Note,
            Self::MisspeltKey
            | Self::LimitsDiffer
            | Self::HeartbeatTooSlow
            | Self::HeartbeatOff
            | Self::DelayTooLong
            | Self::TakeoverAtOnce
            | Self::TakeoverUnlikely
            | Self::LeasesNotShared
            | Self::MultiThreadingOff
            | Self::SubnetIdMissing
            | Self::PoolsDiffer
            | Self::PoolsNotSplit
            | Self::UrlNotOwn
            | Self::OpenControlSocket
            | Self::AgentSocketDiffers => Severity::Warning,
            Self::ConfigurationRefused
            | Self::ModeDiffers
            | Self::PeerNamesDiffer
            | Self::RoleDiffers
            | Self::UrlDiffers
            | Self::ThisServerNameTwice
            | Self::RelationshipOneSided
            | Self::LeaseCommandsMissing
            | Self::SubnetMissing
            | Self::SubnetIdDiffers
            | Self::SubnetRelationshipDiffers
            | Self::SubnetUnrelated
            | Self::PoolRefused
            | Self::PeerWithoutPool
            | Self::ClassOfNoPeer
            | Self::PortCollision
            | Self::UrlWithoutPort
            | Self::UrlUnserved => Severity::Error,
        }
    }
}
