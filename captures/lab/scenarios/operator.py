"""What an operator does: maintenance, and a backup that serves only when told."""

import pair
from clients import Udhcpc
from pair import ZERB1, ZERB2
from scenarios.load_balancing import identity
from scenarios.scenario import Scenario

MAINTAINED = pair.laboratory("load-balancing", named=4, load=12)
BACKED = pair.laboratory("passive-backup", named=3)
# What Kea calls the first relationship of a server when it switches its own service off.
OWN_HA = 1000

BEZ1, BEZ2, BEZ3, BEZ4 = MAINTAINED.clients


def maintenance(lab):
    lab.settle()
    for client in lab.laboratory.clients:
        lab.ask_anybody(client)

    lab.command(ZERB1, "ha-maintenance-start")
    lab.wait_for_state(ZERB1, "partner-in-maintenance")
    lab.wait_for_state(ZERB2, "in-maintenance")
    lab.let_heartbeats_pass()
    for client in (BEZ1, BEZ2, BEZ3, BEZ4):
        lab.ask(client, ZERB1)
    lab.command(ZERB1, "ha-maintenance-cancel")
    lab.settle()
    lab.wait_for_leases(lab.crowd(lab.laboratory.load[:6], 0.1, identity), ZERB1, ZERB2)

    lab.command(ZERB1, "ha-maintenance-start")
    lab.wait_for_state(ZERB1, "partner-in-maintenance")
    lab.stop(ZERB2)
    lab.wait_for_state(ZERB1, "partner-down")
    for client in (BEZ1, BEZ2, BEZ3, BEZ4):
        lab.ask(client, ZERB1)
    lab.bring_back(ZERB2)
    lab.settle()
    lab.wait_for_leases(lab.crowd(lab.laboratory.load[6:], 0.1, identity), ZERB1, ZERB2)


def scopes(lab):
    lab.settle()
    for client in lab.laboratory.clients:
        lab.ask_anybody(client)
    lab.command(ZERB2, "ha-scopes", {"scopes": [ZERB1.name, ZERB2.name]})
    lab.let_heartbeats_pass()
    foreign = [client for client in lab.laboratory.clients if lab.count(ZERB1, "DHCP4_LEASE_ALLOC", client)]
    for client in foreign:
        lab.ask_anybody(client)
        lab.wait_until(lambda: lab.count(ZERB2, "DHCP4_LEASE_OFFER", client), f"an offer of haranzerb2 to {client.name}")
    lab.note(f"both servers have offered addresses to {', '.join(client.name for client in foreign)}")
    lab.command(ZERB2, "ha-scopes", {"scopes": [ZERB2.name]})
    lab.let_heartbeats_pass()
    for client in foreign:
        lab.ask(client, ZERB1)


def passive_backup(lab):
    lab.settle()
    staying = lab.start_client(Udhcpc, BEZ1, once=False)
    staying.wait_for("bound")
    lab.served(staying, ZERB1)
    lab.ask(BEZ2, ZERB1)
    lab.renewed(staying, ZERB1)
    lab.kill(ZERB1)
    lab.ask(BEZ2, None, tries=3)
    lab.note("nobody takes over by itself; an operator makes the backup serve")
    lab.command(ZERB2, "ha-scopes", {"scopes": [ZERB1.name]})
    lab.command(ZERB2, "dhcp-enable")
    lab.ask(BEZ2, None, tries=3)
    lab.note("its own HA still holds the DHCP service off: that takes its origin")
    lab.command(ZERB2, "dhcp-enable", {"origin-id": OWN_HA})
    lab.ask(BEZ2, ZERB2)
    lab.ask(BEZ3, ZERB2)
    lab.command(ZERB2, "dhcp-disable", {"origin-id": OWN_HA})
    lab.command(ZERB2, "ha-scopes", {"scopes": []})
    lab.bring_back(ZERB1)
    lab.settle()
    lab.ask(BEZ2, ZERB1)


SCENARIOS = (
    Scenario(
        "maintenance",
        "A load-balancing pair, one of it in maintenance",
        MAINTAINED,
        maintenance,
        proves=(
            "ha-maintenance-start to haranzerb1 makes it serve everybody at once, in partner-in-maintenance, and silences"
            " haranzerb2, which is up and answers heartbeats, in in-maintenance.",
            "ha-maintenance-cancel gives each its half back without a synchronisation.",
            "A partner that disappears in maintenance is declared down at the first failed heartbeat, without unacked clients;"
            " it returns through waiting, syncing and ready.",
        ),
    ),
    Scenario(
        "admin-scopes",
        "A load-balancing pair in which an operator gives one server both scopes",
        pair.laboratory("load-balancing", named=4),
        scopes,
        proves=(
            "ha-scopes changes what haranzerb2 answers and the scopes in its heartbeat answers, but not its state: both"
            " servers are in load-balancing and answer the same clients.",
        ),
        does_not=("The next state transition would take the operator's scopes back; there is none here.",),
    ),
    Scenario(
        "passive-backup",
        "A primary with a passive backup",
        BACKED,
        passive_backup,
        proves=(
            "The primary sends its lease updates to the backup and does not wait for the answers; there are no heartbeats.",
            "The backup hears everything with its DHCP service off. When the primary dies, nobody answers.",
            "ha-scopes and dhcp-enable do not make the backup serve: its own HA goes on holding its service off, until"
            " dhcp-enable names that origin. Then it serves, and knows the leases.",
        ),
        does_not=(
            "Nothing on the wire says that the primary is dead, except that it is silent: no one sends it heartbeats.",
            "It does not ask for an address that the backup gave meanwhile, of which the primary knows nothing.",
        ),
    ),
)
