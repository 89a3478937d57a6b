"""What a laboratory is made of: zones, machines, clients, their addresses and MACs.

MAC scheme (VirtualBox's prefix 08:00:27, then three bytes of ours):

    51:01:02    server or relay   5 + home zone : number in that zone : zone this NIC is in
    a1:00:01    named client      a + zone : 00 : number
    c1:00:01    load client (a macvlan)   c + zone : 00 : number
"""

from dataclasses import dataclass, field

PREFIX = "08:00:27"
AGENT_PORT = 8000


@dataclass(frozen=True)
class Zone:
    number: int
    name: str
    network: str  # the first three bytes of the /24

    @property
    def subnet(self):
        return f"{self.network}.0/24"


@dataclass(frozen=True)
class Machine:
    """A server, or anything else with fixed addresses."""

    name: str
    home: int  # number of its home zone
    number: int
    host: int  # last byte of its address in every zone it is in
    zones: tuple

    @property
    def agent_host(self):
        """What its Control Agent listens on."""
        return "0.0.0.0" if len(self.zones) > 1 else self.addresses()[0]

    def address(self, zone):
        return f"{zone.network}.{self.host}"

    def addresses(self):
        return [self.address(zone) for zone in self.zones]

    def mac(self, zone):
        return f"{PREFIX}:5{self.home}:{self.number:02x}:{zone.number:02x}"


@dataclass(frozen=True)
class Client:
    """`load` numbers a load client: a macvlan in the namespace of its zone's first client."""

    zone: Zone
    number: int
    load: int = 0

    @property
    def name(self):
        return f"{self.zone.name}bez{self.number}"

    @property
    def mac(self):
        kind, number = ("c", self.load) if self.load else ("a", self.number)
        return f"{PREFIX}:{kind}{self.zone.number}:00:{number:02x}"

    @property
    def interface(self):
        return f"load{self.load}" if self.load else self.zone.name

    @property
    def namespace(self):
        return f"{self.zone.name}bez1" if self.load else self.name


@dataclass(frozen=True)
class Laboratory:
    """Everything that one scenario starts with."""

    zones: tuple
    servers: tuple
    clients: tuple  # the named ones, each in a namespace of its own
    load: tuple  # the load clients
    files: dict  # file name → text: SERVER.kea-dhcp4.conf, SERVER.kea-ctrl-agent.conf
    relationships: dict  # peer name → relationship; Kea has no name for one, ours is its primary's name
    normal: dict  # server name → the state of its relationships when all is well
    ports: tuple  # of the control channel
    suite: str = "trixie"  # the Debian release whose Kea is played
    others: tuple = ()  # relays and strangers
    tls: bool = False  # the control channel needs certificates
    clocks: dict = field(default_factory=dict)  # server name → seconds that its clock is ahead

    @property
    def everybody(self):
        return (*self.clients, *self.load)

    def at(self, address):
        """The server that has this address."""
        return next((server for server in self.servers if address in server.addresses()), None)


def named_clients(zone, count):
    return tuple(Client(zone, number) for number in range(1, count + 1))


def load_clients(zone, count, after=1):
    """Load clients are numbered on from the named ones of their zone."""
    return tuple(Client(zone, after + number, load=number) for number in range(1, count + 1))
