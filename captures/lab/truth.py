"""What the servers themselves say they did: events for truth.jsonl, read from their debug logs.

Most lines carry the client's label (MAC, client identifier, transaction id). Those that do not are
joined with a neighbour of the same thread; with one packet thread per server nothing can come between.
"""

import json
import re
from datetime import datetime, timezone

LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{3})\.(\d{3}) +\w+ +\[[^]]*\.(\d+)] ([A-Z][A-Z0-9_]+) ?(.*)")
LABEL = re.compile(r"\[(?:hwtype=\d+ (?P<mac>[0-9a-f:]+))?[^]]*], cid=\[(?P<client_id>[^]]*)](?: \(malformed client-id\))?, tid=0x(?P<xid>[0-9a-f]+)")
ON_WIRE = re.compile(r"(?:DHCP)?(?P<message_type>\w+) \(type \d+\) (?:received )?from (?P<src>[\d.]+)(?::\d+)? to (?P<dst>[\d.]+)(?::\d+)? on interface (?P<zone>\w+)")
ENVELOPE = re.compile(r"from (?P<src>[\d.]+)(?::\d+)? to (?P<dst>[\d.]+)(?::\d+)? over interface (?P<zone>\w+)")
ADDRESS = re.compile(r"(?:lease|address) (?P<ip>\d+\.\d+\.\d+\.\d+)")
TRANSITION = re.compile(r"from (?P<from_state>[A-Z-]+) to (?P<to_state>[A-Z-]+) state, partner state is (?P<partner_state>[A-Z-]+)")
COUNT = re.compile(r"(?P<unacked>\d+) clients unacked so far, (?P<left>\d+) clients left")
NO_PARTNER = re.compile(r"from (?P<from_state>[A-Z-]+) to (?P<to_state>[A-Z-]+) state$")
# Kea before 2.5.5 does not say whose line it is; only one relationship is possible there.
OWN_PEER = re.compile(r"^(?P<peer>[\w-]+): ")
SERVICE = re.compile(r"while the (?P<peer>[\w-]+) is in the (?P<to_state>[A-Z-]+) state")
IN_RELATIONSHIP = re.compile(r"in relationship (?P<peer>[\w-]+) ")

# Message id → event and what to read from its text.
EVENTS = {
    "DHCP4_PACKET_RECEIVED": ("received", [LABEL, ON_WIRE]),
    "DHCP4_PACKET_SEND": ("sent", [LABEL, ON_WIRE]),
    "DHCP4_PACKET_DROP_0003": ("foreign-server-id", [LABEL]),
    "DHCP4_LEASE_OFFER": ("lease-offer", [LABEL, ADDRESS]),
    "DHCP4_LEASE_ADVERT": ("lease-offer", [LABEL, ADDRESS]),
    "DHCP4_LEASE_ALLOC": ("lease-alloc", [LABEL, ADDRESS]),
    "DHCP4_INIT_REBOOT": ("init-reboot", [LABEL, re.compile(r"requests address (?P<ip>[\d.]+)")]),
    "DHCP4_RELEASE": ("release", [LABEL, ADDRESS]),
    "HA_BUFFER4_RECEIVE_NOT_FOR_US": ("not-for-us", [LABEL]),
    "HA_SUBNET4_SELECT_NOT_FOR_US": ("not-for-us", [LABEL, IN_RELATIONSHIP]),
    "HA_LEASE_UPDATE_CONFLICT": ("lease-update-conflict", [LABEL]),
    "HA_LEASE_UPDATE_FAILED": ("lease-update-failed", [LABEL]),
    "HA_LEASE_UPDATE_COMMUNICATIONS_FAILED": ("lease-update-failed", [LABEL]),
    "HA_LEASES4_COMMITTED_NO_RELATIONSHIP": ("lease-update-failed", [LABEL]),
    "HA_STATE_TRANSITION": ("state", [OWN_PEER, TRANSITION]),
    "HA_STATE_TRANSITION_PASSIVE_BACKUP": ("state", [OWN_PEER, NO_PARTNER]),
    "HA_LOCAL_DHCP_ENABLE": ("service-on", [SERVICE]),
    "HA_LOCAL_DHCP_DISABLE": ("service-off", [SERVICE]),
    "HA_HEARTBEAT_COMMUNICATIONS_FAILED": ("heartbeat-failed", [OWN_PEER]),
    "HA_HEARTBEAT_FAILED": ("heartbeat-failed", [OWN_PEER]),
    "HA_COMMUNICATION_INTERRUPTED": ("interrupted", [OWN_PEER]),
    "HA_COMMUNICATION_INTERRUPTED_CLIENT4": ("counted", [OWN_PEER, LABEL]),
    "HA_COMMUNICATION_INTERRUPTED_CLIENT4_UNACKED": ("unacked", [OWN_PEER, LABEL, COUNT]),
}

# Families whose members are named by a number or a reason.
DROP = re.compile(r"DHCP4_PACKET_DROP_(\d+)$")
NAK = re.compile(r"DHCP4_PACKET_NAK_(\d+)$")
NO_RELATIONSHIP = re.compile(r"HA_SUBNET4_SELECT_(NO_\w+|INVALID_\w+|FAILED)$")

# HA's own lines: they belong to a relationship even where they do not name it.
OF_A_RELATIONSHIP = ("state", "heartbeat-failed", "interrupted", "counted", "unacked", "service-on", "service-off")

HEARD = ("received", "not-for-us", "foreign-server-id", "dropped")


def collect(laboratory, keas, diary):
    """All events of one recording in time order."""
    events = [
        event
        for server in laboratory.servers
        for event in _of_server(server.name, keas[server.name].log, laboratory)
    ]
    for ts_ns, event, server, sentence in diary:
        if event:
            events.append({"ts_ns": ts_ns, "server": server, "event": event, "id": f"LAB_{event.upper()}", "text": sentence})
    return sorted(events, key=lambda event: event["ts_ns"])


def write(events, path):
    lines = ({key: value for key, value in event.items() if key != "text"} | {"text": event["text"]} for event in events)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _of_server(server, log, laboratory):
    events = []
    ahead_ns = laboratory.clocks.get(server, 0) * 10**9
    envelope = {}  # thread → where the query that it works on came from
    lease = {}  # (mac, xid) → address last offered or given
    for line in log.read_text(errors="replace").splitlines():
        found = LINE.match(line)
        if not found:
            continue  # the continuation of a dumped configuration or answer
        second, milli, micro, thread, message_id, text = found.groups()
        if message_id in ("DHCP4_BUFFER_RECEIVED", "DHCP4_BUFFER_UNPACK"):
            envelope[thread] = ENVELOPE.search(text).groupdict()
        elif message_id == "DHCP4_HOOK_BUFFER_RCVD_DROP" and events and events[-1]["id"] == "HA_BUFFER4_RECEIVE_NOT_FOR_US":
            # HA parses and drops first; only then does Kea say where the query came from.
            events[-1] |= ENVELOPE.search(text).groupdict()
        kind = _kind(message_id)
        if kind is None:
            continue
        name, patterns = kind
        event = {"ts_ns": _nanoseconds(second, milli, micro) - ahead_ns, "server": server, "event": name, "id": message_id, "text": text}
        for pattern in patterns:
            match = pattern.search(text)
            if match:
                event |= {key: value for key, value in match.groupdict().items() if value}
        _tidy(event, server, laboratory.relationships)
        if name in ("foreign-server-id", "dropped"):
            event |= envelope.get(thread, {})
        client = (event.get("mac"), event.get("xid"))
        if name in ("lease-offer", "lease-alloc"):
            lease[client] = event["ip"]
        elif name in ("sent", "lease-update-conflict", "lease-update-failed") and client in lease and event.get("message_type") != "NAK":
            event["ip"] = lease[client]
        events.append(event)
    return events


def _kind(message_id):
    if message_id in EVENTS:
        return EVENTS[message_id]
    if DROP.match(message_id):
        return "dropped", [LABEL]
    if NAK.match(message_id):
        return "nak", [LABEL]
    if NO_RELATIONSHIP.match(message_id):
        return "no-subnet" if message_id.endswith("NO_SUBNET_SELECTED") else "no-relationship", [LABEL]
    return None


def _tidy(event, server, relationships):
    """Values in the form that the captures' readers use."""
    if event.get("client_id") == "no info":
        del event["client_id"]
    if event.get("xid") == "0":
        del event["xid"]  # a query dropped before it was parsed
    if "xid" in event:
        event["xid"] = event["xid"].zfill(8)
    for key in ("unacked", "left"):
        if key in event:
            event[key] = int(event[key])
    numbered = DROP.match(event["id"]) or NAK.match(event["id"])
    if numbered:
        event["code"] = numbered[1]
    if event["event"] in OF_A_RELATIONSHIP and event.get("peer") not in relationships:
        event["peer"] = server
    if "peer" in event:
        event["relationship"] = relationships[event["peer"]]
    elif event["id"] == "HA_BUFFER4_RECEIVE_NOT_FOR_US":
        # Only a server with a single relationship decides this early.
        event["relationship"] = relationships[server]


def _nanoseconds(second, milli, micro):
    moment = datetime.strptime(second, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 10**9 + int(milli) * 10**6 + int(micro) * 10**3
