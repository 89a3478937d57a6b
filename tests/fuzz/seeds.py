#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets from the recordings: tests/fuzz/corpus/TARGET/seed-*.

Needs tshark. Inputs under other names are those that once crashed a target; they stay as they are.
"""

import pathlib
import re
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
CAPTURES = HERE.parents[1] / "captures"
LOGS = HERE.parents[1] / "tests/data/kea-logs"


def write(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    if all(seed.read_bytes() != content for seed in folder.glob("seed-*")):
        (folder / f"seed-{name}").write_bytes(content)


def segments(capture, most):
    """Segments of a capture's control channel: time in s, ends, seq, ack, flags, payload."""
    names = ["frame.time_epoch", "ip.src", "tcp.srcport", "ip.dst", "tcp.dstport"]
    names += ["tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.payload"]
    fields = [part for name in names for part in ("-e", name)]
    command = ["tshark", "-r", str(capture), "-Y", "tcp", "-T", "fields", *fields]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in text.splitlines()[:most]:
        time, src, sport, dst, dport, seq, ack, flags, payload = (line + "\t" * 8).split("\t")[:9]
        ends = (src, int(sport)), (dst, int(dport))
        yield float(time), *ends, int(seq), int(ack or 0), int(flags, 16), bytes.fromhex(payload)


def channel(capture, most, settings=0):
    """Segments as `bodies/channel.rs` reads them."""
    out, clients, next_seq, last = bytearray([settings]), [], {}, None
    for time, source, target, seq, _, flags, payload in segments(capture, most):
        answers = source[1] < target[1]
        client = target if answers else source
        if client not in clients:
            clients.append(client)
        how = clients.index(client) % 4 | answers << 2
        fields = b""
        ms = round((time - (last or time)) * 1000)
        last = time
        how |= 0x40
        fields += struct.pack("<H", min(max(ms, 0), 0xFFFF))
        # In order where that is what the fuzzer takes for it; the first of a side begins anywhere.
        key = (clients.index(client) % 4, answers)
        if next_seq.get(key) != seq and flags & 2 == 0 and key in next_seq:
            how |= 2 << 3
            fields += struct.pack("<HH", seq >> 16, seq & 0xFFFF)
        elif flags & 2:
            how |= 2 << 3
            fields += struct.pack("<HH", seq >> 16, seq & 0xFFFF)
        next_seq[key] = (seq + len(payload) + (1 if flags & 3 else 0)) & 0xFFFFFFFF
        out += bytes([how, flags & 0x7F]) + fields + struct.pack("<H", len(payload)) + payload
    return bytes(out)


def streams(capture, most):
    """What every side of the first connections says: whether it answers, and its bytes in order of time."""
    said = {}
    for _, source, target, _, _, _, payload in segments(capture, most):
        said.setdefault((source, target), bytearray()).extend(payload)
    return [(source[1] < target[1], bytes(text)) for (source, target), text in said.items() if text]


def bodies(capture):
    """One body of every command, by its name, and of every kind of answer."""
    found = {}
    for _, _, _, _, _, _, payload in segments(capture, 10_000):
        head, _, body = payload.partition(b"\r\n\r\n")
        if len(body) < 1500 and body.endswith((b"}", b"]")):
            command = re.search(rb'"command": *"([^"]*)"', body)
            name = command[1].decode() if command else f"answer-{len(body) // 100}"
            found.setdefault(name, body)
    return found


def beginning(capture, frames):
    """The first frames of a pcap file."""
    content, at = capture.read_bytes(), 24
    for _ in range(frames):
        if at < len(content):
            at += 16 + struct.unpack_from("<I", content, at + 8)[0]
    return content[:at]


def main():
    recorded = {
        "standby": CAPTURES / "all-on/zaldua1.pcap",
        "maintenance": CAPTURES / "maintenance/haran.pcap",
        "sync": CAPTURES / "restart-sync/haran.pcap",
        "tls": CAPTURES / "tls/haran.pcap",
        "rejected": CAPTURES / "rejected-updates/zaldua1.pcap",
    }
    for at, (name, capture) in enumerate(recorded.items()):
        write("channel", name, channel(capture, 12 if name == "tls" else 24, settings=2 * at % 8))
        write("frames", name, beginning(capture, 14))
        seen = set()
        for answers, text in streams(capture, 60):
            if answers not in seen and len(text) < 4000:
                seen.add(answers)
                write("http", f"{name}-{'answer' if answers else 'request'}", bytes([answers | 24]) + text)
    for name in ("sync", "maintenance"):
        for command, body in bodies(recorded[name]).items():
            write("json", command, body)
    write("frames", "dhcp", (CAPTURES / "all-on/zaldua3.pcap").read_bytes())
    write("frames", "relayed", beginning(CAPTURES / "relayed/mendi.pcap", 10))
    chunked = b"\x19HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n[{\"re\r\n8\r\nsult\":0}\r\n"
    write("http", "chunks", chunked + b"1\r\n]\r\n0\r\nTrailer: 1\r\n\r\n")

    for scenario in ("all-on", "hub-release", "passive-backup", "kea-3.0"):
        for file in sorted((CAPTURES / scenario).glob("*.conf"))[:2]:
            write("config", f"{scenario}-{'agent' if 'agent' in file.name else 'dhcp4'}", file.read_bytes())
        # Without the files that it names.
        lines = (CAPTURES / scenario / "topology.toml").read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("kea =", "ctrl-agent ="))]
        write("topology", scenario, "".join(kept).encode())
    dialect = '// one\n{ "Dhcp4": { # two\n "subnet4": [ { "id": 1, /* three */ "subnet": "10.0.0.0/8",, } ],'
    write("config", "dialect", f'{dialect} <?include "none.conf"?> }} }}\n'.encode())

    for log in ("kea-2.2.0.log", "kea-2.6.3.log", "kea-3.0.4.log"):
        lines = (LOGS / log).read_bytes().splitlines(keepends=True)
        for part in range(2):
            write("log", f"{log[4:9]}-{part}", b"".join(lines[part::2]))
    write("leases", "2.6.3", (LOGS / "kea-2.6.3-leases4.csv").read_bytes())
    old = b"address,hwaddr,client_id,valid_lifetime,expire,subnet_id\r\n10.0.0.1,08:00:27:a2:00:01,,0,1700000000,1\r\n"
    write("leases", "old", old + b"10.0.0.2,,01:02,4294967295,1700000000,1,0,0,a&#x2cb,9\n\nx,,,,,\n")


if __name__ == "__main__":
    main()
