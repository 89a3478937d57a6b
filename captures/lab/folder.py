"""The folder of one recorded scenario: captures, configurations, topology, expectations, truth, README."""

import shutil
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from network import capture_filter
from setup import KEA, REPOSITORY

CAPTURES = REPOSITORY / "captures"

# Raw logs are too big to keep, and useful until the next recording.
LOGS = REPOSITORY / "target" / "lab" / "logs"


def publish(scenario, lab, wire, scratch, into):
    """Replace `into`/SLUG by what is in `scratch`, which already holds the captures and truth.jsonl."""
    target = into / scenario.slug
    fresh = target.with_name(f".{scenario.slug}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in [*(f"{zone.name}.pcap" for zone in lab.laboratory.zones), "truth.jsonl"]:
        shutil.copyfile(scratch / name, fresh / name)
    for name, text in lab.laboratory.files.items():
        (fresh / name).write_text(text)
    (fresh / "topology.toml").write_text(_topology(lab.laboratory))
    if scenario.tables:
        (fresh / "expect.toml").write_text(expectations(scenario.tables))
    (fresh / "README.md").write_text(_readme(scenario, lab, wire))
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    logs = LOGS / scenario.slug
    logs.mkdir(parents=True, exist_ok=True)
    for name, kea in lab.keas.items():
        shutil.copyfile(kea.log, logs / f"{name}.kea-dhcp4.log")


def sockets(directory, names):
    """What cannot be copied."""
    return [name for name in names if (Path(directory) / name).is_socket()]


def _topology(laboratory):
    blocks = []
    for zone in laboratory.zones:
        blocks.append(f'[[zone]]\nname = "{zone.name}"\nsubnets = {_strings([zone.subnet])}\n')
    for server in laboratory.servers:
        blocks.append(
            f'[[server]]\nname = "{server.name}"\naddresses = {_strings(server.addresses())}\n'
            f'kea = "{server.name}.kea-dhcp4.conf"\nctrl-agent = "{server.name}.kea-ctrl-agent.conf"\n'
        )
    for client in laboratory.everybody:
        blocks.append(f'[[client]]\nname = "{client.name}"\nmac = "{client.mac}"\n')
    return "\n".join(blocks)


def expectations(tables):
    """expect.toml: `on` are the servers that are on, `lease` has one entry per client."""
    return "\n".join(
        f'[[table]]\ntitle = "{table.title}"\n'
        f"servers = {_names(table.servers)}\nclients = {_names(table.clients)}\nrows = [\n"
        + "".join(f"  {{ on = {_names(on)}, lease = {_strings(lease)} }},\n" for on, lease in table.rows)
        + "]\n"
        for table in tables
    )


def _names(machines_):
    return _strings(machine.name for machine in machines_)


def _strings(values):
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _readme(scenario, lab, wire):
    began = lab.diary[0][0]
    happened = "\n".join(f"| {_clock(ts_ns)} | {sentence} |" for ts_ns, sentence in _story(lab, wire))
    proves = "\n".join(f"- {sentence}" for sentence in scenario.proves)
    does_not = "".join(f"- {sentence}\n" for sentence in scenario.does_not)
    clocks = "" if lab.laboratory.clocks else ", and all clocks are the same"
    day = datetime.fromtimestamp(began // 10**9, timezone.utc).strftime("%Y-%m-%d")
    return f"""# {scenario.title}

Recorded on {day} with real Kea {KEA[lab.laboratory.suite]} servers by `captures/lab/record.py {scenario.slug}`. Times are UTC.

## What happened

| time | |
|---|---|
{happened}
{_load(lab.laboratory, wire)}
## What it proves

{proves}

## What it does not prove

{does_not}- One machine ran everything: delays between machines are far below those of a real network{clocks}.

The captures were taken on the bridges of the zones with the filter `{capture_filter(lab.laboratory)}`. How the lab is built, and what the lines of
`truth.jsonl` mean, stands in [../lab/README.md](../lab/README.md).
"""


def _load(laboratory, wire):
    """One sentence for the messages that the table leaves out."""
    load = laboratory.load
    if not load:
        return ""
    macs = {client.mac for client in load}
    kinds = Counter(message.message_type for message in wire if message.mac in macs)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"\nThe messages of the load clients ({load[0].name} to {load[-1].name}) are left out here: {counted}.\n"


def _story(lab, wire):
    """Diary, state transitions, counted clients and the named clients' messages, in time order."""
    laboratory = lab.laboratory
    clients = {client.mac: client.name for client in laboratory.clients}
    everybody = {client.mac: client.name for client in laboratory.everybody}
    names = {
        machine.mac(zone): machine.name for machine in (*laboratory.servers, *laboratory.others) for zone in machine.zones
    }
    story = [(ts_ns, sentence) for ts_ns, _, _, sentence in lab.diary]
    for event in lab.events:
        if event["event"] == "state":
            story.append((
                event["ts_ns"],
                f"{event['server']}, relationship of {event['relationship']}: {event['from_state'].lower()} →"
                f" **{event['to_state'].lower()}**",
            ))
        elif event["event"] == "counted":
            story.append((event["ts_ns"], f"{event['server']} sees {everybody.get(event['mac'], event['mac'])} ask in vain, not yet for long"))
        elif event["event"] == "unacked":
            story.append((
                event["ts_ns"],
                f"{event['server']} counts {everybody.get(event['mac'], event['mac'])} as unacked: {event['unacked']} so far, {event['left']} left",
            ))
    for message in wire:
        if message.mac in clients:
            who = clients[message.mac]
            where = f"{message.zone}.pcap #{message.frame}"
            if message.from_client:
                by = f", by way of {names[message.src_mac]}" if message.src_mac in names else ""
                story.append((message.ts_ns, f"{where}: {who} → {message.message_type}, secs {message.secs}{by}"))
            else:
                story.append((
                    message.ts_ns,
                    f"{where}: {names.get(message.src_mac, message.src_mac)} → {message.message_type} {message.address} to {who}",
                ))
    return sorted(story)


def _clock(ts_ns):
    moment = datetime.fromtimestamp(ts_ns // 10**9, timezone.utc)
    return f"{moment:%H:%M:%S}.{ts_ns // 10**6 % 1000:03d}"
