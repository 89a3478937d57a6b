"""Troubles of a pair: boxes with two identities, clocks that differ, a cut between servers that both serve."""

import pair
from craft import message
from pair import HARAN, ZERB1, ZERB2
from scenarios.load_balancing import identity, other
from scenarios.scenario import Scenario

CROWD = 13

PXE = ("-V", "PXEClient:Arch:00007:UNDI:003016")


def own_identifier(client):
    """01 and the MAC, as most systems say it."""
    return "01" + client.mac.replace(":", "")


def boot_identifier(client):
    """00 and a UUID, as boot ROMs say it."""
    return "00" + "564d" * 5 + client.mac.replace(":", "")


def identity_flip(lab):
    lab.settle()
    flipped = []
    for client in lab.laboratory.clients:
        lab.note(f"the boot ROM of {client.name}: no client identifier")
        rom = lab.ask_anybody(client, more=("-C", *PXE))
        lab.note(f"another ROM on {client.name}: option 61 is 00 and a UUID")
        lab.ask_anybody(client, more=("-x", f"0x3d:{boot_identifier(client)}", *PXE))
        lab.note(f"the system on {client.name}: option 61 is 01 and the MAC")
        system = lab.ask_anybody(client)
        if rom is not system:
            flipped.append((client, rom))
    if not flipped:
        raise RuntimeError("no box changes its owner")
    for client, rom in flipped:
        _change_within(lab, client, rom)


def _change_within(lab, client, rom):
    """DISCOVER without option 61, REQUEST with it: nobody answers (kea-ha §1.1)."""
    foreign, silent = "DHCP4_PACKET_DROP_0003", "HA_BUFFER4_RECEIVE_NOT_FOR_US"
    system = other(rom)
    lab.note(f"{client.name} changes its identity between DISCOVER and REQUEST")
    offers = lab.count(rom, "DHCP4_LEASE_OFFER", client)
    xid = lab.xid()
    lab.craft(client, message("DISCOVER", client.mac, xid))
    lab.wait_until(lambda: lab.count(rom, "DHCP4_LEASE_OFFER", client) > offers, f"the offer of {rom.name}")
    before = lab.count(rom, silent, client), lab.count(system, foreign, client)
    address = lab.offered(rom, client)
    for secs in (0, 2, 4):
        lab.craft(client, message(
            "REQUEST", client.mac, xid, secs, own_identifier(client),
            server=(rom.mac(HARAN), rom.address(HARAN)), requested=address,
        ))
    lab.wait_until(
        lambda: (lab.count(rom, silent, client), lab.count(system, foreign, client)) == (before[0] + 3, before[1] + 3),
        f"both to drop the REQUEST of {client.name}",
    )
    lab.note("both drop the REQUEST: the one that it names does not own it, the other is not named")


def clock_skew(lab):
    for server in (ZERB1, ZERB2):
        lab.wait_for_state(server, "terminated")
    lab.note("both are terminated, and send no more heartbeats")
    lab.wait_until(lambda: lab.remote(ZERB2)["communication-interrupted"], "the standby's clock to run out")
    for client in lab.laboratory.clients:
        lab.ask(client, ZERB1)
    lab.wait_for_log(ZERB2, "HA_COMMUNICATION_INTERRUPTED_CLIENT4 ", 2)
    lab.note("the standby counts clients that the primary has just served")
    lab.kill(ZERB1)
    crowd = lab.crowd(lab.laboratory.load, 0.1)
    lab.ask(lab.laboratory.clients[0], None, tries=5)
    lab.wait_for_log(ZERB2, "HA_COMMUNICATION_INTERRUPTED_CLIENT4_UNACKED", 11)
    for running in crowd:
        running.stop()
    if lab.keas[ZERB2.name].states() != ["terminated"]:
        raise RuntimeError("the standby is not terminated any more")
    lab.note("the terminated standby has counted more than enough unacked clients, and does not take over")


def split_brain(lab):
    load = lab.laboratory.load
    lab.settle()
    _cut(lab, load[:8])
    lab.heal()
    lab.settle()
    for server in (ZERB1, ZERB2):
        lab.wait_for_log(server, "HA_LEASES_BACKLOG_SUCCESS", 1, 1)
    lab.note("both have sent what the other missed")

    _cut(lab, load[8:])
    lab.heal()
    lab.wait_until(lambda: any("'ha-reset'" in lab.log(server) for server in (ZERB1, ZERB2)), "ha-reset")
    lab.settle()
    lab.ask_anybody(lab.laboratory.clients[0])


def _cut(lab, load):
    lab.cut()
    for server in (ZERB1, ZERB2):
        lab.wait_for_state(server, "communication-recovery")
    lab.wait_for_leases(lab.crowd(load, 0.05, identity), ZERB1, ZERB2)


SCENARIOS = (
    Scenario(
        "identity-flip",
        "Boxes whose boot ROM and system identify themselves differently",
        pair.laboratory("load-balancing", named=4),
        identity_flip,
        proves=(
            "The same MAC without option 61, with a UUID and with 01 + MAC has three hashes, so up to two owners and"
            " several addresses.",
            "A box that changes its identity between DISCOVER and REQUEST is answered by nobody: the server that made the"
            " offer does not own the REQUEST, and the owner drops it because it names another server.",
        ),
        does_not=("The messages of the box that changes its identity in between are crafted.",),
    ),
    Scenario(
        "clock-skew",
        "A hot-standby pair whose clocks differ by 90 seconds",
        pair.laboratory("hot-standby", named=2, load=CROWD, clocks={ZERB2.name: 90}),
        clock_skew,
        proves=(
            "More than 60 seconds between the clocks terminate both at the first heartbeats, before they were ever in"
            " hot-standby; then there are no more heartbeats and no lease updates.",
            "The terminated primary serves its scope; the terminated standby is silent, and stays so when the primary dies.",
            "Without heartbeats its clock has run out, so it counts the primary's clients from then on, dead or alive, and"
            " nothing comes of it.",
        ),
        does_not=("The other clock is a library in front of haranzerb2; in truth.jsonl its times are put right.",),
    ),
    Scenario(
        "split-brain-load-balancing",
        "A load-balancing pair whose control channel is cut, twice",
        pair.laboratory("load-balancing", load=32, limits={"delayed-updates-limit": 8}),
        split_brain,
        proves=(
            "In communication-recovery each goes on with its own half and acknowledges without lease updates.",
            "When the channel is back after few leases, each sends the other what it missed, and goes back to load-balancing"
            " without a synchronisation.",
            "After more leases than delayed-updates-limit it sends ha-reset instead, and both start again from waiting.",
        ),
    ),
)
