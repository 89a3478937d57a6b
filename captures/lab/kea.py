"""One server machine: its kea-dhcp4 and its Control Agent, started, asked and killed."""

import json
import shutil
import signal
import socket
import subprocess

from network import inside
from setup import TOOLS_SUITE, chroot
from wait import until

DAEMONS = ("kea-dhcp4", "kea-ctrl-agent")

FAKETIME = "usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class Kea:
    """The machine's own /run/kea, /var/lib/kea and /var/log/kea live in `folder` and outlast a kill.

    They are bound over the chroot's inside the mount namespace that `ip netns exec` makes for each
    process, so every server can use the paths of its real configuration.
    """

    def __init__(self, server, folder, laboratory, secrets=()):
        self.server = server
        self.folder = folder
        self._root = chroot(laboratory.suite)
        self._ahead = laboratory.clocks.get(server.name, 0)
        self.log = folder / "var/log/kea/kea-dhcp4.log"
        self._processes = []
        for daemon in DAEMONS:
            target = folder / "etc/kea" / f"{daemon}.conf"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(laboratory.files[f"{server.name}.{daemon}.conf"])
        for secret in secrets:
            shutil.copy(secret, folder / "etc/kea")
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
        self._end(signal.SIGKILL)

    def kill_dhcp4(self):
        """SIGKILL to kea-dhcp4 only; the Control Agent goes on answering for it."""
        self._processes[0].kill()
        self._processes[0].wait(10)

    def stop(self):
        """SIGTERM, as an operator would."""
        self._end(signal.SIGTERM)

    def _end(self, how):
        for process in self._processes:
            process.send_signal(how)
        for process in self._processes:
            process.wait(10)

    def command(self, name, arguments=None):
        """A command through the daemon's own socket; its answer, or None while it does not listen."""
        request = {"command": name} | ({"arguments": arguments} if arguments else {})
        try:
            with socket.socket(socket.AF_UNIX) as control:
                control.settimeout(15)
                control.connect(str(self.folder / "run/kea/kea4-ctrl-socket"))
                control.sendall(json.dumps(request).encode())
                answer = b"".join(iter(lambda: control.recv(65536), b""))
        except OSError:
            return None
        return json.loads(answer)

    def status(self):
        answer = self.command("status-get")
        return answer and answer["arguments"]

    def states(self):
        """Own HA state per relationship, in the order of the configuration."""
        status = self.status()
        if status is None:
            return []
        return [pair["ha-servers"]["local"]["state"] for pair in status["high-availability"]]

    def _start(self, daemon):
        root = self._root
        binds = [
            f'mkdir -p "{root}/{path}" && mount --bind "{self.folder}/{path}" "{root}/{path}"'
            for path in ("etc/kea", "run/kea", "var/lib/kea", "var/log/kea")
        ]
        # Kea logs local time; the truth is in UTC.
        environment = ["TZ=UTC"]
        if self._ahead:
            library = chroot(TOOLS_SUITE) / FAKETIME
            binds.append(f'touch "{root}/run/faketime.so" && mount --bind "{library}" "{root}/run/faketime.so"')
            environment += [
                "LD_PRELOAD=/run/faketime.so", f"FAKETIME={self._ahead:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC=1",
            ]
        start = f'{" && ".join(binds)} && exec chroot "{root}" env {" ".join(environment)} {daemon} -c /etc/kea/{daemon}.conf'
        with open(self.folder / f"{daemon}.out", "wb") as output:
            return subprocess.Popen(
                inside(self.server.name, "sh", "-c", start), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )
