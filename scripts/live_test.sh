#!/usr/bin/env bash
# A live capture at full speed and for long, in a network namespace: live_test.sh PROGRAM FOLDER
#
# FOLDER has the capture that is sent, bench.pcap, and topology.toml; the tests make it.
# First tcpdump alone, to find the largest rate that it records without a loss here; then
# dorascope at that rate with recording, lines and metrics, for ten million messages.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$(realpath "$1")
folder=$(realpath "$2")
messages=${MESSAGES:-10000000}
name=dorascope-speed-$$
work=$(mktemp -d)
pids=()

clean() {
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$name" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT

for needed in ip tcpreplay tcpdump curl; do
    if ! command -v "$needed" >/dev/null; then
        echo "SKIPPED: $needed is not installed, so live captures were not measured"
        exit 0
    fi
done
if ! ip netns add "$name" 2>/dev/null; then
    echo "SKIPPED: network namespaces need root, so live captures were not measured"
    exit 0
fi

# What goes on in the background is begun without this, so that its number is the program's own.
inside() { ip netns exec "$name" "$@"; }
inside ip link set lo up
inside ip link add z0 type veth peer name z1
inside sysctl -qw net.ipv6.conf.all.disable_ipv6=1 || true
inside ip link set z0 up
inside ip link set z1 up

capture=$folder/bench.pcap
frames=$(tcpdump -n --count -r "$capture" 2>/dev/null | sed -n 's/^\([0-9]*\) packets\?$/\1/p')
filter='udp port 67 or udp port 68 or tcp port 8001 or tcp port 8002'

# drops RATE : what tcpdump alone loses of the capture when it is sent at so many frames per second.
drops() {
    ip netns exec "$name" tcpdump -i z1 -B 32768 -w "$work/tcpdump.pcap" "$filter" 2>"$work/tcpdump.err" &
    local pid=$!
    pids+=("$pid")
    until grep -qs listening "$work/tcpdump.err"; do sleep 0.05; done
    inside tcpreplay --quiet --preload-pcap "--pps=$1" -i z0 "$capture" >"$work/replay" 2>&1
    sleep 0.5
    kill -TERM "$pid"
    wait "$pid" || true
    sed -n 's/^\([0-9]*\) packets\? dropped by kernel$/\1/p' "$work/tcpdump.err"
}

# Frames per second that tcpreplay reached.
sent() { sed -n 's/^Rated: .* \([0-9]*\)\.[0-9]* pps$/\1/p' "$work/replay"; }

rate=
for try in 300000 200000 170000 150000 130000 110000 90000 70000 50000 30000; do
    lost=$(drops "$try")
    echo "tcpdump alone at $try frames/s ($(sent) were sent): $lost of $frames dropped by the kernel"
    if [ "$lost" = 0 ]; then
        rate=$try
        break
    fi
done
if [ -z "$rate" ]; then
    echo "SKIPPED: tcpdump alone loses frames at every rate on this machine, so there is nothing to compare with"
    exit 0
fi
rm -f "$work/tcpdump.pcap"

# run RATE LOOPS : dorascope with everything on; sets `lost`, and writes its memory every second.
run() {
    local rate=$1 loops=$2
    rm -rf "$work/live" && mkdir "$work/live"
    ip netns exec "$name" "$program" sniff -i bench=z1 -t "$folder/topology.toml" -w "$work/live/ring.pcapng" -b filesize:200000 -b files:3 \
        --jsonl --metrics 9167 >"$work/live/lines.jsonl" 2>"$work/live/err" &
    local pid=$!
    pids+=("$pid")
    until grep -qs 'capturing on' "$work/live/err"; do sleep 0.05; done
    : >"$work/memory"
    (while kill -0 "$pid" 2>/dev/null; do
        sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB$/\1/p' "/proc/$pid/status" >>"$work/memory" || true
        : >"$work/live/lines.jsonl"
        sleep 1
    done) &
    pids+=("$!")
    # It ends with the program, and nobody needs to hear of it.
    disown
    inside tcpreplay --quiet --preload-pcap "--pps=$rate" "--loop=$loops" -i z0 "$capture" >"$work/replay" 2>&1
    # Metrics are made anew with every look, of which there are few while so much is captured.
    for _ in $(seq 60); do
        sleep 0.5
        inside curl -s http://127.0.0.1:9167/metrics >"$work/metrics"
        counted=$(awk '/^dorascope_messages_total/ { sum += $NF } END { printf "%d", sum }' "$work/metrics")
        [ "$counted" -lt "$((1000000 * loops))" ] || break
    done
    kill -TERM "$pid"
    wait "$pid"
    tail -n 1 "$work/live/err" | sed 's/^note: //'
    kernel=$(sed -n 's/.*dropped: \([0-9]*\) by the kernel.*/\1/p' "$work/live/err" | tail -n 1)
    queue=$(sed -n 's/.* \([0-9]*\) by dorascope.*/\1/p' "$work/live/err" | tail -n 1)
    got=$(sed -n 's/^note: \([0-9]*\) frames: .*/\1/p' "$work/live/err" | tail -n 1)
    dhcp=$(sed -n 's/.* frames: \([0-9]*\) DHCP messages.*/\1/p' "$work/live/err" | tail -n 1)
}

loops=$(((messages + 999999) / 1000000))
# Long enough that what waits in memory cannot hide that the analysis is too slow.
run "$rate" 3
echo "dorascope at $rate frames/s ($(sent) were sent), with -w, --jsonl and --metrics: $kernel dropped by the kernel, $queue by dorascope"
while [ "$((kernel + queue))" -gt 0 ] && [ "$rate" -gt 5000 ]; do
    rate=$((rate * 3 / 4))
    run "$rate" 3
    echo "dorascope at $rate frames/s ($(sent) were sent): $kernel dropped by the kernel, $queue by dorascope"
done
if [ "$rate" -lt "$try" ]; then
    echo "SHORTFALL: without a loss dorascope takes $rate frames/s, $(awk "BEGIN { printf \"%.2f\", $rate / $try }") of what tcpdump alone takes"
fi

# This is about memory and not about speed. What is held is what came in some seventy seconds, so it has to go on for
# longer than that before anything can be said.
rate=$((rate / 2 < 75000 ? rate / 2 : 75000))
echo "$loops million messages at $rate frames/s"
run "$rate" "$loops"
if [ "$((got + kernel + queue))" != "$((frames * loops))" ]; then
    echo "FAILED: $got frames arrived of $((frames * loops)); $kernel dropped by the kernel, $queue by dorascope"
    exit 1
fi
if [ "$((kernel + queue))" != 0 ]; then
    echo "SHORTFALL: $((kernel + queue)) of $((frames * loops)) frames were dropped, and told"
fi
if [ "$counted" != "$dhcp" ]; then
    echo "FAILED: the metrics have $counted messages, and $dhcp were captured"
    exit 1
fi
# Memory grows until every table has its size; from then on it must not. A leak of a hundred bytes for each message would
# double it; what waits to be analysed may be a tenth of it.
# median FROM TO : of the readings between two percentages of the run, in MiB.
median() {
    local count
    count=$(wc -l <"$work/memory")
    sed -n "$((count * $1 / 100 + 1)),$((count * $2 / 100))p" "$work/memory" | sort -n |
        awk '{ all[NR] = $1 } END { printf "%d", all[int((NR + 1) / 2)] / 1024 }'
}
early=$(median 40 50)
late=$(median 80 100)
echo "memory: $early MiB before half of it, $late MiB in the last fifth"
if [ "$((late * 100))" -gt "$((early * 125))" ]; then
    echo "FAILED: memory grows"
    exit 1
fi
