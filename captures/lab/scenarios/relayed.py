"""A hot-standby pair behind a relay, in another zone than its clients."""

import pair
from clients import Udhcpc
from pair import HARAN, MENDI, RELAY, STRANGER, ZERB1, ZERB2
from scenarios.scenario import Scenario

CROWD = 13

BEZ1, BEZ2, BEZ3 = pair.laboratory("hot-standby", named=3, relayed=True).clients


def relay(lab, *servers):
    """ISC's relay, forwarding to `servers` with option 82."""
    running = lab.run_tool(
        RELAY, "dhcrelay", "-4", "-d", "-a", "-id", MENDI.name, "-iu", HARAN.name,
        *(server.address(HARAN) for server in servers),
    )
    lab.wait_for_tool(RELAY, "dhcrelay", "Sending on")
    return running


def relayed(lab):
    relay(lab, ZERB1, ZERB2)
    lab.settle()
    staying = lab.start_client(Udhcpc, BEZ1, once=False)
    staying.wait_for("bound")
    lab.served(staying, ZERB1)
    lab.ask(BEZ2, ZERB1, more=("-C",))
    lab.note("mendibez1 renews by unicast, past the relay")
    lab.renewed(staying, ZERB1)

    stranger = lab.run_tool(
        STRANGER, "dnsmasq", "-k", "--conf-file=/dev/null", "--port=0", "--user=root", "--pid-file=", "--log-facility=-", "--no-ping",
        "--leasefile-ro", f"--interface={MENDI.name}",
        f"--dhcp-range={MENDI.network}.210,{MENDI.network}.219,10m",
    )
    lab.wait_for_tool(STRANGER, "dnsmasq", "started")
    running = lab.start_client(Udhcpc, BEZ3)
    running.wait()
    giver = lab.laboratory.at(running.server_address())
    lab.note(f"mendibez3 has a lease from {giver.name if giver else STRANGER.name}")
    stranger.terminate()
    stranger.wait(10)
    lab.note(f"{STRANGER.name} is gone")

    lab.kill(ZERB1)
    crowd = lab.crowd(lab.laboratory.load, 0.3)
    lab.wait_for_state(ZERB2, "partner-down")
    lab.wait_for_leases(crowd, ZERB2)
    lab.ask(BEZ2, ZERB2, more=("-C",))


def relay_half_broken(lab):
    half = relay(lab, ZERB2)
    lab.settle()
    lab.note("the relay forwards to the standby only")
    crowd = lab.crowd(lab.laboratory.load[:CROWD], 0.1)
    lab.ask(BEZ1, None, tries=5)
    for running in crowd:
        running.stop()
    if lab.keas[ZERB2.name].states() != ["hot-standby"]:
        raise RuntimeError("the standby has taken over")
    lab.note("with heartbeats answered nobody is counted and nobody takes over")

    half.terminate()
    half.wait(10)
    relay(lab, ZERB1)
    lab.note("the relay forwards to the primary only")
    lab.ask(BEZ1, ZERB1)
    lab.kill(ZERB1)
    lab.wait_for_log(ZERB2, "HA_COMMUNICATION_INTERRUPTED ", 1)
    crowd = lab.crowd(lab.laboratory.load[CROWD:], 0.1)
    lab.ask(BEZ1, None, tries=5)
    for running in crowd:
        running.stop()
    if lab.keas[ZERB2.name].states() != ["hot-standby"]:
        raise RuntimeError("the standby has taken over")
    lab.note("the standby hears no client: nobody is counted and nobody takes over")


SCENARIOS = (
    Scenario(
        "relayed",
        "A hot-standby pair behind a relay, and a stranger",
        pair.laboratory("hot-standby", named=3, load=CROWD, relayed=True),
        relayed,
        proves=(
            "The relay sends each broadcast to both servers, with option 82; only the primary answers, to the relay.",
            "A renewal by unicast passes the relay's machine, the router, as an ordinary packet without giaddr and option 82."
            " The relay listens below IP, takes it for a broadcast, and forwards it once more to both servers: the primary"
            " acknowledges twice.",
            "Another DHCP server on the clients' wire answers beside the pair, and the first offer wins; a REQUEST that"
            " names it reaches both servers of the pair, which drop it.",
            "The standby counts relayed clients and takes over as on its own wire.",
        ),
    ),
    Scenario(
        "relay-half-broken",
        "A relay that forwards to one server only",
        pair.laboratory("hot-standby", named=1, load=2 * CROWD, relayed=True),
        relay_half_broken,
        proves=(
            "While only the standby hears the clients, nobody answers, and as the heartbeats are well, it does not count:"
            " no takeover, however many clients wait.",
            "While only the primary hears them, everything looks well until it dies; then the standby does not hear the"
            " clients that it must count, stays in hot-standby, and nobody answers.",
        ),
    ),
)
