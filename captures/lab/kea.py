"""One server machine: its kea-dhcp4 and its Control Agent, started, asked and killed."""

import json
import os
import signal
import socket
import subprocess

from network import inside
from setup import CHROOT
from wait import until

DAEMONS = ("kea-dhcp4", "kea-ctrl-agent")


class Kea:
    """The machine's own /run/kea, /var/lib/kea and /var/log/kea live in `folder` and outlast a kill.

    They are bound over the chroot's inside the mount namespace that `ip netns exec` makes for each
    process, so every server can use the paths of its real configuration.
    """

    def __init__(self, server, folder, configurations):
        self.server = server
        self.folder = folder
        self.log = folder / "var/log/kea/kea-dhcp4.log"
        self._processes = []
        for daemon in DAEMONS:
            target = folder / "etc/kea" / f"{daemon}.conf"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(configurations[f"{server.name}.{daemon}.conf"])
        for path in ("run/kea", "var/lib/kea", "var/log/kea"):
            (folder / path).mkdir(parents=True, mode=0o750)

    def start(self):
        """Both daemons, ready to be asked."""
        self._processes = [self._start(daemon) for daemon in DAEMONS]
        until(lambda: self.status() is not None, f"{self.server.name} to answer status-get", 15)
        agent_says = self.folder / "kea-ctrl-agent.out"
        until(lambda: "CTRL_AGENT_STARTED" in agent_says.read_text(), f"the agent of {self.server.name}", 15)

    def kill(self):
        """SIGKILL, as a power cut would: no goodbye on the wire, no last line in the log."""
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
        for process in self._processes:
            process.wait(10)

    def status(self):
        """The answer to status-get through the daemon's own socket, or None while it does not listen."""
        try:
            with socket.socket(socket.AF_UNIX) as control:
                control.settimeout(5)
                control.connect(str(self.folder / "run/kea/kea4-ctrl-socket"))
                control.sendall(b'{ "command": "status-get" }')
                answer = b"".join(iter(lambda: control.recv(65536), b""))
        except OSError:
            return None
        return json.loads(answer)["arguments"]

    def states(self):
        """Own HA state per relationship, in the order of the configuration."""
        status = self.status()
        if status is None:
            return []
        return [pair["ha-servers"]["local"]["state"] for pair in status["high-availability"]]

    def _start(self, daemon):
        root = CHROOT
        binds = " && ".join(
            f'mkdir -p "{root}/{path}" && mount --bind "{self.folder}/{path}" "{root}/{path}"'
            for path in ("etc/kea", "run/kea", "var/lib/kea", "var/log/kea")
        )
        start = f'{binds} && exec chroot "{root}" {daemon} -c /etc/kea/{daemon}.conf'
        with open(self.folder / f"{daemon}.out", "wb") as output:
            # Kea logs local time; the truth is in UTC.
            return subprocess.Popen(
                inside(self.server.name, "sh", "-c", start),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ | {"TZ": "UTC"},
            )
