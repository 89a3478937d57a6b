#!/usr/bin/env python3
"""Look on while the laboratory plays a takeover: `live_lab_watch.py PROGRAM TOPOLOGY FOLDER`.

Runs `PROGRAM sniff` in a terminal of 120×40, presses its keys once a client was given a lease by the
partner, and writes every new screen into FOLDER/screens.jsonl until SIGTERM. The laboratory starts this in
its own namespaces (record.py --watch): whatever happens, the terminal and the program in it end with them.
"""

import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

# In the laboratory's private /run.
SOCKET = "/run/live-lab.tmux"
SETTINGS = """\
set -g status off
set -g remain-on-exit on
set -g default-size 120x40
"""
PAUSE_S = 0.25

ZONES = ("zaldua1", "zaldua2", "zaldua3")
CLIENT, CLIENT_MAC, PARTNER = "zaldua2bez1", "08:00:27:a2:00:01", "zaldua1zerb1"
TAKEN_OVER = "partner-took-over"

# Long enough for a reader of the screens to meet the card twice or more.
CARD_S = 2


def main(program, topology, folder):
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    start(program, topology, folder)
    user = User()
    with open(folder / "screens.jsonl", "w") as screens:
        shown = None
        while not over:
            # Stamped after it was read: what is on it was shown by then.
            text, ts_ns = tmux("capture-pane", "-p", "-t", "live"), time.time_ns()
            if text != shown:
                screens.write(json.dumps({"ts_ns": ts_ns, "text": text}) + "\n")
                shown = text
            user.look(text)
            time.sleep(PAUSE_S)
    (folder / "status").write_text(end())


def start(program, topology, folder):
    settings = folder / "tmux.conf"
    settings.write_text(SETTINGS)
    words = [program, "sniff", *(word for zone in ZONES for word in ("-i", f"{zone}={zone}")), "-t", topology,
             "-w", folder / "live.pcapng", "-o", folder / "tables", "--every", 2]
    command = f"exec {shlex.join(map(str, words))} 2>{shlex.quote(str(folder / 'stderr'))}"
    tmux("-f", settings, "new-session", "-d", "-s", "live", "-x", 120, "-y", 40, command)


def end():
    """Stop the program as an operator's service manager would; returns the status that it ended with."""
    subprocess.run(["kill", "-TERM", tmux("display", "-p", "-t", "live", "#{pane_pid}").strip()], check=False)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        # The terminal may be closed before the status is known.
        status, by_signal = tmux("display", "-p", "-t", "live", "#{pane_dead_status} #{pane_dead_signal}").rstrip("\n").split(" ")
        if status or by_signal:
            tmux("kill-server")
            return status or f"of signal {by_signal}"
        time.sleep(0.05)
    return "does not end"


class User:
    """Waits for a client of the dead server, finds it among the others, reads its card, and goes back."""

    def __init__(self):
        self._turn = self._turns()
        next(self._turn)

    def look(self, screen):
        self._turn.send(screen)

    def _turns(self):
        screen = yield
        while not any(is_taken_over(line) for line in screen.splitlines()):
            screen = yield
        keys("/", CLIENT_MAC, "Enter")
        while "filter:" not in screen:
            screen = yield
        keys("Enter")
        until = time.monotonic() + CARD_S
        while time.monotonic() < until:
            yield
        keys("Escape")
        # Two of them at once would be Alt.
        yield
        keys("Escape")
        while True:
            yield


def is_taken_over(line):
    """The client that belongs to the dead server has an ACK of the partner."""
    words = line.split()
    return "DORA" in words and CLIENT in words and PARTNER in words and TAKEN_OVER in words


def keys(*names):
    tmux("send-keys", "-t", "live", *names)


def tmux(*words):
    command = ["tmux", "-u", "-S", SOCKET, *map(str, words)]
    return subprocess.run(command, check=True, timeout=20, capture_output=True, text=True, encoding="utf-8").stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
