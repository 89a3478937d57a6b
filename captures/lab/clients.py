"""The DHCP clients: udhcpc for most, dhclient for its different habits."""

import re
import signal
import subprocess
from pathlib import Path

from network import inside
from wait import until

SCRIPT = Path(__file__).resolve().parent / "lease.sh"


class _Client:
    """A running client program whose lease script writes one line per event."""

    def __init__(self, client, folder, words):
        self.client = client
        self._output = folder / f"{client.name}.out"
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                inside(client.namespace, *words), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def wait_for(self, event, seconds=20):
        """Wait for the first `event` line."""
        until(lambda: f"event {event} " in self._said(), f"{event} at {self.client.name}", seconds)

    def server_address(self):
        """Who acknowledged last, or None; both programs say it, each in its way."""
        acknowledged = re.findall(r"(?:obtained|DHCPACK of \S+) from ([\d.]+\d)", self._said())
        return acknowledged[-1] if acknowledged else None

    def address(self):
        """The address that it got last."""
        return re.findall(r"^event (?:bound|renew|BOUND|RENEW|REBIND|REBOOT) ([\d.]+)", self._said(), re.M)[-1]

    def _said(self):
        return self._output.read_text(errors="replace")

    def stop(self):
        """SIGKILL: the client says nothing more on the wire."""
        self.process.kill()
        self.process.wait(10)


class Udhcpc(_Client):
    """busybox's client: client identifier 01 + MAC, secs that grow with every retry, a message each two seconds.

    With `script=False` it takes its lease but sets no address: enough for a load client.
    """

    def __init__(self, client, folder, tries=12, once=True, script=True, stubborn=False, more=()):
        """`more` are options of udhcpc: -C sends no client identifier, -x 0x3d:HEX another one. Not even three
        REQUESTs in vain discourage a `stubborn` client."""
        words = ["busybox", "udhcpc", "-f", *(("-A", 1) if stubborn else ("-n",)), "-T", 2, "-t", tries, "-i", client.interface]
        words += ["-s", SCRIPT if script else "/bin/true"]
        if once:
            words.append("-q")
        super().__init__(client, folder, [*words, *more])

    def renew(self):
        before = self._said().count("event renew ")
        self.process.send_signal(signal.SIGUSR1)
        until(lambda: self._said().count("event renew ") > before, f"a renewal of {self.client.name}", 30)

    def wait(self, seconds=50):
        """Wait for the program's end, with a lease or without."""
        self.process.wait(seconds)


class Dhclient(_Client):
    """ISC's client: no client identifier unless `settings` send one. What it remembers is in `folder`, so a restart
    asks for its old address."""

    def __init__(self, client, folder, settings=""):
        configuration = folder / f"{client.name}.conf"
        configuration.write_text(settings)
        self._memory = [
            "-sf", SCRIPT, "-lf", folder / f"{client.name}.leases", "-pf", folder / f"{client.name}.pid",
            "-cf", configuration,
        ]
        super().__init__(client, folder, ["dhclient", "-4", "-d", *self._memory, client.interface])

    def release(self):
        """`dhclient -r` stops the running one and gives the lease back."""
        subprocess.run(
            inside(self.client.namespace, "dhclient", "-4", "-r", *self._memory, self.client.interface),
            check=True, timeout=20, capture_output=True,
        )
        self.process.wait(10)
