"""The servers' configuration files, written the way people keep them: Kea's dialect, comments and all.

They are text, not dumped dictionaries, because the comments and the stray comma are part of
what a reader of these files has to cope with.
"""

from machines import AGENT_PORT, HUB, SERVERS, ZALDUA1, ZALDUA1ZERB2, ZALDUA2, ZALDUA2ZERB1, ZALDUA3

# The hub's name in the second relationship: peer names must be unique over all of a hub's relationships.
HUB_IN_ZALDUA2 = f"{HUB.name}-{ZALDUA2.name}"

# Dedicated listeners need a port of their own per relationship besides the Control Agent's.
PORT = {ZALDUA1: 8001, ZALDUA2: 8002}
CONTROL_PORTS = (AGENT_PORT, *PORT.values())


def _relationship(zone, this_server, peers):
    rows = ",\n".join(
        f'                {{ "name": "{name}", "url": "http://{server.address(zone)}:{PORT[zone]}/", '
        f'"role": "{role}", "auto-failover": true }}'
        for name, server, role in peers
    )
    return f"""            {{
              "this-server-name": "{this_server}",
              "mode": "hot-standby",
              "heartbeat-delay": 2000,
              "max-response-delay": 6000,
              "max-ack-delay": 3000,
              "max-unacked-clients": 10,
              "peers": [
{rows}
              ]
            }}"""


def _zaldua1_pair(this_server):
    return _relationship(ZALDUA1, this_server, [(HUB.name, HUB, "primary"), (ZALDUA1ZERB2.name, ZALDUA1ZERB2, "standby")])


def _zaldua2_pair(this_server):
    return _relationship(ZALDUA2, this_server, [(ZALDUA2ZERB1.name, ZALDUA2ZERB1, "primary"), (HUB_IN_ZALDUA2, HUB, "standby")])


def _subnet(zone, ha_server):
    return f"""      {{
        "id": {zone.number},
        "subnet": "{zone.subnet}",
        "pools": [ {{ "pool": "{zone.network}.100 - {zone.network}.199" }} ],
        "option-data": [ {{ "name": "routers", "data": "{zone.network}.1" }} ],
        "user-context": {{ "ha-server-name": "{ha_server}" }}
      }}"""


def _dhcp4(comment, interfaces, relationships, subnets, after_last_subnet=""):
    listened = ", ".join(f'"{name}"' for name in interfaces)
    between = ",\n"
    return f"""{comment}
{{
  "Dhcp4": {{
    "interfaces-config": {{ "interfaces": [ {listened} ], "dhcp-socket-type": "raw" }},
    "control-socket": {{ "socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket" }},
    "lease-database": {{ "type": "memfile", "name": "/var/lib/kea/kea-leases4.csv", "lfc-interval": 0 }},
    "valid-lifetime": 600,
    "renew-timer": 300,
    "rebind-timer": 525,
    # One thread, so that the log lines of one query stay together. The dedicated HA listeners need
    # multi-threading switched on.
    "multi-threading": {{ "enable-multi-threading": true, "thread-pool-size": 1 }},
    "hooks-libraries": [
      {{ "library": "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_lease_cmds.so" }},
      {{
        "library": "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_ha.so",
        "parameters": {{
          "high-availability": [
{between.join(relationships)}
          ]
        }}
      }}
    ],
    "subnet4": [
{between.join(subnets)}{after_last_subnet}
    ],
    "loggers": [
      {{
        "name": "kea-dhcp4",
        "severity": "DEBUG",
        "debuglevel": 55,
        "output-options": [
          {{
            "output": "/var/log/kea/kea-dhcp4.log",
            "flush": true,
            /* Kea's own pattern, with microseconds (%Q) instead of milliseconds (%q) */
            "pattern": "%D{{%Y-%m-%d %H:%M:%S.%Q}} %-5p [%c/%i.%t] %m\\n"
          }}
        ]
      }}
    ]
  }}
}}
"""


def dhcp4(server, partner_knows_zaldua3=True):
    """kea-dhcp4.conf of one server."""
    zaldua1 = _subnet(ZALDUA1, HUB.name)
    zaldua2 = _subnet(ZALDUA2, ZALDUA2ZERB1.name)
    if server is HUB:
        return _dhcp4(
            "// zaldua1zerb1: a hub. Primary for zaldua1, standby for zaldua2; zaldua3 hangs on the zaldua1 relationship.",
            [zone.name for zone in server.zones],
            [_zaldua1_pair(HUB.name), _zaldua2_pair(HUB_IN_ZALDUA2)],
            [zaldua1, zaldua2, _subnet(ZALDUA3, HUB.name)],
        )
    if server is ZALDUA2ZERB1:
        return _dhcp4("// zaldua2zerb1: primary for zaldua2.", [ZALDUA2.name], [_zaldua2_pair(server.name)], [zaldua2])
    if partner_knows_zaldua3:
        return _dhcp4(
            "# zaldua1zerb2: standby for zaldua1. It has no interface in zaldua3, but must know the subnet:\n"
            "# otherwise it refuses the lease updates and zaldua1zerb1 withholds its ACKs there.",
            [ZALDUA1.name],
            [_zaldua1_pair(server.name)],
            [zaldua1, _subnet(ZALDUA3, HUB.name)],
            after_last_subnet=",  // room for the next zone",
        )
    return _dhcp4(
        "# zaldua1zerb2: standby for zaldua1.",
        [ZALDUA1.name],
        [_zaldua1_pair(server.name)],
        [zaldua1],
        after_last_subnet=",  // zaldua3 still to be added",
    )


def ctrl_agent(server):
    """kea-ctrl-agent.conf of one server, as on the documentation's page."""
    return f"""// {server.name}: REST on TCP {AGENT_PORT}, commands go on to kea-dhcp4 through its UNIX socket
{{
  "Control-agent": {{
    "http-host": "{server.agent_host}",
    "http-port": {AGENT_PORT},
    "control-sockets": {{
      "dhcp4": {{
        "comment": "{server.name}",
        "socket-type": "unix",
        "socket-name": "/run/kea/kea4-ctrl-socket"
      }}
    }}
  }}
}}
"""


def all_files(partner_knows_zaldua3=True):
    """File name → text for every server."""
    files = {}
    for server in SERVERS:
        files[f"{server.name}.kea-dhcp4.conf"] = dhcp4(server, partner_knows_zaldua3)
        files[f"{server.name}.kea-ctrl-agent.conf"] = ctrl_agent(server)
    return files
