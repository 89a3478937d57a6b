#!/usr/bin/env bash
# Runs a block of docs/capturing.md on the wires of a laboratory without servers: place.sh BLOCK NETNS CAPTURES FILE...
#   NETNS     the machine on which the block runs; host for the one with the bridges
#   CAPTURES  how many captures it starts. Once they listen the frames of the FILEs are sent, and then they are
#             interrupted, as by Ctrl-C.
# Everything is made in the network, mount and process namespaces that the caller unshared, and ends with them.
# Exit code 77: such a laboratory cannot be built here.
set -Eeuo pipefail
here=$(cd "$(dirname "$0")" && pwd)
block=$1 netns=$2 captures=$3
shift 3

quiet() { sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 || true; }

# plug MACHINE INTERFACE MAC BRIDGE: a cable from a machine to a bridge, whose ports are numbered.
cables=()
plug() {
    local port=port${#cables[@]}
    [ -e "/run/netns/$1" ] || ip netns add "$1"
    ip link add "$port" type veth peer name "$2" address "$3" netns "$1"
    ip link set "$port" master "$4" up
    ip -n "$1" link set "$2" up
    cables+=("$3=$1/$2")
}

# patiently CONDITION...: waits for it for half a minute.
patiently() {
    for _ in $(seq 600); do
        if "$@"; then return; fi
        sleep 0.05
    done
    echo "place.sh waited in vain: $*" >&2
    exit 1
}

build() {
    mount -t tmpfs tmpfs /run
    mkdir /run/netns
    quiet
    ip link set lo up
    for bridge in br0 br1; do
        ip link add "$bridge" type bridge forward_delay 0 mcast_snooping 0
        ip link set "$bridge" up
    done
    plug zaldua2zerb1 eth0 08:00:27:52:01:02 br0
    plug zaldua1zerb1 eth0 08:00:27:51:01:02 br0
    plug zaldua1zerb1 eth1 08:00:27:51:01:03 br1
    plug zaldua2bez1 eth0 08:00:27:a2:00:01 br0
    plug zaldua3bez1 eth0 08:00:27:a3:00:01 br1
    # A process to be found by its name.
    cp "$(command -v sleep)" /run/kea-dhcp4
    ip netns exec zaldua2zerb1 /run/kea-dhcp4 60 &
    patiently pgrep -x kea-dhcp4 >/dev/null
}

# Each program says it in its own way, dumpcap when its file is open.
listening() {
    [ "$(grep -cE 'listening on|capturing on|^File: ' block.err)" -ge "$captures" ] || ! kill -0 "$running" 2>/dev/null
}

# What was captured is in the files: none has grown for a while.
settled() {
    local before
    before=$(stat -c %s -- *.pcap* 2>/dev/null || true)
    sleep 0.4
    [ "$before" = "$(stat -c %s -- *.pcap* 2>/dev/null || true)" ]
}

trap 'exit 77' ERR
build
trap - ERR

inside=()
[ "$netns" = host ] || inside=(ip netns exec "$netns")
"${inside[@]}" bash -euo pipefail "$block" >block.out 2>block.err </dev/null &
running=$!
if [ "$captures" -gt 0 ]; then
    patiently listening
    python3 "$here/replay.py" "${cables[@]}" "$@"
    patiently settled
    # Only processes of this namespace are in its /proc.
    for pid in $(pgrep -x 'tcpdump|dumpcap|dorascope'); do
        kill -INT "$pid" || true # It may have ended.
    done
fi
wait "$running"
