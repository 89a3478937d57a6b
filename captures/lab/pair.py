"""The small laboratory: one pair of servers in the zone haran, for every mode and version of Kea.

With `relayed`, clients live in the zone mendi behind a relay, and haran has the servers only.
"""

import config
from machines import AGENT_PORT, Laboratory, Machine, Zone, load_clients, named_clients

HARAN = Zone(4, "haran", "192.168.44")
MENDI = Zone(5, "mendi", "192.168.45")

ZERB1 = Machine("haranzerb1", 4, 1, 4, (HARAN,))
ZERB2 = Machine("haranzerb2", 4, 2, 5, (HARAN,))
SERVERS = (ZERB1, ZERB2)

# The relay is the router of both zones; the stranger is a DHCP server that nobody ordered.
RELAY = Machine("mendierrele1", 5, 1, 1, (MENDI, HARAN))
STRANGER = Machine("mendiarrotz1", 5, 2, 66, (MENDI,))

LISTENER_PORT = 8001

ROLES = {
    "load-balancing": ("primary", "secondary"),
    "hot-standby": ("primary", "standby"),
    "passive-backup": ("primary", "backup"),
}


def laboratory(
    mode, named=1, load=0, suite="trixie", limits=None, relayed=False, dedicated=True, tls=False, clocks=None, more=""
):
    """`dedicated`: the partners talk to listeners of their own, not through the Control Agents."""
    home = MENDI if relayed else HARAN
    port = LISTENER_PORT if dedicated else AGENT_PORT
    secure = "s" if tls else ""
    peers = [
        config.peer(server.name, f"http{secure}://{server.address(HARAN)}:{port}/", role)
        for server, role in zip(SERVERS, ROLES[mode])
    ]
    subnets = [_subnet(zone, mode) for zone in ((HARAN, MENDI) if relayed else (HARAN,))]

    def dhcp4(server):
        role = ROLES[mode][SERVERS.index(server)]
        return config.dhcp4(
            f"// {server.name}: {role} of a {mode} pair.",
            [HARAN.name],
            [config.relationship(mode, server.name, peers, limits, more=_certificates(server) + more if tls else more)],
            subnets,
            # A client that wants to renew soon asks for a short lease.
            lifetimes='\n    "min-valid-lifetime": 16,\n    "max-valid-lifetime": 600,',
            outputs="output_options" if suite == "bookworm" else "output-options",
        )

    backup = mode == "passive-backup"
    return Laboratory(
        zones=(MENDI, HARAN) if relayed else (HARAN,),
        servers=SERVERS,
        clients=named_clients(home, named),
        load=load_clients(home, load, after=named),
        files=config.files(SERVERS, dhcp4),
        relationships={server.name: ZERB1.name for server in SERVERS},
        normal={ZERB1.name: mode, ZERB2.name: "backup" if backup else mode},
        ports=(AGENT_PORT, LISTENER_PORT) if dedicated else (AGENT_PORT,),
        suite=suite,
        others=(RELAY, STRANGER) if relayed else (),
        tls=tls,
        clocks=clocks or {},
    )


def _subnet(zone, mode):
    if mode != "load-balancing":
        return config.subnet(zone)
    halves = ((ZERB1, 100, 149), (ZERB2, 150, 199))
    return config.subnet(zone, [
        f'\n          {{ "pool": "{zone.network}.{first} - {zone.network}.{last}", "client-class": "HA_{server.name}" }}'
        for server, first, last in halves
    ])


def _certificates(server):
    return (
        '              "trust-anchor": "/etc/kea/ca.crt",\n'
        f'              "cert-file": "/etc/kea/{server.name}.crt",\n'
        f'              "key-file": "/etc/kea/{server.name}.key",\n'
    )
