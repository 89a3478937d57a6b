"""A hot-standby pair: what the standby counts, what a dead control channel does, and restarts."""

import pair
from clients import Udhcpc
from craft import message
from pair import ZERB1, ZERB2
from scenarios.scenario import Scenario, Table

CROWD = 14

BEZ1, BEZ2, BEZ3 = pair.laboratory("hot-standby", named=3).clients


def swapped(secs):
    """As a client writes it that forgets the byte order."""
    return secs << 8


class Stranger:
    """A client that exists in crafted messages only: its MAC begins 08:00:27:e4."""

    def __init__(self, number):
        self.mac = f"08:00:27:e4:00:{number:02x}"

    def discover(self, lab, secs, client_id=""):
        return message("DISCOVER", self.mac, lab.xid(), secs, client_id)


def secs(lab):
    lab.settle()
    lab.ask(BEZ1, ZERB1)
    lab.kill(ZERB1)
    lab.wait_for_log(ZERB2, "HA_COMMUNICATION_INTERRUPTED ", 1)

    strangers = iter(Stranger(number) for number in range(1, 100))
    seen = {"connecting-clients": 0, "unacked-clients": 0}

    def say(sentence, clients, unacked, *messages):
        """The standby must then know so many more clients, and count so many more of them."""
        lab.note(sentence)
        lab.craft(BEZ1, *messages)
        seen["connecting-clients"] += clients
        seen["unacked-clients"] += unacked
        lab.wait_until(lambda: {key: lab.remote(ZERB2)[key] for key in seen} == seen, f"{seen} at {ZERB2.name}")

    def each(count, value, client_id=""):
        return [next(strangers).discover(lab, value, client_id) for _ in range(count)]

    say("four new clients with secs 0: none counts", 4, 0, *each(4, 0))
    say("three with secs 3, which is max-ack-delay and not more: none counts", 3, 0, *each(3, 3))
    say("one each with secs 256, 512 and 768, honestly: Kea reads 1, 2 and 3, none counts", 3, 0,
        *each(1, 256), *each(1, 512), *each(1, 768))
    say("two with secs 9, bytes swapped: Kea repairs them, both count", 2, 2, *each(2, swapped(9)))
    say("one with secs 1024, honestly: Kea reads 4, it counts", 1, 1, *each(1, 1024))
    say("one with secs 257: not repaired, it counts", 1, 1, *each(1, 257))
    say("two with secs 4, honestly: both count", 2, 2, *each(2, 4))
    twice = next(strangers)
    say("one client with secs 2: known, not counted", 1, 0, twice.discover(lab, 2))
    say("the same client with secs 5: now it counts", 0, 1, twice.discover(lab, 5))
    say("the same client with secs 9, and again with 0: counted once, and it stays", 0, 0,
        twice.discover(lab, 9), twice.discover(lab, 0))
    double = next(strangers)
    say("one MAC with two client identifiers, and without one: three clients", 3, 3,
        double.discover(lab, 6), double.discover(lab, 6, "00616161"), double.discover(lab, 6, "00626262"))

    failed = lab.log(ZERB2).count("HA_HEARTBEAT_COMMUNICATIONS_FAILED")
    lab.wait_for_log(ZERB2, "HA_HEARTBEAT_COMMUNICATIONS_FAILED", failed + 2)
    if lab.keas[ZERB2.name].states() != ["hot-standby"]:
        raise RuntimeError("ten unacked clients were enough")
    lab.note("ten clients are unacked, two more heartbeats have failed, and haranzerb2 is still in hot-standby")
    say("the eleventh, with secs 4", 1, 1, *each(1, 4))
    lab.wait_for_state(ZERB2, "partner-down")
    lab.ask(BEZ1, ZERB2)


def split_brain(lab):
    lab.settle()
    lab.ask(BEZ1, ZERB1)
    lab.cut()
    crowd = lab.crowd(lab.laboratory.load, 0.3, lambda _: {"stubborn": True})
    lab.wait_for_state(ZERB1, "partner-down")
    lab.wait_for_state(ZERB2, "partner-down", 40)
    lab.wait_for_leases(crowd, ZERB1, ZERB2)
    for client in (BEZ1, BEZ2):
        asking = lab.ask_anybody(client)
        lab.wait_until(
            lambda: all(lab.count(server, "DHCP4_LEASE_OFFER", client) > 0 for server in (ZERB1, ZERB2)),
            f"offers of both servers to {client.name}",
        )
        lab.note(f"both have offered an address to {client.name}, which took that of {asking.name}")
    lab.heal()
    lab.settle()
    lab.ask(BEZ1, ZERB1)


def restart_sync(lab):
    lab.settle()
    lab.ask(BEZ1, ZERB1)
    lab.wait_for_leases(lab.crowd(lab.laboratory.load[:10], 0.1), ZERB1)

    lab.stop(ZERB1)
    lab.bring_back(ZERB1)
    lab.note("haranzerb1 was away for less than a heartbeat; haranbez2 asks while it synchronises")
    lab.ask(BEZ2, ZERB1, tries=20)
    lab.settle()

    lab.stop(ZERB2)
    client = lab.start_client(Udhcpc, BEZ3, stubborn=True)
    lab.wait_for_log(ZERB1, "HA_LEASE_UPDATE_COMMUNICATIONS_FAILED", 1)
    lab.note("haranzerb1 withholds its ACK from haranbez3: the standby does not take the lease update")
    lab.wait_for_state(ZERB1, "partner-down")
    client.wait()
    lab.served(client, ZERB1)
    lab.wait_for_leases(lab.crowd(lab.laboratory.load[10:], 0.1), ZERB1)
    lab.bring_back(ZERB2)
    lab.wait_for_state(ZERB2, "hot-standby")
    lab.settle()
    if lab.log(ZERB2).count("HA_LEASES_SYNC_LEASE_PAGE_RECEIVED") < 3:
        raise RuntimeError("the leases came in fewer than three pages")
    lab.ask(BEZ1, ZERB1)


def power_cut(lab):
    lab.settle()
    lab.ask(BEZ1, ZERB1)
    lab.ask(BEZ2, ZERB1)
    for server in (ZERB1, ZERB2):
        lab.kill(server)
    lab.ask(BEZ1, None, tries=2)
    lab.bring_back(ZERB2)
    lab.ask(BEZ1, None, tries=2)
    lab.wait_for_state(ZERB2, "partner-down")
    lab.ask(BEZ1, ZERB2)
    lab.bring_back(ZERB1)
    lab.settle()
    lab.ask(BEZ2, ZERB1)


def no_test(lab):
    lab.settle()
    lab.ask(BEZ1, ZERB1)
    lab.kill(ZERB1)
    lab.wait_for_state(ZERB2, "partner-down")
    lab.ask(BEZ1, ZERB2)


SCENARIOS = (
    Scenario(
        "secs",
        "Which secs a standby counts",
        pair.laboratory("hot-standby"),
        secs,
        proves=(
            "A client is unacked when secs × 1000 exceeds max-ack-delay (3000 here): 4 is, 3 is not.",
            "A value above 255 whose low byte is zero is taken for a swapped one: 0x0900 counts as 9, and an honest 256, 512"
            " or 768 as 1, 2 or 3. 257 is believed.",
            "A client is a MAC with a client identifier; it counts once, and nothing takes the count back.",
            "Ten unacked clients are not enough, whatever heartbeats fail; the eleventh is, at the end of the next failing one.",
        ),
        does_not=("The clients of the crafted messages do not exist: none of them answers an offer.",),
    ),
    Scenario(
        "split-brain",
        "A hot-standby pair whose control channel is cut",
        pair.laboratory("hot-standby", named=2, load=CROWD),
        split_brain,
        proves=(
            "While its lease updates hang, the primary offers and withholds its ACKs; it goes to partner-down without any"
            " traffic test when a heartbeat or an update has failed, after ten seconds, and max-response-delay is over.",
            "The clients that waited meanwhile are what the standby counts, and nothing takes the count back: it goes to"
            " partner-down too, although the primary answers again.",
            "Then both answer the same DISCOVER.",
            "When the channel is back, each sees the other in partner-down, goes to waiting, and the pair starts again.",
            "The lease updates that were waiting all the time are delivered then, and the ACKs parked for them leave up to"
            " twelve seconds late, from a server that is in waiting, syncing or ready with its DHCP service off.",
        ),
        does_not=("A firewall that rejects would let connections fail at once instead of after ten seconds.",),
    ),
    Scenario(
        "restart-sync",
        "Restarts in order: a quick one, and one with many leases to fetch",
        pair.laboratory("hot-standby", named=3, load=20, limits={"sync-page-limit": 5}),
        restart_sync,
        proves=(
            "A primary that is back before its partner missed it goes through waiting, syncing and ready; the standby stays"
            " silent in hot-standby, and haranbez2 waits until the primary is back in hot-standby itself.",
            "A primary that has lost its standby withholds its ACKs until partner-down, which needs no unacked clients.",
            "In partner-down it gives leases without updates; the returning standby fetches them page by page.",
        ),
        tables=(Table("haran", (ZERB1, ZERB2), (BEZ1,), (((ZERB1, ZERB2), (ZERB1.name,)),)),),
    ),
    Scenario(
        "power-cut",
        "Both servers die, and the standby returns first",
        pair.laboratory("hot-standby", named=2),
        power_cut,
        proves=(
            "A server that starts alone waits with its service off until max-response-delay is over and a heartbeat has failed,"
            " and goes to partner-down without any unacked client; it has its leases from before.",
        ),
        tables=(
            Table("haran", (ZERB1, ZERB2), (BEZ1, BEZ2), (((ZERB1, ZERB2), (ZERB1.name, ZERB1.name)),)),
        ),
    ),
    Scenario(
        "no-traffic-test",
        "A standby with max-unacked-clients 0",
        pair.laboratory("hot-standby", limits={"max-unacked-clients": 0}),
        no_test,
        proves=(
            "With max-unacked-clients 0 the standby takes over at the first heartbeat that fails after max-response-delay,"
            " though no client has asked.",
        ),
        tables=(Table("haran", (ZERB1, ZERB2), (BEZ1,), (((ZERB1, ZERB2), (ZERB1.name,)), ((ZERB2,), (ZERB2.name,)))),),
    ),
)
