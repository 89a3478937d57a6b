"""The same pair on other Keas, and with the control channel encrypted."""

import pair
from pair import ZERB1, ZERB2
from scenarios.load_balancing import CROWD, load_balancing_killed
from scenarios.scenario import Scenario, Table

FEW = 13

BEZ1, = pair.laboratory("hot-standby").clients

TABLE = Table("haran", (ZERB1, ZERB2), (BEZ1,), (((ZERB1, ZERB2), (ZERB1.name,)), ((ZERB2,), (ZERB2.name,))))


def agent_survives(lab):
    lab.settle()
    lab.ask(BEZ1, ZERB1)
    lab.kill_dhcp4(ZERB1)
    _takeover(lab)


def killed(lab):
    lab.settle()
    lab.ask(BEZ1, ZERB1)
    lab.kill(ZERB1)
    _takeover(lab)


def _takeover(lab):
    crowd = lab.crowd(lab.laboratory.load, 0.3)
    lab.wait_for_state(ZERB2, "partner-down")
    lab.wait_for_leases(crowd, ZERB2)
    lab.ask(BEZ1, ZERB2)
    lab.bring_back(ZERB1)
    lab.settle()
    lab.ask(BEZ1, ZERB1)


SCENARIOS = (
    Scenario(
        "kea-2.2",
        "Kea 2.2: a hot-standby pair that talks through Control Agents",
        pair.laboratory("hot-standby", load=FEW, suite="bookworm", dedicated=False),
        agent_survives,
        proves=(
            "Kea 2.2 has no listener of its own: the partners POST to each other's Control Agent on port 8000.",
            "When kea-dhcp4 dies alone, connections succeed and its Control Agent answers each heartbeat with result 1;"
            " the standby takes that for a failure and takes over as from a dead machine.",
            "Heartbeats and log lines do not name the sender.",
        ),
        tables=(TABLE,),
    ),
    Scenario(
        "kea-2.2-load-balancing",
        "Kea 2.2: a load-balancing pair, one is killed and returns",
        pair.laboratory("load-balancing", named=6, load=CROWD, suite="bookworm", dedicated=False),
        load_balancing_killed,
        proves=("What load-balancing-killed proves, for Kea 2.2 with Control Agents.",),
    ),
    Scenario(
        "kea-3.0",
        "Kea 3.0: a load-balancing pair, one is killed and returns",
        pair.laboratory("load-balancing", named=6, load=CROWD, suite="sid"),
        load_balancing_killed,
        proves=("What load-balancing-killed proves, for Kea 3.0.",),
    ),
    Scenario(
        "tls",
        "A hot-standby pair with an encrypted control channel, one is killed and returns",
        pair.laboratory("hot-standby", load=FEW, tls=True),
        killed,
        proves=(
            "With TLS nothing of the control channel can be read, and only DHCP tells who served and who was silent.",
            "Connections that are refused after the kill, and the cadence of the others, remain visible.",
        ),
        tables=(TABLE,),
    ),
)
