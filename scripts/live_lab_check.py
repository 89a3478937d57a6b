#!/usr/bin/env python3
"""Hold the screens of a takeover against Kea's own logs: `live_lab_check.py SCREENS TRUTH [PICTURES]`.

SCREENS is what live_lab_watch.py wrote, TRUTH the truth.jsonl of the same scenario. Says how late the screen was.
With a third argument the screens of the three moments that tell most are written into that directory.
"""

import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

from live_lab_watch import CLIENT, CLIENT_MAC, PARTNER, TAKEN_OVER, is_taken_over

OWNER = "zaldua2zerb1"
RELATIONSHIP = OWNER
MAX_UNACKED_CLIENTS = 10

S = 10**9
# sniff looks once a second; then it draws, and the screen is read four times a second.
LOOK = int(1.5 * S)
# A state is on the wire when a heartbeat, an answer or a refused connection tells it: heartbeats come 2 to 3 s apart.
BEAT = 3 * S + LOOK
TAKEOVER = 2 * S

GROUP = re.compile(r"── (\S+) \+ (\S+) · hot-standby ─")
SEAT = re.compile(r" +(\S+) +(?:primary|standby) +(not running|[a-z-]+\??) ")
COUNT = re.compile(r"unacked clients (\d+) of more than (\d+) · (\d+) left")
DIED = "not running"


class Screen:
    def __init__(self, line):
        fields = json.loads(line)
        self.ts_ns, self.text = fields["ts_ns"], fields["text"].rstrip("\n")
        self.lines = self.text.splitlines()
        self.states = {}  # (server, relationship) → state
        group = None
        for line in self.lines:
            if line.startswith("──"):
                found = GROUP.match(line)
                group = found and found[1]
            elif group and (seat := SEAT.match(line)):
                self.states[seat[1], group] = seat[2]
        count = COUNT.search(self.text)
        self.count = count and tuple(map(int, count.groups()))

    def rows(self, *words):
        return [line for line in self.lines if set(words) <= set(line.split())]

    def has(self, *words):
        return all(word in self.text for word in words)


def main(screens, truth, pictures=None):
    screens = [Screen(line) for line in Path(screens).read_text().splitlines()]
    events = [json.loads(line) for line in Path(truth).read_text().splitlines()]
    try:
        chosen = check(screens, events)
    except AssertionError as wrong:
        for screen in screens:
            print(f"\n#### {clock(screen.ts_ns)}\n{screen.text.rstrip()}")
        print(f"\nFAILED: {wrong}")
        return 1
    for name, screen in chosen.items() if pictures else ():
        Path(pictures, f"{name}.txt").write_text("\n".join(line.rstrip() for line in screen.lines).rstrip() + "\n")
    return 0


def check(screens, events):
    """What Kea says happened must be on the screens, in time and not before."""
    killed = when(events, event="killed", server=OWNER)
    down = when(events, event="state", server=PARTNER, relationship=RELATIONSHIP, to_state="PARTNER-DOWN")
    before = [screen for screen in screens if screen.ts_ns < killed]
    assert before, "no screen from before the kill"
    both = [before[-1].states.get((server, RELATIONSHIP)) for server in (OWNER, PARTNER)]
    assert both == ["hot-standby"] * 2, f"just before the kill the screen says {both}"

    answered = when(events, event="sent", server=OWNER, mac=CLIENT_MAC, message_type="ACK")
    first(screens, answered, LOOK, f"{CLIENT} answered by its owner",
          lambda it: any("owner-answered" in row and "DORA" in row for row in it.rows(CLIENT, OWNER)))
    states(screens, events)
    counting = counts(screens, events, killed, down)
    over = first(screens, down, TAKEOVER, "partner-down", lambda it: it.states.get((PARTNER, RELATIONSHIP)) == "partner-down")

    sent = [it for it in events if matches(it, event="sent", server=PARTNER, mac=CLIENT_MAC, message_type="ACK")]
    assert sent, "the partner never answered the client"
    first(screens, sent[0]["ts_ns"], LOOK, f"{CLIENT} answered by the partner", lambda it: any(map(is_taken_over, it.lines)))
    card = next((it for it in screens if it.has(" Why not ", TAKEN_OVER)), None)
    assert card, "no proof card was on the screen"
    for words in (f"{CLIENT}  {CLIENT_MAC}  got {sent[0]['ip']} from {PARTNER}", "takeover, as expected",
                  f"Why {PARTNER}   standby, state partner-down, serving the scope of {OWNER}", f"Why not {OWNER}"):
        assert card.has(words), f"the proof card lacks: {words}"
    print(f"proof card of {CLIENT}: {sent[0]['ip']} from {PARTNER}, with the rule")
    return {"counting": counting, "partner-down": over, "proof-card": card}


def states(screens, events):
    """Every state on every screen is one that the server had then, or had so recently that no word of it can have come."""
    history = {}  # (server, relationship) → [(ns, state)]
    alive = {}
    for event in events:
        server = event["server"]
        if event["event"] == "state":
            key = server, event["relationship"]
            # The first transition tells the state before it.
            history.setdefault(key, [(alive[server], event["from_state"].lower())])
            history[key].append((event["ts_ns"], event["to_state"].lower()))
        elif event["event"] in ("started", "returned"):
            alive[server] = event["ts_ns"]
            for key in [key for key in history if key[0] == server]:
                history[key].append((event["ts_ns"], "waiting"))
        elif event["event"] == "killed":
            for key in [key for key in history if key[0] == server]:
                history[key].append((event["ts_ns"], DIED))
    latest, compared = 0, 0
    for screen in screens:
        for key, shown in screen.states.items():
            if shown == "unknown" or shown.endswith("?"):
                continue  # it does not say that it is so
            ends = [*(ts_ns for ts_ns, _ in history[key][1:]), screen.ts_ns]
            spans = [(began, end) for (began, state), end in zip(history[key], ends) if state == shown]
            had = [(began, end) for began, end in spans if began <= screen.ts_ns]
            assert had, f"{clock(screen.ts_ns)}: {key} in {shown}, where it never had been"
            late = max(screen.ts_ns - max(end for _, end in had), 0)
            assert late <= BEAT, f"{clock(screen.ts_ns)}: {key} in {shown}, which was over {late / S:.2f} s before"
            latest, compared = max(latest, late), compared + 1
    assert compared > 100, f"only {compared} states on the screens"
    print(f"states: {compared} on {len(screens)} screens are Kea's, the most outdated by {latest / S:.2f} s")


def counts(screens, events, killed, down):
    """The number of unacked clients is Kea's; returns the last screen that says how many are missing."""
    logged = [(it["ts_ns"], it["unacked"], it["left"]) for it in events
              if matches(it, event="unacked", server=PARTNER, relationship=RELATIONSHIP) and killed < it["ts_ns"] < down]
    counted = lambda ts_ns: max((unacked for at, unacked, _ in logged if at <= ts_ns), default=0)
    counting = [it for it in screens if killed < it.ts_ns < down and it.count]
    for screen in counting:
        unacked, most, left = screen.count
        least, now = counted(screen.ts_ns - LOOK), counted(screen.ts_ns)
        assert least <= unacked <= now, f"{clock(screen.ts_ns)}: {unacked} unacked on the screen, in Kea's log {least} to {now}"
        assert screen.states[OWNER, RELATIONSHIP] == DIED, f"{clock(screen.ts_ns)}: {OWNER} not {DIED} while clients are counted"
        assert f"{OWNER} silent for " in screen.text, f"{clock(screen.ts_ns)}: it does not say that {OWNER} is silent"
        assert most == MAX_UNACKED_CLIENTS and all(left == theirs for _, n, theirs in logged if n == unacked), screen.count
    shown = sorted({screen.count[0] for screen in counting})
    # The takeover follows within two seconds of the last client that it needs, or at once.
    enough = len(shown) >= 4 and shown[0] == 0 and shown[-1] >= counted(down - LOOK)
    assert enough, f"unacked clients: {shown} on the screens, {[n for _, n, _ in logged]} in Kea's log"
    late = [next(it.ts_ns for it in counting if it.count[0] >= n) - at for at, n, _ in logged if n <= shown[-1]]
    print(f"unacked clients: {', '.join(map(str, shown))} on the screens as in Kea's log of {logged[-1][1]}, late by"
          f" {min(late) / S:.2f} to {max(late) / S:.2f} s")
    return [it for it in counting if it.count[2]][-1]


def first(screens, since, limit, what, shows):
    """The first screen since an instant that shows something, which must not be later than so much."""
    early = [clock(it.ts_ns) for it in screens if it.ts_ns < since and shows(it)]
    assert not early, f"{what}: on the screen at {early[0]}, in Kea's log at {clock(since)}"
    found = next((it for it in screens if it.ts_ns >= since and shows(it)), None)
    assert found, f"{what}: never on the screen, in Kea's log at {clock(since)}"
    late = found.ts_ns - since
    assert late <= limit, f"{what}: {late / S:.2f} s after Kea's log ({clock(since)})"
    print(f"{what}: on the screen {late / S:.2f} s after Kea's log ({clock(since)})")
    return found


def when(events, **wanted):
    found = next((it["ts_ns"] for it in events if matches(it, **wanted)), None)
    assert found, f"Kea's log has no {wanted}"
    return found


def matches(it, **wanted):
    return all(it.get(key) == value for key, value in wanted.items())


def clock(ts_ns):
    return f"{datetime.fromtimestamp(ts_ns / S, timezone.utc):%H:%M:%S.%f}"[:-3]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
