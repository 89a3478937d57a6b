#!/usr/bin/env python3
"""Sends DHCP messages that no client program would: `craft.py INTERFACE JSON`, inside a client's namespace.

JSON is a list of what `message` makes. Each message is one Ethernet frame, sent as it is.
"""

import json
import socket
import struct
import sys

BROADCAST_MAC, BROADCAST = "ff:ff:ff:ff:ff:ff", "255.255.255.255"
NOBODY = "0.0.0.0"
TYPES = {"DISCOVER": 1, "REQUEST": 3, "DECLINE": 4, "RELEASE": 7, "INFORM": 8}


def message(message_type, mac, xid, secs=0, client_id="", address=NOBODY, server=None, requested=None, hlen=6):
    """Values for one message. `client_id` is hexadecimal; with `hlen` 0 chaddr is empty; `address` is ciaddr and, for a `server`
    (its MAC and address), the source; without a server it is broadcast."""
    return {
        "type": message_type, "mac": mac, "xid": xid, "secs": secs, "client_id": client_id, "address": address,
        "server": server, "requested": requested, "hlen": hlen,
    }


def frame(values):
    to_mac, to_address = (values["server"] if values["type"] == "RELEASE" else None) or (BROADCAST_MAC, BROADCAST)
    dhcp = _dhcp(values)
    udp = struct.pack(">HHHH", 68, 67, 8 + len(dhcp), 0) + dhcp  # checksum 0: none, as IPv4 allows
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, _ip(values["address"]), _ip(to_address)
    )
    header = header[:10] + struct.pack(">H", _checksum(header)) + header[12:]
    return _mac(to_mac) + _mac(values["mac"]) + b"\x08\x00" + header + udp


def _dhcp(values):
    broadcast = 0x8000 if values["address"] == NOBODY else 0
    fixed = struct.pack(
        ">BBBBIHH4s4s4s4s16s192sI", 1, 1, values["hlen"], 0, values["xid"], values["secs"], broadcast, _ip(values["address"]),
        _ip(NOBODY), _ip(NOBODY), _ip(NOBODY), _mac(values["mac"])[: values["hlen"]], b"", 0x63825363,
    )
    options = bytes((53, 1, TYPES[values["type"]]))
    for code, value in (
        (61, bytes.fromhex(values["client_id"])),
        (50, _ip(values["requested"]) if values["requested"] else b""),
        (54, _ip(values["server"][1]) if values["server"] else b""),
        (55, bytes((1, 3))),
    ):
        if value:
            options += bytes((code, len(value))) + value
    return fixed + options + b"\xff"


def _ip(text):
    return socket.inet_aton(text)


def _mac(text):
    return bytes.fromhex(text.replace(":", ""))


def _checksum(header):
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - ((total & 0xFFFF) + (total >> 16))


if __name__ == "__main__":
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((sys.argv[1], 0))
        for each in json.loads(sys.argv[2]):
            wire.send(frame(each))
