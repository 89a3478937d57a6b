"""A running lab: the network with its captures, the servers, the clients, and a diary of what was done."""

import subprocess
import time

import network
import truth
from clients import Udhcpc
from kea import Kea
from machines import AGENT_PORT, SERVERS, ZONES
from wait import until


class Lab:
    """Everything is on and captured from the first moment; `folder` is scratch space."""

    def __init__(self, folder, configurations):
        self.folder = folder
        self.configurations = configurations
        self.events = []
        self.diary = []  # (ns since the epoch, event or None, server or None, sentence)
        self._clients = folder / "clients"
        self._clients.mkdir(parents=True)
        network.build()
        self.captures = [network.Capture(zone, folder) for zone in ZONES]
        self.keas = {server.name: Kea(server, folder / server.name, configurations) for server in SERVERS}
        for server in SERVERS:
            self._start(server, "started")
        self.settle()

    def note(self, sentence, event=None, server=None):
        self.diary.append((time.time_ns(), event, server and server.name, sentence))

    def settle(self):
        """Wait until every relationship of every server is back in its normal state."""
        for kea in self.keas.values():
            self.wait_for_state(kea.server, "hot-standby", 60)
        self.note("every relationship is in hot-standby on both of its servers")
        # Heartbeats come 2 to 3 s apart: after this every server has reported the new state on the wire,
        # so that what follows does not rest on a report from before it was reached.
        time.sleep(3.5)

    def wait_for_state(self, server, state, seconds=30):
        """Wait until all relationships of `server` are in `state`."""
        kea = self.keas[server.name]
        until(lambda: set(kea.states()) == {state}, f"{server.name} in {state}", seconds)

    def kill(self, server):
        self.note(f"{server.name} is killed: SIGKILL to kea-dhcp4 and kea-ctrl-agent", "killed", server)
        self.keas[server.name].kill()

    def bring_back(self, server):
        self._start(server, "returned")

    def _start(self, server, event):
        self.note(f"{server.name} is launched", event, server)
        self.keas[server.name].start()

    def start_client(self, kind, client, **options):
        return kind(client, self._clients, **options)

    def ask(self, client, server, **options):
        """One udhcpc from DISCOVER to its end: it must get its lease from `server`, none where that is None."""
        if client.load:
            network.add_load_client(client)
        running = self.start_client(Udhcpc, client, script=not client.load, **options)
        running.wait()
        self.served(running, server)

    def served(self, running, server):
        """The scenario stands or falls with this: who acknowledged the lease of a running client."""
        client = running.client
        expected = server and server.address(client.zone)
        if running.server_address() != expected:
            raise RuntimeError(f"{client.name}: lease from {running.server_address()}, expected {expected}")
        self.note(f"{client.name} has " + (f"a lease from {server.name}" if server else "asked in vain"))

    def crowd(self, clients):
        """Start load clients half a second apart, so that at any time their secs differ; the caller waits for them."""
        self.note(f"{len(clients)} load clients begin to ask in {clients[0].zone.name}, one each half second")
        started = []
        for client in clients:
            network.add_load_client(client)
            started.append(self.start_client(Udhcpc, client, tries=20, script=False))
            time.sleep(0.5)
        return started

    def wait_for_leases(self, crowd, server):
        for running in crowd:
            running.wait()
            if running.server_address() != server.address(running.client.zone):
                raise RuntimeError(f"{running.client.name}: no lease from {server.name}")
        self.note(f"the load clients have leases from {server.name}")

    def wait_for_log(self, server, message_id, count):
        """Wait until `server` has logged `message_id` so often."""
        log = self.keas[server.name].log
        until(lambda: log.read_text(errors="replace").count(message_id) >= count, f"{count} {message_id}", 20)

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
        for capture in self.captures:
            capture.stop()
        for kea in self.keas.values():
            kea.kill()
        self.events = truth.collect(self.keas, self.diary)
