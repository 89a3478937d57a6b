#!/usr/bin/env bash
# The documentation's takeover, watched live: real Kea servers play it while `dorascope sniff` shows it on a
# terminal and records it. Screens, tables and recording are held against Kea's own logs, and against each
# other: live_lab_test.sh PROGRAM [PICTURES], where a directory for pictures gets the screens that tell most.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$(realpath "$1")
pictures=${2-}
scenario=zaldua2zerb1-killed
into=target/live-lab
recording=$into/$scenario
watched=$PWD/$into/watched
# The servers' configurations are written anew at the end only; until then those of the last recording do.
topology=$PWD/captures/$scenario/topology.toml

if ! command -v tmux >/dev/null; then
    echo "SKIPPED: tmux is not installed, so no takeover was watched live"
    exit 0
fi
. scripts/lab.sh

before=$(remains)
watch=$(printf '%q ' python3 "$PWD/scripts/live_lab_watch.py" "$program" "$topology" "$watched")
record --into "$into" --watch "$watch" "$scenario"
nothing_new "$before"
echo "nothing left behind: no process, mount or network namespace"

for file in "$recording"/*.{toml,conf}; do
    cmp "$file" "captures/$scenario/${file##*/}" || fail "the laboratory has changed: run make captures first"
done
cat "$watched/stderr"
[ "$(cat "$watched/status")" = 0 ] || fail "dorascope sniff ended with status $(cat "$watched/status")"
grep -qF "dropped: 0 by the kernel, 0 by dorascope, 0 lines, 0 rows; 0 frames not recorded" "$watched/stderr" ||
    fail "dorascope sniff lost something"

scripts/live_lab_check.py "$watched/screens.jsonl" "$recording/truth.jsonl" ${pictures:+"$pictures"} ||
    fail "the screens are not what Kea's logs say"

live=$watched/live.pcapng
messages() { for file; do tcpdump -nr "$file" 'udp port 67 or udp port 68' 2>/dev/null; done | wc -l; }
here=$(messages "$live") there=$(messages "$recording"/*.pcap)
{ [ "$here" -gt 0 ] && [ "$here" = "$there" ]; } || fail "$here DHCP messages recorded, by tcpdump $there"
echo "recorded: $here DHCP messages, as by tcpdump"
"$program" check "$live" -t "$topology" --expect "$recording/expect.toml" ||
    fail "the recording does not fill the documentation's table"

python=${CARGO_TARGET_DIR:-target}/peers/bin/python
if [ -x "$python" ]; then
    files=$(mktemp -d)
    trap 'rm -rf "$files"' EXIT
    "$program" analyze "$live" -t "$topology" -o "$files" >/dev/null
    "$python" scripts/same_tables.py "$watched/tables" "$files" || fail "the live tables are not those of the recording"
else
    echo "SKIPPED: no Python with DuckDB, so the live tables were not compared with those of the recording"
fi
