"""The parts of the servers' configuration files, written the way people keep them: Kea's dialect, comments and all.

They are text, not dumped dictionaries, because the comments and the stray comma are part of
what a reader of these files has to cope with.
"""

from machines import AGENT_PORT

LIMITS = {"heartbeat-delay": 2000, "max-response-delay": 6000, "max-ack-delay": 3000, "max-unacked-clients": 10}

BETWEEN = ",\n"


def peer(name, url, role):
    return f'                {{ "name": "{name}", "url": "{url}", "role": "{role}", "auto-failover": true }}'


def relationship(mode, this_server, peers, limits=None, more=""):
    """`peers` are texts from `peer`; `limits` add to LIMITS, or take one out with None."""
    values = {name: value for name, value in (LIMITS | (limits or {})).items() if value is not None}
    settings = "".join(f'              "{name}": {str(value).lower()},\n' for name, value in values.items())
    return f"""            {{
              "this-server-name": "{this_server}",
              "mode": "{mode}",
{settings}{more}              "peers": [
{BETWEEN.join(peers)}
              ]
            }}"""


def subnet(zone, pools=None, more=""):
    """`pools` are the texts of the pools; without them the subnet has one."""
    pools = pools or [f'{{ "pool": "{zone.network}.100 - {zone.network}.199" }}']
    return f"""      {{
        "id": {zone.number},
        "subnet": "{zone.subnet}",
        "pools": [ {", ".join(pools)} ],
        "option-data": [ {{ "name": "routers", "data": "{zone.network}.1" }} ]{more}
      }}"""


def dhcp4(comment, interfaces, relationships, subnets, after_last_subnet="", lifetimes="", outputs="output-options"):
    """`outputs`: Kea 2.2 spells the key of a logger's outputs with an underscore."""
    listened = ", ".join(f'"{name}"' for name in interfaces)
    return f"""{comment}
{{
  "Dhcp4": {{
    "interfaces-config": {{ "interfaces": [ {listened} ], "dhcp-socket-type": "raw" }},
    "control-socket": {{ "socket-type": "unix", "socket-name": "/run/kea/kea4-ctrl-socket" }},
    "lease-database": {{ "type": "memfile", "name": "/var/lib/kea/kea-leases4.csv", "lfc-interval": 0 }},
    "valid-lifetime": 600,{lifetimes}
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
{BETWEEN.join(relationships)}
          ]
        }}
      }}
    ],
    "subnet4": [
{BETWEEN.join(subnets)}{after_last_subnet}
    ],
    "loggers": [
      {{
        "name": "kea-dhcp4",
        "severity": "DEBUG",
        "debuglevel": 55,
        "{outputs}": [
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


def files(servers, dhcp4_of):
    """File name → text for every server."""
    texts = {}
    for server in servers:
        texts[f"{server.name}.kea-dhcp4.conf"] = dhcp4_of(server)
        texts[f"{server.name}.kea-ctrl-agent.conf"] = ctrl_agent(server)
    return texts
