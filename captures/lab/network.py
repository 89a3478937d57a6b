"""Bridges, namespaces and captures. Everything here dies with the namespaces that record.py unshared."""

import re
import signal
import subprocess

from wait import until


def capture_filter(laboratory):
    """DHCP, the control channel, and ARP as a sign of life."""
    return " or ".join(["udp port 67", "udp port 68", *(f"tcp port {port}" for port in laboratory.ports), "arp"])


def run(*command):
    subprocess.run([str(word) for word in command], check=True, timeout=30, stdout=subprocess.DEVNULL)


def inside(namespace, *command):
    return ["ip", "netns", "exec", namespace, *(str(word) for word in command)]


def build(laboratory):
    """A bridge per zone in the namespace we are in, and every machine in one of its own."""
    run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
    for zone in laboratory.zones:
        run("ip", "link", "add", zone.name, "type", "bridge", "forward_delay", 0, "mcast_snooping", 0)
        run("ip", "link", "set", zone.name, "up")
    for machine in (*laboratory.servers, *laboratory.others):
        _add_machine(machine.name)
        for zone in machine.zones:
            _plug(machine.name, zone, machine.mac(zone))
            run(*inside(machine.name, "ip", "address", "add", f"{machine.address(zone)}/24", "dev", zone.name))
    for machine in laboratory.others:
        _route(machine, laboratory.servers)
    for client in laboratory.clients:
        _add_machine(client.namespace)
        _plug(client.namespace, client.zone, client.mac)


def add_load_client(client):
    run(*inside(client.namespace, "ip", "link", "add", client.interface, "link", client.zone.name,
                "address", client.mac, "type", "macvlan", "mode", "bridge"))
    run(*inside(client.namespace, "ip", "link", "set", client.interface, "up"))


def cut(machine, ports):
    """Drop the control channel at `machine`, in silence: its connections hang and time out."""
    rules = "".join(
        f"add rule ip cut {chain} tcp {end} {{ {', '.join(map(str, ports))} }} drop\n"
        for chain in ("input", "output") for end in ("sport", "dport")
    )
    hooks = "".join(
        f"add chain ip cut {chain} {{ type filter hook {chain} priority 0; }}\n" for chain in ("input", "output")
    )
    subprocess.run(inside(machine.name, "nft", "-f", "-"), input=f"add table ip cut\n{hooks}{rules}", text=True, check=True)


def heal(machine):
    run(*inside(machine.name, "nft", "delete", "table", "ip", "cut"))


def _route(machine, servers):
    """A machine in several zones carries packets between them."""
    run(*inside(machine.name, "sysctl", "-qw", f"net.ipv4.ip_forward={int(len(machine.zones) > 1)}"))
    for server in servers:
        for zone in set(machine.zones) - set(server.zones):
            for shared in set(machine.zones) & set(server.zones):
                run(*inside(server.name, "ip", "route", "add", zone.subnet, "via", machine.address(shared)))


def _add_machine(name):
    run("ip", "netns", "add", name)
    run(*inside(name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"))
    run(*inside(name, "ip", "link", "set", "lo", "up"))


def _plug(namespace, zone, mac):
    """A cable from `namespace` to the zone's bridge; the NIC in the machine is named after the zone."""
    port = f"{zone.number}-{namespace}"
    run("ip", "link", "add", port, "type", "veth", "peer", "name", zone.name, "address", mac, "netns", namespace)
    run("ip", "link", "set", port, "master", zone.name, "up")
    run(*inside(namespace, "ip", "link", "set", zone.name, "up"))
    # A frame between namespaces never meets the hardware that would fill in its checksum.
    run("ethtool", "-K", port, "tx", "off")
    run(*inside(namespace, "ethtool", "-K", zone.name, "tx", "off"))


class Capture:
    """tcpdump on one zone's bridge."""

    def __init__(self, zone, folder, wanted):
        self.zone = zone
        self.file = folder / f"{zone.name}.pcap"
        self._messages = folder / f"{zone.name}.tcpdump"
        with open(self._messages, "wb") as messages:
            self._process = subprocess.Popen(
                ["tcpdump", "-i", zone.name, "-w", self.file, "--time-stamp-precision=nano", "-U",
                 # Room for some hundred frames: each takes a whole snapshot length in the ring.
                 "-s", "65535", "-B", "32768",
                 # Frames go to the file at once: none is left in the kernel's ring when tcpdump is stopped.
                 "--immediate-mode", "-Z", "root", wanted],
                stderr=messages,
            )
        until(lambda: "listening on" in self._messages.read_text(), f"tcpdump on {zone.name}", 10)

    def stop(self):
        self._process.send_signal(signal.SIGINT)
        self._process.wait(10)
        dropped = re.search(r"(\d+) packets? dropped by kernel", self._messages.read_text())
        if dropped is None or dropped[1] != "0":
            raise RuntimeError(f"the capture of {self.zone.name} has a hole:\n{self._messages.read_text()}")
