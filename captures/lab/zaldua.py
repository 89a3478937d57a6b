"""The laboratory of the documentation: three zones, three servers, one of them a hub."""

import config
from machines import AGENT_PORT, Client, Laboratory, Machine, Zone, load_clients

ZALDUA1 = Zone(1, "zaldua1", "192.168.42")
ZALDUA2 = Zone(2, "zaldua2", "192.168.4")
ZALDUA3 = Zone(3, "zaldua3", "192.168.43")
ZONES = (ZALDUA1, ZALDUA2, ZALDUA3)

HUB = Machine("zaldua1zerb1", 1, 1, 4, ZONES)
ZALDUA1ZERB2 = Machine("zaldua1zerb2", 1, 2, 5, (ZALDUA1,))
ZALDUA2ZERB1 = Machine("zaldua2zerb1", 2, 1, 5, (ZALDUA2,))
SERVERS = (HUB, ZALDUA1ZERB2, ZALDUA2ZERB1)

ZALDUA1BEZ1, ZALDUA2BEZ1, ZALDUA3BEZ1 = CLIENTS = tuple(Client(zone, 1) for zone in ZONES)

# The hub's name in the second relationship: peer names must be unique over all of a hub's relationships.
HUB_IN_ZALDUA2 = f"{HUB.name}-{ZALDUA2.name}"

# Dedicated listeners need a port of their own per relationship besides the Control Agent's.
PORT = {ZALDUA1: 8001, ZALDUA2: 8002}


def laboratory(load_in=None, load=0, partner_knows_zaldua3=True):
    """`load` load clients in the zone `load_in`."""
    return Laboratory(
        zones=ZONES,
        servers=SERVERS,
        clients=CLIENTS,
        load=load_clients(load_in, load),
        files=config.files(SERVERS, lambda server: _dhcp4(server, partner_knows_zaldua3)),
        relationships={
            HUB.name: HUB.name,
            ZALDUA1ZERB2.name: HUB.name,
            ZALDUA2ZERB1.name: ZALDUA2ZERB1.name,
            HUB_IN_ZALDUA2: ZALDUA2ZERB1.name,
        },
        normal={server.name: "hot-standby" for server in SERVERS},
        ports=(AGENT_PORT, *PORT.values()),
    )


def _relationship(zone, this_server, primary, standby):
    peers = [
        config.peer(name, f"http://{server.address(zone)}:{PORT[zone]}/", role)
        for name, server, role in ((*primary, "primary"), (*standby, "standby"))
    ]
    return config.relationship("hot-standby", this_server, peers)


def _zaldua1_pair(this_server):
    return _relationship(ZALDUA1, this_server, (HUB.name, HUB), (ZALDUA1ZERB2.name, ZALDUA1ZERB2))


def _zaldua2_pair(this_server):
    return _relationship(ZALDUA2, this_server, (ZALDUA2ZERB1.name, ZALDUA2ZERB1), (HUB_IN_ZALDUA2, HUB))


def _subnet(zone, ha_server):
    return config.subnet(zone, more=f',\n        "user-context": {{ "ha-server-name": "{ha_server.name}" }}')


def _dhcp4(server, partner_knows_zaldua3):
    zaldua1, zaldua2, zaldua3 = _subnet(ZALDUA1, HUB), _subnet(ZALDUA2, ZALDUA2ZERB1), _subnet(ZALDUA3, HUB)
    if server is HUB:
        return config.dhcp4(
            "// zaldua1zerb1: a hub. Primary for zaldua1, standby for zaldua2; zaldua3 hangs on the zaldua1 relationship.",
            [zone.name for zone in server.zones],
            [_zaldua1_pair(HUB.name), _zaldua2_pair(HUB_IN_ZALDUA2)],
            [zaldua1, zaldua2, zaldua3],
        )
    if server is ZALDUA2ZERB1:
        return config.dhcp4("// zaldua2zerb1: primary for zaldua2.", [ZALDUA2.name], [_zaldua2_pair(server.name)], [zaldua2])
    if partner_knows_zaldua3:
        return config.dhcp4(
            "# zaldua1zerb2: standby for zaldua1. It has no interface in zaldua3, but must know the subnet:\n"
            "# otherwise it refuses the lease updates and zaldua1zerb1 withholds its ACKs there.",
            [ZALDUA1.name],
            [_zaldua1_pair(server.name)],
            [zaldua1, zaldua3],
            after_last_subnet=",  // room for the next zone",
        )
    return config.dhcp4(
        "# zaldua1zerb2: standby for zaldua1.",
        [ZALDUA1.name],
        [_zaldua1_pair(server.name)],
        [zaldua1],
        after_last_subnet=",  // zaldua3 still to be added",
    )
