"""Does the truth match the captures, message by message? A recording in which it does not is refused."""

import struct
from collections import Counter
from dataclasses import dataclass

from truth import HEARD

BROADCAST = "ff:ff:ff:ff:ff:ff"
TYPES = ["", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"]


@dataclass(frozen=True)
class Message:
    ts_ns: int
    zone: str
    frame: int
    src_mac: str
    dst_mac: str
    xid: str
    mac: str  # chaddr; None where hlen is 0
    message_type: str
    secs: int
    address: str  # yiaddr

    @property
    def from_client(self):
        return self.message_type in ("DISCOVER", "REQUEST", "DECLINE", "RELEASE", "INFORM")


def messages(folder, zones):
    """Every DHCP message on the bridges, in time order."""
    found = [message for zone in zones for message in _read(folder / f"{zone.name}.pcap", zone.name)]
    return sorted(found, key=lambda message: message.ts_ns)


def differences(wire, events, servers):
    """Sentences for everything that one side has and the other has not; empty when they agree."""
    said = Counter((e["server"], e["mac"], e["xid"], e["message_type"]) for e in events if e["event"] == "sent")
    # A standby that drops a query in HA's first callout names no type, so types are not compared here.
    heard = Counter((e["server"], e.get("mac"), e.get("xid")) for e in events if _ends_reception(e))
    seen_said, seen_heard = Counter(), Counter()
    for message in wire:
        for server in servers:
            nics = {zone.name: server.mac(zone) for zone in server.zones}
            nic = nics.get(message.zone)
            if message.src_mac == nic:
                seen_said[server.name, message.mac, message.xid, message.message_type] += 1
            elif nic and message.from_client and message.dst_mac in (BROADCAST, nic) and _is_on(server, message.ts_ns, events):
                seen_heard[server.name, message.mac, message.xid] += 1
    _match_nameless(heard, seen_heard, servers)
    return [
        *(f"sent, in the logs only: {key} × {count}" for key, count in (said - seen_said).items()),
        *(f"sent, on the wire only: {key} × {count}" for key, count in (seen_said - said).items()),
        *(f"heard, in the logs only: {key} × {count}" for key, count in (heard - seen_heard).items()),
        *(f"heard, on the wire only: {key} × {count}" for key, count in (seen_heard - heard).items()),
    ]


def _match_nameless(heard, seen_heard, servers):
    """A query that met a disabled service leaves a line without client and xid: such lines are only counted."""
    for server in servers:
        nameless = heard.pop((server.name, None, None), 0)
        unexplained = [key for key in (seen_heard - heard).elements() if key[0] == server.name]
        for key in unexplained[:nameless]:
            seen_heard[key] -= 1
        heard[server.name, None, None] = max(nameless - len(unexplained), 0)


def _ends_reception(event):
    """One event per query that a server heard: a hub that drops a DISCOVER has logged its reception before."""
    return event["event"] in HEARD and event["id"] != "HA_SUBNET4_SELECT_NOT_FOR_US"


def _is_on(server, ts_ns, events):
    on = False
    for event in events:
        if event["ts_ns"] > ts_ns:
            break
        if event["server"] == server.name and event["event"] in ("started", "killed", "returned"):
            on = event["event"] != "killed"
    return on


def _read(path, zone):
    data = path.read_bytes()
    if data[:4] != b"\x4d\x3c\xb2\xa1":
        raise ValueError(f"{path} is not a little-endian pcap with nanoseconds")
    offset, frame = 24, 0
    while offset < len(data):
        seconds, nanoseconds, length, _ = struct.unpack_from("<IIII", data, offset)
        frame += 1
        message = _decode(data[offset + 16 : offset + 16 + length], seconds * 10**9 + nanoseconds, zone, frame)
        if message:
            yield message
        offset += 16 + length


def _decode(frame, ts_ns, zone, number):
    if frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    udp = 14 + 4 * (frame[14] & 15)
    if not {67, 68} & set(struct.unpack_from(">HH", frame, udp)):
        return None
    dhcp = frame[udp + 8 :]
    chaddr = dhcp[28 : 28 + min(dhcp[2], 16)]
    return Message(
        ts_ns, zone, number, _mac(frame[6:12]), _mac(frame[0:6]), dhcp[4:8].hex(), _mac(chaddr) or None,
        TYPES[_option(dhcp, 53)[0]], int.from_bytes(dhcp[8:10], "big"), ".".join(map(str, dhcp[16:20])),
    )


def _option(dhcp, wanted):
    at = 240
    while dhcp[at] != 255:
        if dhcp[at] == 0:
            at += 1
            continue
        if dhcp[at] == wanted:
            return dhcp[at + 2 : at + 2 + dhcp[at + 1]]
        at += 2 + dhcp[at + 1]
    raise ValueError(f"a DHCP message without option {wanted}")


def _mac(octets):
    return octets.hex(":")
