#!/usr/bin/env python3
"""Sends the frames of pcap files in order of time, each on the interface that has its source address:
replay.py MAC=NETNS/INTERFACE... FILE...

The pauses of the recording are left out; one process sends all, so that their order stays.
"""

import ctypes
import os
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
PAUSE = 0.003  # seconds between two frames
UNITS = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}  # nanoseconds of a file's time stamps, by its magic number

libc = ctypes.CDLL(None, use_errno=True)


def frames(path):
    """(nanoseconds, bytes) of each frame of a little-endian pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    unit = UNITS[struct.unpack_from("<I", data)[0]]
    at = 24
    while at < len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, at)
        yield seconds * 10**9 + fraction * unit, data[at + 16 : at + 16 + length]
        at += 16 + length


def wire(place):
    """A socket on NETNS/INTERFACE."""
    netns, interface = place.split("/")
    with open(f"/run/netns/{netns}", "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    opened.bind((interface, 0))
    return opened


def main(arguments):
    places = [argument.split("=", 1) for argument in arguments if "=" in argument]
    wires = {bytes.fromhex(mac.replace(":", "")): wire(place) for mac, place in places}
    files = [argument for argument in arguments if "=" not in argument]
    for _, frame in sorted((frame for file in files for frame in frames(file)), key=lambda frame: frame[0]):
        wires[frame[6:12]].send(frame)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1:])
