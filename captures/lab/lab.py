"""A running lab: the network with its captures, the servers, the clients, and a diary of what was done."""

import json
import re
import shlex
import subprocess
import time

import certificates
import craft
import network
import truth
from clients import Udhcpc
from kea import Kea
from machines import AGENT_PORT
from setup import TOOLS_SUITE, chroot
from wait import until


class Lab:
    """Everything is on and captured from the first moment; `folder` is scratch space.

    `watch` is a command that looks on, from where the bridges are; empty for none. What it finds is its own affair.
    """

    def __init__(self, folder, laboratory, watch=""):
        self.folder = folder
        self.laboratory = laboratory
        self.events = []
        self.diary = []  # (ns since the epoch, event or None, server or None, sentence)
        self._clients = folder / "clients"
        self._clients.mkdir(parents=True)
        self._xid = 0xC0DE0000
        network.build(laboratory)
        wanted = network.capture_filter(laboratory)
        self.captures = [network.Capture(zone, folder, wanted) for zone in laboratory.zones]
        self._watch = subprocess.Popen(shlex.split(watch)) if watch else None
        secrets = certificates.make(folder, laboratory.servers) if laboratory.tls else {}
        self.keas = {
            server.name: Kea(server, folder / server.name, laboratory, secrets.get(server.name, ()))
            for server in laboratory.servers
        }
        for server in laboratory.servers:
            self._start(server, "started")

    def note(self, sentence, event=None, server=None):
        self.diary.append((time.time_ns(), event, server and server.name, sentence))

    def settle(self):
        """Wait until every relationship of every server is in its normal state."""
        for server in self.laboratory.servers:
            self.wait_for_state(server, self.laboratory.normal[server.name], 60)
        states = sorted(set(self.laboratory.normal.values()))
        self.note(f"every relationship is in {' or '.join(states)} on all of its servers")
        self.let_heartbeats_pass()

    def let_heartbeats_pass(self):
        """Heartbeats come 2 to 3 s apart: after this every server has reported its new state on the wire,
        so that what follows does not rest on a report from before it was reached."""
        time.sleep(3.5)

    def wait_for_state(self, server, state, seconds=30):
        """Wait until all relationships of `server` are in `state`."""
        kea = self.keas[server.name]
        until(lambda: set(kea.states()) == {state}, f"{server.name} in {state}", seconds)

    def remote(self, server):
        """What the only relationship of `server` knows of its partner."""
        return self.keas[server.name].status()["high-availability"][0]["ha-servers"]["remote"]

    def kill(self, server):
        self.note(f"{server.name} is killed: SIGKILL to kea-dhcp4 and kea-ctrl-agent", "killed", server)
        self.keas[server.name].kill()

    def kill_dhcp4(self, server):
        self.note(f"kea-dhcp4 of {server.name} is killed (SIGKILL); its Control Agent lives", "killed", server)
        self.keas[server.name].kill_dhcp4()

    def stop(self, server):
        self.note(f"{server.name} is stopped in order: SIGTERM to kea-dhcp4 and kea-ctrl-agent", "killed", server)
        self.keas[server.name].stop()

    def bring_back(self, server):
        self.keas[server.name].kill()
        self._start(server, "returned")

    def _start(self, server, event):
        self.note(f"{server.name} is launched", event, server)
        self.keas[server.name].start()

    def command(self, server, name, arguments=None):
        """An operator's command; anything but success ends the scenario."""
        words = f"{name} {json.dumps(arguments)}" if arguments else name
        self.note(f"{server.name} is told: {words}")
        answer = self.keas[server.name].command(name, arguments)
        if answer is None or answer["result"] != 0:
            raise RuntimeError(f"{server.name}, {words}: {answer}")

    def cut(self):
        """The control channel is dropped at every server; DHCP goes on."""
        for server in self.laboratory.servers:
            network.cut(server, self.laboratory.ports)
        self.note("a firewall drops the control channel in silence, in both directions")

    def heal(self):
        for server in self.laboratory.servers:
            network.heal(server)
        self.note("the firewall lets the control channel through again")

    def run_tool(self, machine, *words):
        """A program of the tools' chroot in the namespace of `machine`; it ends with the lab."""
        self.note(f"on {machine.name}: {' '.join(words)}")
        with open(self.folder / f"{machine.name}.{words[0]}.out", "wb") as output:
            return subprocess.Popen(
                network.inside(machine.name, "chroot", chroot(TOOLS_SUITE), *words),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )

    def wait_for_tool(self, machine, program, words):
        output = self.folder / f"{machine.name}.{program}.out"
        until(lambda: words in output.read_text(errors="replace"), f"{program} on {machine.name}", 10)

    def start_client(self, kind, client, **options):
        return kind(client, self._clients, **options)

    def ask(self, client, server, **options):
        """One udhcpc from DISCOVER to its end: it must get its lease from `server`, none where that is None."""
        self.served(self._ask(client, options), server)

    def ask_anybody(self, client, **options):
        """As `ask`, but any server will do; returns it."""
        return self.served_by(self._ask(client, options))

    def _ask(self, client, options):
        if client.load:
            network.add_load_client(client)
        running = self.start_client(Udhcpc, client, script=not client.load, **options)
        running.wait()
        return running

    def served(self, running, server):
        """The scenario stands or falls with this: who acknowledged the lease of a running client."""
        if server is None and running.server_address() is None:
            self.note(f"{running.client.name} has asked in vain")
        elif server is None or self.served_by(running) is not server:
            raise RuntimeError(f"{running.client.name}: lease from {running.server_address()}, expected {server and server.name}")

    def served_by(self, running):
        server = self.laboratory.at(running.server_address())
        if server is None:
            raise RuntimeError(f"{running.client.name}: lease from {running.server_address()}")
        self.note(f"{running.client.name} has a lease from {server.name}")
        return server

    def crowd(self, clients, pause=0.5, options=lambda client: {}):
        """Start load clients half a second apart, so that at any time their secs differ; the caller waits for them."""
        self.note(f"{len(clients)} load clients begin to ask in {clients[0].zone.name}, one each {pause} s")
        started = []
        for client in clients:
            network.add_load_client(client)
            started.append(self.start_client(Udhcpc, client, tries=20, script=False, **options(client)))
            time.sleep(pause)
        return started

    def wait_for_leases(self, crowd, *servers):
        """All of a crowd must have leases, from one of `servers`."""
        for running in crowd:
            running.wait()
            if self.laboratory.at(running.server_address()) not in servers:
                raise RuntimeError(f"{running.client.name}: lease from {running.server_address()}")
        self.note(f"the load clients have leases from {' or '.join(server.name for server in servers)}")

    def craft(self, sender, *messages):
        """Send crafted messages at once on the interface of `sender`."""
        subprocess.run(
            network.inside(sender.namespace, "python3", craft.__file__, sender.interface, json.dumps(messages)),
            check=True, timeout=20,
        )

    def xid(self):
        """A new transaction id for a crafted message."""
        self._xid += 1
        return self._xid

    def log(self, server):
        return self.keas[server.name].log.read_text(errors="replace")

    def wait_for_log(self, server, message_id, count, seconds=20):
        """Wait until `server` has logged `message_id` so often."""
        until(lambda: self.log(server).count(message_id) >= count, f"{server.name}: {count} {message_id}", seconds)

    def count(self, server, message_id, client):
        """How often `server` has logged `message_id` for `client`."""
        return sum(message_id in line and client.mac in line for line in self.log(server).splitlines())

    def offered(self, server, client):
        """The address that `server` offered to `client` last."""
        lines = [line for line in self.log(server).splitlines() if "DHCP4_LEASE_OFFER" in line and client.mac in line]
        return re.search(r"lease ([\d.]+\d) ", lines[-1])[1]

    def renewed(self, running, server):
        """A renewal that `server` must acknowledge: udhcpc goes on naming the one that gave the lease first."""
        before = self.count(server, "DHCP4_LEASE_ALLOC", running.client)
        running.renew()
        if self.count(server, "DHCP4_LEASE_ALLOC", running.client) == before:
            raise RuntimeError(f"{running.client.name}: renewed, but not by {server.name}")
        self.note(f"{running.client.name} has renewed its lease with {server.name}")

    def wait_until(self, condition, what, seconds=20):
        until(condition, what, seconds)

    def ask_agent(self, client, server):
        """An operator's status-get from a client's machine to a Control Agent on the same wire."""
        url = f"http://{server.address(client.zone)}:{AGENT_PORT}/"
        request = '{ "command": "status-get", "service": [ "dhcp4" ] }'
        subprocess.run(
            network.inside(client.namespace, "busybox", "wget", "-q", "-O", "-", "--header",
                           "Content-Type: application/json", "--post-data", request, url),
            check=True, timeout=10, capture_output=True,
        )
        self.note(f"an operator on {client.name} asks the Control Agent of {server.name} for its status")

    def finish(self):
        """Close the captures first, so that the end of the lab is not in them, but after one more heartbeat."""
        time.sleep(2.5)
        if self._watch:
            self._watch.terminate()
            self._watch.wait(30)
        for capture in self.captures:
            capture.stop()
        for kea in self.keas.values():
            kea.kill()
        self.events = truth.collect(self.laboratory, self.keas, self.diary)
