"""The laboratory of the documentation: its two tables, and what a hub and a refused lease update do."""

from clients import Dhclient, Udhcpc
from craft import message
from scenarios.scenario import NONE, Scenario, Table
from zaldua import (
    HUB, ZALDUA1, ZALDUA1BEZ1, ZALDUA1ZERB2, ZALDUA2, ZALDUA2BEZ1, ZALDUA2ZERB1, ZALDUA3, ZALDUA3BEZ1, laboratory,
)

# More than max-unacked-clients, so that the partner takes over.
CROWD = 13

ZALDUA1_LAB = laboratory(ZALDUA1, CROWD + 1)
ZALDUA2_LAB = laboratory(ZALDUA2, CROWD)

# The documentation's two tables.
ZALDUA1_TABLE = Table(
    "zaldua1",
    (HUB, ZALDUA1ZERB2),
    (ZALDUA1BEZ1, ZALDUA3BEZ1),
    (
        ((HUB, ZALDUA1ZERB2), (HUB.name, HUB.name)),
        ((ZALDUA1ZERB2,), (ZALDUA1ZERB2.name, NONE)),
    ),
)
ZALDUA2_TABLE = Table(
    "zaldua2",
    (ZALDUA2ZERB1, HUB),
    (ZALDUA2BEZ1, ZALDUA3BEZ1),
    (
        ((ZALDUA2ZERB1, HUB), (ZALDUA2ZERB1.name, HUB.name)),
        ((HUB,), (HUB.name, HUB.name)),
    ),
)


def all_on(lab):
    lab.settle()
    first = lab.start_client(Udhcpc, ZALDUA1BEZ1, once=False)
    first.wait_for("bound")
    lab.served(first, HUB)
    second = lab.start_client(Dhclient, ZALDUA2BEZ1)
    second.wait_for("BOUND")
    lab.served(second, ZALDUA2ZERB1)
    third = lab.start_client(Dhclient, ZALDUA3BEZ1)
    third.wait_for("BOUND")
    lab.served(third, HUB)

    lab.ask_agent(ZALDUA1BEZ1, ZALDUA1ZERB2)
    lab.note("zaldua1bez1 renews by unicast")
    first.renew()
    lab.served(first, HUB)
    lab.note("zaldua2bez1 releases its lease by unicast and comes back")
    second.release()
    second = lab.start_client(Dhclient, ZALDUA2BEZ1)
    second.wait_for("BOUND")
    lab.served(second, ZALDUA2ZERB1)
    lab.note("zaldua3bez1 reboots and asks for the address it remembers (INIT-REBOOT)")
    third.stop()
    third = lab.start_client(Dhclient, ZALDUA3BEZ1)
    third.wait_for("REBOOT")
    lab.served(third, HUB)


def zaldua1zerb1_killed(lab):
    lab.settle()
    lab.ask(ZALDUA1BEZ1, HUB)
    lab.ask(ZALDUA3BEZ1, HUB)

    lab.kill(HUB)
    crowd = lab.crowd(lab.laboratory.load[:CROWD])
    lab.wait_for_state(ZALDUA1ZERB2, "partner-down")
    lab.wait_for_leases(crowd, ZALDUA1ZERB2)
    lab.ask(ZALDUA1BEZ1, ZALDUA1ZERB2)
    lab.ask(ZALDUA3BEZ1, None, tries=3)

    lab.bring_back(HUB)
    # The hub is up but waiting: its DHCP service is off, and it drops what it hears.
    # The last load client comes while the hub is returning.
    lab.ask(lab.laboratory.load[-1], ZALDUA1ZERB2)
    lab.wait_for_log(HUB, "DHCP4_PACKET_DROP_0008", 2)
    lab.settle()
    lab.ask(ZALDUA1BEZ1, HUB)
    lab.ask(ZALDUA3BEZ1, HUB)


def zaldua2zerb1_killed(lab):
    lab.settle()
    lab.ask(ZALDUA2BEZ1, ZALDUA2ZERB1)
    lab.ask(ZALDUA3BEZ1, HUB)

    lab.kill(ZALDUA2ZERB1)
    crowd = lab.crowd(lab.laboratory.load)
    lab.wait_for_leases(crowd, HUB)
    lab.ask(ZALDUA2BEZ1, HUB)
    lab.ask(ZALDUA3BEZ1, HUB)

    lab.bring_back(ZALDUA2ZERB1)
    # Its synchronisation switches the hub's DHCP service off, until the hub's next heartbeat. Ask just then.
    lab.wait_for_state(ZALDUA2ZERB1, "ready")
    lab.note("zaldua2zerb1 is ready; the hub's DHCP service is still off")
    lab.ask(ZALDUA3BEZ1, HUB)
    lab.wait_for_log(HUB, "DHCP4_PACKET_DROP_0008", 1)
    lab.settle()
    lab.ask(ZALDUA2BEZ1, ZALDUA2ZERB1)


def withheld_ack(lab):
    lab.settle()
    lab.ask(ZALDUA1BEZ1, HUB)
    client = lab.start_client(Udhcpc, ZALDUA3BEZ1)
    lab.wait_for_log(HUB, "HA_LEASE_UPDATE_CONFLICT", 3)
    client.stop()
    lab.note("zaldua3bez1 has sent its REQUEST three times and is switched off")
    lab.served(client, None)


def rejected_updates(lab):
    lab.settle()
    crowd = lab.crowd(lab.laboratory.load, 0.1)
    for running in crowd:
        running.wait()
    lab.wait_until(lambda: lab.keas[HUB.name].states()[0] == "terminated", "the hub to give up zaldua1")
    lab.wait_for_state(ZALDUA1ZERB2, "terminated")
    lab.note("the relationship of zaldua1 is terminated on both of its servers")
    for client in (ZALDUA1BEZ1, ZALDUA3BEZ1):
        lab.ask(client, HUB)
    lab.ask(ZALDUA2BEZ1, ZALDUA2ZERB1)


def hub_release(lab):
    lab.settle()
    clients = [(ZALDUA1BEZ1, HUB), (ZALDUA2BEZ1, ZALDUA2ZERB1), (ZALDUA3BEZ1, HUB)]
    for client, server in clients:
        running = lab.start_client(Dhclient, client)
        running.wait_for("BOUND")
        lab.served(running, server)
        lab.note(f"{client.name} releases its lease by unicast")
        running.release()
    lab.note("zaldua2bez1 releases by broadcast, and names no server")
    again = lab.start_client(Dhclient, ZALDUA2BEZ1)
    again.wait_for("BOUND")
    lab.served(again, ZALDUA2ZERB1)
    lab.craft(ZALDUA2BEZ1, message("RELEASE", ZALDUA2BEZ1.mac, lab.xid(), address=again.address()))
    lab.wait_for_log(HUB, "HA_LEASES4_COMMITTED_NO_RELATIONSHIP", 3)


SCENARIOS = (
    Scenario(
        "all-on",
        "All servers on",
        laboratory(),
        all_on,
        proves=(
            "With everything healthy, zaldua1zerb1 gives the leases in zaldua1 and zaldua3, and zaldua2zerb1 those in zaldua2.",
            "The standby hears every broadcast and stays silent. In zaldua2 that is zaldua1zerb1, which drops the DISCOVER"
            " because its relationship's primary should serve it, and the REQUEST because it names another server.",
            "A lease update to the partner sits between every REQUEST and its ACK, for zaldua3 too.",
        ),
        does_not=("It shows no failure: nothing here says who would take over.",),
        tables=(ZALDUA1_TABLE.only(0), ZALDUA2_TABLE.only(0)),
    ),
    Scenario(
        "zaldua1zerb1-killed",
        "zaldua1zerb1 is killed and returns",
        ZALDUA1_LAB,
        zaldua1zerb1_killed,
        proves=(
            "While the primary is dead, zaldua1zerb2 ignores the clients until more than ten of them have waited too long,"
            " and takes over at the end of its next failing heartbeat.",
            "After that zaldua1bez1 gets its lease from zaldua1zerb2, and zaldua3bez1 gets none: nobody else is on its wire.",
            "A returning server hears queries while it waits, with its DHCP service off, and leaves them to its partner.",
            "When both are in hot-standby again, zaldua1zerb1 serves both zones as before.",
        ),
        does_not=(
            "The kill leaves the machine's network up, so connections are refused at once. A machine without power"
            " would let them time out instead.",
        ),
        tables=(ZALDUA1_TABLE,),
    ),
    Scenario(
        "zaldua2zerb1-killed",
        "zaldua2zerb1 is killed and returns",
        ZALDUA2_LAB,
        zaldua2zerb1_killed,
        proves=(
            "The hub is the standby of zaldua2: it counts the waiting clients there and takes over, while its other"
            " relationship stays in hot-standby all the time.",
            "On the hub only a DISCOVER can be counted: a REQUEST that names the dead server is dropped before HA sees it.",
            "zaldua3bez1 gets its lease from zaldua1zerb1 whatever happens to zaldua2zerb1.",
            "The synchronisation of the returning zaldua2zerb1 switches the hub's DHCP service off, which is one switch for"
            " all its zones: zaldua3bez1's first DISCOVER is dropped unread, though its own relationship is in hot-standby.",
        ),
        does_not=("The kill leaves the machine's network up, so connections are refused at once.",),
        tables=(ZALDUA2_TABLE,),
    ),
    Scenario(
        "withheld-ack",
        "The partner does not know the subnet",
        laboratory(partner_knows_zaldua3=False),
        withheld_ack,
        proves=(
            "A healthy server withholds its ACK when its partner refuses the lease update: DISCOVER, OFFER, REQUEST,"
            " REQUEST, REQUEST, nothing.",
            "The DHCP messages alone do not tell why. The reason is result 4 (conflict) in the answers to `lease4-update`"
            " in zaldua1.pcap, on another wire than the client's.",
            "zaldua1bez1 is served as usual: the subnet that both servers know is not affected.",
        ),
        does_not=(
            "It does not reach max-rejected-lease-updates, which would end the HA service; that counts clients, and here"
            " is only one.",
        ),
        tables=(
            Table(
                "zaldua3, partner without the subnet",
                (HUB, ZALDUA1ZERB2),
                (ZALDUA1BEZ1, ZALDUA3BEZ1),
                (((HUB, ZALDUA1ZERB2), (HUB.name, NONE)),),
            ),
        ),
    ),
    Scenario(
        "rejected-updates",
        "Too many refused lease updates end the HA service",
        laboratory(ZALDUA3, 10, partner_knows_zaldua3=False),
        rejected_updates,
        proves=(
            "Ten clients whose lease updates the partner refused (result 4) take the hub's relationship of zaldua1 to"
            " terminated, and the partner follows.",
            "Then the hub gives leases without updates, in zaldua3 too, where it withheld its ACKs before.",
            "The hub's other relationship, that of zaldua2, is not affected.",
        ),
    ),
    Scenario(
        "hub-release",
        "Leases released to a hub",
        laboratory(),
        hub_release,
        proves=(
            "On a hub HA does not filter a RELEASE: in zaldua2, where the hub is the standby, one that names no server is"
            " processed by both servers.",
            "A hub does not tell its partner of a RELEASE: it does not find the relationship any more, and zaldua1zerb2 keeps"
            " the leases that zaldua1zerb1 has taken back.",
        ),
    ),
)
