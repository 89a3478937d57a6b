"""What a scenario is."""

from dataclasses import dataclass
from typing import Callable

from machines import Laboratory

NONE = "none"


@dataclass(frozen=True)
class Table:
    """One table of expected leases: `rows` are (servers that are on, lease of each client)."""

    title: str
    servers: tuple
    clients: tuple
    rows: tuple

    def only(self, *numbers):
        return Table(self.title, self.servers, self.clients, tuple(self.rows[number] for number in numbers))


@dataclass(frozen=True)
class Scenario:
    slug: str
    title: str
    laboratory: Laboratory
    play: Callable
    proves: tuple
    does_not: tuple = ()
    tables: tuple = ()
