//! The codes of findings, in the order of kea-ha §8.3 where they stem from it.

use super::Entry;

codes! {
    /// Something that an operator should look at.
    FindingCode, "finding",
    TwoAnswers => "two-answers", "Two servers of a relationship answered the same query.",
        "See the verdict both-answered. A note instead of an error says that a server was returning to service just \
         then, which heartbeats show: for about one heartbeat both may serve. As an error it names the cause where the \
         control channel shows it: no heartbeats for longer than max-response-delay (the pair is split: mend the network \
         between the servers), or scopes that were set by hand.";
    UnexpectedAnswer => "unexpected-answer", "A server answered against Kea's rules.",
        "See the verdict wrong-server-answered. Only decisions with a confidence of 0.9 or more are reported.";
    RolesInverted => "roles-inverted", "A load-balancing server answers its partner's clients and none of its own.",
        "Even hashes belong to the primary, odd ones to the secondary. A server that gets it the wrong way round for \
         every client has another peer as primary in its file than its partner, or than the configuration given here. \
         Compare the roles in the peers lists of both files. Reported from twelve clients on, while both answer.";
    UnexpectedSilence => "unexpected-silence", "A server was silent against Kea's rules.",
        "See the verdict owner-silent. The control channel shows the server in a state that serves the query; a silence \
         without such a proof is told by client-unserved and owner-silent-parity. HA lets the query pass, but a pool \
         without free addresses, a class or a reservation may have stopped it, so the confidence is never above 0.85. Not reported for a server of which \
         the captures show no reply at all: they may hold one direction only.";
    OwnerSilentParity => "owner-silent-parity", "One half of a load-balancing pair's clients gets no answer.",
        "Several clients whose hash belongs to one server asked in vain, while its partner answered its own. The server \
         is down and its partner has not taken over yet (that needs max-response-delay of silence between the servers, \
         then more than max-unacked-clients clients that waited longer than max-ack-delay), or it is waiting or \
         synchronising, or its pool for its class is empty, or queries do not reach it. Look at its log and its pools; \
         heartbeats on the control channel tell its state.";
    RequestsUnanswered => "requests-unanswered", "A client's REQUEST for an offered address was never acknowledged.",
        "See the verdict no-ack. Where the partner refused the connection for the lease update the finding says so: the \
         partner is down, and the ACKs come back when the server goes to partner-down.";
    WithheldAck => "withheld-ack", "A partner rejected a lease, and the ACK was withheld.",
        "See the verdict ack-withheld. Most often the partner does not know the subnet: compare the subnets and their \
         ids in both configurations.";
    AckLatencyOfTimeouts => "ack-latency-of-timeouts", "ACKs wait for the partner.",
        "Kea parks an ACK until its partner has stored the lease, so the time from REQUEST to ACK holds a whole \
         round trip to the partner; an OFFER waits for nobody. Kea gives up after ten seconds, and then there is no \
         ACK at all. A slow partner, a slow database or losses on the control channel cause it. After three seconds \
         clients begin to repeat their REQUEST, which makes a warning of the note. An ACK that suddenly waits no more \
         is the mark of communication-recovery or partner-down.";
    NakFromNonOwner => "nak-from-non-owner", "A NAK came from a server that does not own the client.",
        "Kea asks HA before it looks at the address, so a server refuses addresses only of clients that it serves. \
         A NAK from another one means that a spoke hears queries of a subnet which belongs to another relationship \
         (a relay that sends to all servers), that HA is not loaded there, or that the server considers its partner \
         gone. The client loses its address by it. Let the relay send only to the servers of the subnet.";
    ServerIdOwnerDeadlock => "server-id-owner-deadlock", "A REQUEST names a server that does not own it.",
        "The server that the REQUEST names drops it, because by HA its partner owns the client; the partner drops it \
         because it names another server. The client gets no answer and begins again with a DISCOVER. Normal when a \
         server returns to service between OFFER and REQUEST (then it is a note). Otherwise the client changes its \
         identifier between DISCOVER and REQUEST, which gives it another owner: see identity-flip.";
    RenewalUnanswered => "renewal-unanswered", "A renewal got no answer.",
        "A client renews by unicast at the server that granted its lease. HA looks at the owner only, so a server \
         that granted it in its partner's place drops the renewal once the partner is back; at T2 the client asks \
         everybody, and the owner answers. That is normal and a note. It is a warning when rebinding failed as well: \
         the client is about to lose its address. Then look why the owner is silent.";
    ReleaseIgnored => "release-ignored", "A RELEASE went to a server that does not own the client.",
        "The server drops it, as every query of its partner's clients, so the lease stays until it runs out. Normal \
         after a takeover; it matters only where addresses are scarce.";
    TwoLeasesOneClient => "two-leases-one-client", "Two servers gave one client different addresses at the same time.",
        "The second server did not know the lease that the first had given, or could not use it. In a relationship \
         the lease databases differ: split brain, send-lease-updates switched off, both in the terminated state, or \
         a synchronisation that fails. Compare the leases of both servers (lease4-get), then let the one with the \
         worse data synchronise again. Without a common relationship (a warning) the servers know nothing of each \
         other and should not serve the same wire.";
    AddressTwice => "address-twice", "One address was bound to two clients at the same time.",
        "Two ACKs gave the same address to different clients within its lease time. Causes: split brain, pools that \
         both servers hand out (load-balancing needs a pool per HA_ class), leases that were not synchronised.";
    SecsConstantZero => "secs-constant-zero", "Clients ask again and again with secs 0.",
        "A partner takes over when more than max-unacked-clients clients say in secs that they have waited longer than \
         max-ack-delay. A client that keeps secs at 0, or a relay that sets it so, can never be one of them. It is a \
         warning when the other clients were too few for a takeover. Lower max-unacked-clients, or set it to 0 \
         so that the servers decide by heartbeats alone.";
    SecsNotIncreasing => "secs-not-increasing", "Clients do not count up secs while they wait.",
        "Like secs-constant-zero: a value that stands still or begins again with every attempt stays below \
         max-ack-delay, and the client is never counted as unserved.";
    SecsByteSwapped => "secs-byte-swapped", "Clients send secs with its bytes swapped.",
        "The value is a multiple of 256 whose high byte counts the seconds. Kea repairs a value above 255 whose low \
         byte is 0, so these clients count all the same. Other programs will not repair it.";
    SecsMisread => "secs-misread", "Kea takes a genuine secs for a byte-swapped one.",
        "A client that has waited 256, 512, 768 and so on seconds sends a value whose low byte is 0. Kea takes it for \
         a swapped 1, 2, 3, below max-ack-delay. It matters only when the client is not counted already and does \
         not ask again a second later.";
    SecsHighAtStart => "secs-high-at-start", "Clients claim a long wait with their first query.",
        "The first query says in secs that the client has waited longer than max-ack-delay, and the captures show that \
         it has not asked before. Once heartbeats fail Kea counts such a client as unserved at once. It is a warning \
         when there are enough of them to make the partner take over without need. Raise max-unacked-clients.";
    DuplicateClientId => "duplicate-client-id", "Several hardware addresses use one client identifier.",
        "Kea takes them for one client (unless match-client-id is false), so they take the lease from each other, \
         while its failure detection counts each of them. Copied disk images do this; give each machine an identifier of \
         its own. A note when the address changed and did not change back: a new network card, or a laptop that \
         changed from cable to radio.";
    IdentityFlip => "identity-flip", "A hardware address changes its client identifier.",
        "A boot ROM and the operating system often send different identifiers, or one of them none: to Kea these are \
         two clients with two leases, and in load-balancing perhaps with two owners. That is a note. It is a warning \
         when the identifier changed within one transaction and another server became the owner: see \
         server-id-owner-deadlock.";
    NoIdentifierClient => "no-identifier-client", "A client that load-balancing can give to no server.",
        "The query has neither a client identifier nor a hardware address, so there is nothing to hash, and both \
         servers drop it. Kea logs HA_LOAD_BALANCING_IDENTIFIER_MISSING. The client has to send one of the two.";
    RelayAsymmetry => "relay-asymmetry", "A relay treats the two servers of a pair differently.",
        "HA ignores the relay, so both servers must hear every query in the same way. Where one of them hears nothing, \
         half of the clients are unserved in load-balancing, and in hot-standby it can never take over. Where the \
         copies have different origins, the servers select different subnets. Configure both servers as helper \
         addresses of the relay. Five queries in a row to one server are reported, also when both get them again later. \
         Not reported unless the same capture shows traffic of the server left out.";
    ClockSkew => "clock-skew", "The clocks of the servers differ.",
        "Kea warns above 30 s of difference and gives up HA above 60 s: both servers go to the terminated state and \
         stay there until they are restarted. Set the clocks by NTP, then restart. Where only one server's time was \
         captured it is held against the clock of the capture, which may be the wrong one. Of two servers the one is named \
         that is off the capture's clock as well.";
    HeartbeatsStopped => "heartbeats-stopped", "No heartbeats, and both servers go on answering.",
        "The capture goes on, both servers answer clients, and neither asks for the other any more. That is the \
         terminated state: HA is given up after a clock skew above 60 s or too many refused lease updates, each server \
         keeps its own scope and nobody takes over. The log says why (HA_TERMINATED and the lines before it). \
         Remove the cause and restart both servers. It is a warning when the heartbeats came back after more than \
         max-response-delay: the control channel was cut, and both servers may have taken each other for dead.";
    PartnerDownStuck => "partner-down-stuck", "A server is back, and its partner stays in partner-down.",
        "The returning server reports waiting, syncing, ready or in-maintenance for more than five minutes, and no page \
         of leases was fetched in the last one. The synchronisation fails (look for failed lease4-get-page and at the \
         log of the returning server), its state machine is paused (ha-continue), or it is in maintenance, which it \
         leaves only when it is told to or restarted. The pair has no redundancy meanwhile.";
    LeaseConflicts => "lease-conflicts", "A partner refuses lease updates as conflicts.",
        "The partner cannot take the lease: it does not know the subnet id, or the address is not in its subnet. The \
         client gets no ACK. After max-rejected-lease-updates clients within a day (10 by default) the server gives up \
         HA and goes to the terminated state. Compare the subnets and their ids in both files.";
    LoadSkew => "load-skew", "The clients of a load-balancing pair are shared unevenly.",
        "The hash shares diverse identifiers evenly. Distinct clients are counted, not messages, and a split is \
         reported when a fair hash would show one so uneven in fewer than one of a thousand pairs (Hoeffding's bound \
         for the binomial distribution). As a warning one half asks and is not answered; as a note the clients that ask \
         are uneven themselves, which the pair can do nothing about.";
    UnknownServer => "unknown-server", "A server answered that the topology does not know.",
        "It may be an address that the topology does not list, or a server that should not be there.";
    ContradictedServerId => "contradicted-server-id", "Option 54 names another machine than the one that sent the reply.",
        "The reply left the machine with this source address, but its server identifier belongs to another known \
         machine. A copied configuration does this, a rogue server too.";
    ClientUnserved => "client-unserved", "A client asked and nobody answered.",
        "See the verdict of its exchange (owner-down, owner-silent, nobody-listens or no-answer) and its proof card: \
         dorascope explain ... --client MAC. Four clients and more with one reason are one finding. A note instead of a warning says that the captures show no reply of the \
         server in this zone at all, so they may hold one direction only.";
    MalformedMessage => "malformed-message", "DHCP messages with something wrong in them.",
        "The column anomalies of the messages table says what and where.";
    ControlChannelDamage => "control-channel-damage", "Something on the control channel could not be read as it should.",
        "Bytes of a connection are missing in the capture, copies of them differ, or a message is no HTTP and JSON as \
         Kea writes it. What could be read was read. tcp-bytes-missing is a matter of the capture (lost frames, a short \
         snap length, a capture that begins in mid-stream); the others are worth a look at who talks to the control port.";
    LogContradictsDecision => "log-contradicts-decision", "A server's log says otherwise than Kea's rules let expect.",
        "The log given with --log tells what the server did with this very query, and the state that the packets show \
         lets expect something else. The server changed its state in between, or its scopes were set by hand \
         (ha-scopes), or the configuration given here is not the one it runs with. The decision's confidence is lowered.";
    LogContradictsPackets => "log-contradicts-packets", "A server's log and the capture do not show the same messages.",
        "The log says that a reply was sent and the capture of that wire does not have it: it was lost on the host \
         (a full queue, a firewall, checksum offload) or in the capture. Or a captured reply of this server is not in \
         its log: the log is incomplete, or somebody else used its address. Lines and frames lie within a second.";
    LogClockOffset => "log-clock-offset", "A log was moved to the captures' clock, or could not be.",
        "Log lines have the local time of their machine. The offset is the median of capture time minus log time over \
         the lines that name a captured message (client, transaction, type); three lines must agree. A time zone shows \
         as whole quarters of an hour; anything else is a clock that is wrong, or a capture clock. With fewer lines \
         the log's time is taken as UTC, and what needs an exact time is left alone.";
    LogNotUsed => "log-not-used", "A log does not belong to these captures.",
        "No line of the log names a message of the captures although some should, or its times are days away, or it \
         has none. Give the log of the same run. What HA drops is logged from debug level 40 on.";
    LeaseFileContradictsAck => "lease-file-contradicts-ack", "A server's lease file does not have what it acknowledged.",
        "The last captured ACK for the address gave it to a client whose lease still runs, and the file of the server \
         that sent it holds no lease, another client or another end. The file is of another time or server, it was \
         edited or restored, or lease updates of the partner have overwritten the binding.";
    LeaseFileUnknownLease => "lease-file-unknown-lease", "A lease file has a lease that no captured ACK gave.",
        "While the wire was captured the server stored a lease there for a client to whom no captured ACK gave it. The \
         ACK was withheld (see ack-withheld), or the capture missed it.";
    LeaseFilesDiffer => "lease-files-differ", "The lease files of two partners disagree on a binding.",
        "Both servers of a relationship keep every lease. One of them has another client, another end, or nothing: \
         lease updates failed or were refused, or the servers were never synchronised. After a failover the client \
         may be refused, or its address be given away.";
}
