"""Who is in the lab: zones, servers, clients, their addresses and MACs.

MAC scheme (VirtualBox's prefix 08:00:27, then three bytes of ours):

    51:01:02    server   5 + home zone : number in that zone : zone this NIC is in
    a1:00:01    client the documentation names   a + zone : 00 : number
    c1:00:01    load client (a macvlan)          c + zone : 00 : number
"""

from dataclasses import dataclass

PREFIX = "08:00:27"
AGENT_PORT = 8000


@dataclass(frozen=True)
class Zone:
    number: int
    network: str  # the first three bytes of the /24

    @property
    def name(self):
        return f"zaldua{self.number}"

    @property
    def subnet(self):
        return f"{self.network}.0/24"


@dataclass(frozen=True)
class Server:
    home: int
    number: int
    host: int  # last byte of its address in every zone it is in
    zones: tuple
    agent_host: str  # what its Control Agent listens on

    @property
    def name(self):
        return f"zaldua{self.home}zerb{self.number}"

    def address(self, zone):
        return f"{zone.network}.{self.host}"

    def addresses(self):
        return [self.address(zone) for zone in self.zones]

    def mac(self, zone):
        return f"{PREFIX}:5{self.home}:{self.number:02x}:{zone.number:02x}"


@dataclass(frozen=True)
class Client:
    zone: Zone
    number: int
    load: bool = False

    @property
    def name(self):
        # Load clients are numbered on from the one that the documentation names.
        return f"zaldua{self.zone.number}bez{self.number + 1 if self.load else self.number}"

    @property
    def mac(self):
        kind = "c" if self.load else "a"
        return f"{PREFIX}:{kind}{self.zone.number}:00:{self.number:02x}"

    @property
    def interface(self):
        return f"load{self.number}" if self.load else self.zone.name

    @property
    def namespace(self):
        """Load clients are macvlans in the namespace of their zone's named client."""
        return f"zaldua{self.zone.number}bez1"


ZALDUA1 = Zone(1, "192.168.42")
ZALDUA2 = Zone(2, "192.168.4")
ZALDUA3 = Zone(3, "192.168.43")
ZONES = (ZALDUA1, ZALDUA2, ZALDUA3)

HUB = Server(1, 1, 4, ZONES, "0.0.0.0")
ZALDUA1ZERB2 = Server(1, 2, 5, (ZALDUA1,), ZALDUA1.network + ".5")
ZALDUA2ZERB1 = Server(2, 1, 5, (ZALDUA2,), ZALDUA2.network + ".5")
SERVERS = (HUB, ZALDUA1ZERB2, ZALDUA2ZERB1)

ZALDUA1BEZ1, ZALDUA2BEZ1, ZALDUA3BEZ1 = CLIENTS = tuple(Client(zone, 1) for zone in ZONES)


def load_clients(zone, count):
    return tuple(Client(zone, number, load=True) for number in range(1, count + 1))
