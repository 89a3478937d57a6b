#!/usr/bin/env python3
"""Record the lab's scenarios: `record.py [--into FOLDER] [--watch COMMAND] [SLUG…]`, all by default, each from nothing.

Without --into the recordings replace those under captures/. With --watch a command looks on where the
bridges are, from before the first server until it gets SIGTERM after the scenario. `record.py --obstacle`
only tells why this machine cannot record, if it cannot. The recording runs in network, mount and process namespaces of its
own. When it ends, or when this program is interrupted or killed, the kernel takes bridges, mounts and
servers away with it.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import folder
import setup
import truth
import verify
from lab import Lab
from scenarios import SCENARIOS
from scenarios.documentation import ZALDUA1_TABLE, ZALDUA2_TABLE

INSIDE = "--inside"
INTO = "--into"
WATCH = "--watch"
OBSTACLE = "--obstacle"

# A healthy recording takes less than a minute; a stuck one must not stay for ever.
LIMIT_S = 240

# The servers' timers run free, so now and then what a scenario wants to show passes too quickly.
ATTEMPTS = 3


def main(arguments):
    if arguments[:1] == [INSIDE]:
        return record(SCENARIOS[arguments[1]], Path(arguments[2]), arguments[3])
    if arguments == [OBSTACLE]:
        obstacle = setup.obstacle()
        print(obstacle or "nothing")
        return 1 if obstacle else 0
    options = {INTO: folder.CAPTURES, WATCH: ""}
    while len(arguments) > 1 and arguments[0] in options:
        options[arguments[0]], arguments = arguments[1], arguments[2:]
    into = Path(options[INTO]).resolve()
    unknown = set(arguments) - set(SCENARIOS)
    if unknown:
        print(f"no such scenario: {', '.join(sorted(unknown))}; there are: {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    setup.ensure({SCENARIOS[slug].laboratory.suite for slug in arguments or SCENARIOS})
    for slug in arguments or SCENARIOS:
        began = time.monotonic()
        if not any(isolated(slug, into, options[WATCH]) == 0 for _ in range(ATTEMPTS)):
            print(f"{slug}: not recorded", file=sys.stderr)
            return 1
        print(f"{slug}: recorded in {time.monotonic() - began:.0f} s", flush=True)
    into.joinpath("expect.toml").write_text(folder.expectations((ZALDUA1_TABLE, ZALDUA2_TABLE)))
    return 0


def isolated(slug, into, watch):
    """Run ourselves again as the first process of new namespaces.

    setpriv ties unshare's life to ours, and --kill-child ties the inner process's life to
    unshare's: even SIGKILL takes the whole lab down.
    """
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
               "--mount-proc", sys.executable, __file__, INSIDE, slug, into, watch]
    try:
        # In a session of its own, Ctrl-C reaches only us, and one way to end is enough.
        return subprocess.run(command, timeout=LIMIT_S, start_new_session=True).returncode
    except subprocess.TimeoutExpired:
        print(f"{slug}: still not done after {LIMIT_S} s", file=sys.stderr)
        return 1


def record(scenario, into, watch):
    """Play one scenario and publish it in a folder of `into`, if what the servers logged is what was on the wire."""
    # A private /run holds `ip netns` names and all the lab's files, on short paths (UNIX sockets need them).
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    scratch = Path("/run/lab")
    try:
        lab = Lab(scratch, scenario.laboratory, watch)
        scenario.play(lab)
        lab.finish()
    except Exception:
        # The scratch space goes away with us; what is in it tells why.
        shutil.copytree(scratch, folder.LOGS / f"{scenario.slug}.failed", dirs_exist_ok=True, ignore=folder.sockets)
        raise
    truth.write(lab.events, scratch / "truth.jsonl")
    wire = verify.messages(scratch, scenario.laboratory.zones)
    differences = verify.differences(wire, lab.events, scenario.laboratory.servers)
    for difference in differences:
        print(difference, file=sys.stderr)
    if differences:
        return 1
    folder.publish(scenario, lab, wire, scratch, into)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
