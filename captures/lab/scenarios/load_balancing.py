"""A load-balancing pair: who owns which client, and what a dead partner changes."""

import pair
from clients import Dhclient, Udhcpc
from craft import message
from pair import HARAN, ZERB1, ZERB2
from scenarios.scenario import Scenario

# More than twice max-unacked-clients: about half of them belong to the dead partner.
CROWD = 32

BEZ1, BEZ2, BEZ3, BEZ4, BEZ5, BEZ6 = pair.laboratory("load-balancing", named=6).clients


def other(server):
    return ZERB2 if server is ZERB1 else ZERB1


def identity(client):
    """What a load client says in option 61: its MAC, nothing, a name, or an identifier as RFC 4361 makes it."""
    name = client.name.encode().hex()
    choices = ((), ("-C",), ("-x", f"0x3d:00{name}"), (), ("-C",), ("-x", f"0x3d:ff0000{client.load:04x}00020000ab11{name}"))
    return {"more": choices[client.load % len(choices)]}


def load_balancing(lab):
    lab.settle()
    staying = [
        lab.start_client(Udhcpc, BEZ1, once=False),
        lab.start_client(Udhcpc, BEZ2, once=False, more=("-C",)),
        lab.start_client(Udhcpc, BEZ3, once=False, more=("-x", f"0x3d:00{BEZ3.name.encode().hex()}")),
    ]
    leaving = [
        lab.start_client(Dhclient, BEZ4),
        lab.start_client(Dhclient, BEZ5, settings=f'send dhcp-client-identifier "{BEZ5.name}";'),
        lab.start_client(Dhclient, BEZ6, settings="send dhcp-client-identifier = hardware;"),
    ]
    for client in staying:
        client.wait_for("bound")
    for client in leaving:
        client.wait_for("BOUND")
    owners = {client.client: lab.served_by(client) for client in (*staying, *leaving)}

    crowd = lab.crowd(lab.laboratory.load, 0.1, identity)
    lab.wait_for_leases(crowd, ZERB1, ZERB2)

    lab.note("haranbez1, haranbez2 and haranbez3 renew by unicast")
    for client in staying:
        lab.renewed(client, owners[client.client])
    lab.note("haranbez4 and haranbez5 release their leases by unicast and come back")
    for client in leaving[:2]:
        client.release()
        again = lab.start_client(
            Dhclient, client.client, settings="" if client is leaving[0] else f'send dhcp-client-identifier "{BEZ5.name}";'
        )
        again.wait_for("BOUND")
        lab.served(again, owners[client.client])

    wrong = other(owners[BEZ2])
    lab.note(f"haranbez2 releases its lease by unicast to {wrong.name}, which does not own it")
    silent = lab.log(wrong).count("HA_BUFFER4_RECEIVE_NOT_FOR_US")
    lab.craft(BEZ2, message(
        "RELEASE", BEZ2.mac, lab.xid(), address=staying[1].address(), server=(wrong.mac(HARAN), wrong.address(HARAN)),
    ))
    lab.wait_for_log(wrong, "HA_BUFFER4_RECEIVE_NOT_FOR_US", silent + 1)
    lab.note("haranbez1 asks all servers for its parameters (INFORM)")
    identifier = "01" + BEZ1.mac.replace(":", "")
    lab.craft(BEZ1, message("INFORM", BEZ1.mac, lab.xid(), client_id=identifier, address=staying[0].address()))
    lab.wait_for_log(owners[BEZ1], "INFORM", 1)
    lab.note("a client without hardware address and client identifier asks: there is nothing to hash")
    lab.craft(BEZ1, message("DISCOVER", BEZ1.mac, lab.xid(), hlen=0))
    for server in (ZERB1, ZERB2):
        lab.wait_for_log(server, "HA_LOAD_BALANCING_IDENTIFIER_MISSING", 1)


def load_balancing_killed(lab):
    lab.settle()
    staying = [lab.start_client(Udhcpc, client, once=False) for client in lab.laboratory.clients]
    for client in staying:
        client.wait_for("bound")
    owners = [lab.served_by(client) for client in staying]
    orphan = staying[owners.index(ZERB1)]
    lucky = staying[owners.index(ZERB2)]

    lab.kill(ZERB1)
    lab.wait_for_state(ZERB2, "communication-recovery")
    lab.note(f"{lucky.client.name} renews by unicast; no lease update is waited for")
    lab.renewed(lucky, ZERB2)
    crowd = lab.crowd(lab.laboratory.load, 0.2, identity)
    lab.wait_for_state(ZERB2, "partner-down")
    lab.wait_for_leases(crowd, ZERB2)
    orphan.stop()
    orphan = lab.start_client(Udhcpc, orphan.client, once=False)
    orphan.wait_for("bound")
    lab.served(orphan, ZERB2)

    lab.bring_back(ZERB1)
    lab.settle()
    lab.note(f"{orphan.client.name} renews by unicast with haranzerb2, which gave the lease and is not the owner any more")
    silent = lab.log(ZERB2).count("HA_BUFFER4_RECEIVE_NOT_FOR_US")
    lab.renewed(orphan, ZERB1)
    lab.wait_for_log(ZERB2, "HA_BUFFER4_RECEIVE_NOT_FOR_US", silent + 2)
    lab.note(f"{lucky.client.name} renews by unicast with its owner")
    lab.renewed(lucky, ZERB2)


SCENARIOS = (
    Scenario(
        "load-balancing",
        "A load-balancing pair, both on",
        pair.laboratory("load-balancing", named=6, load=42),
        load_balancing,
        proves=(
            "Each client is answered by the server that owns its hash, whether it sends option 61 as its MAC, as a name, as"
            " RFC 4361 says, or not at all; the other server hears the same broadcasts and stays silent.",
            "The pools are split by Kea's `HA_` classes, so the address shows whose client it is.",
            "A renewal by unicast goes to the owner and is answered. A RELEASE to the other server is ignored by it,"
            " though it is addressed to it, and the lease stays.",
            "An INFORM is filtered by HA like the rest: only the owner answers.",
            "A client without hardware address and client identifier has no owner: both drop it.",
        ),
        does_not=("It shows no failure.",),
    ),
    Scenario(
        "load-balancing-killed",
        "A load-balancing pair, one is killed and returns",
        pair.laboratory("load-balancing", named=6, load=CROWD),
        load_balancing_killed,
        proves=(
            "The first failed heartbeat takes haranzerb2 to communication-recovery: it goes on with its own clients, without"
            " waiting for lease updates, and leaves those of haranzerb1 alone.",
            "Only clients of haranzerb1 are counted as unacked; after more than ten of them haranzerb2 goes to partner-down at"
            " the end of its next failing heartbeat and serves everybody.",
            "After the return each serves its own half again. A client that renews by unicast with haranzerb2, which gave"
            " its lease, is ignored there, and its broadcast is answered by haranzerb1.",
        ),
        does_not=("The kill leaves the machine's network up, so connections are refused at once.",),
    ),
)
