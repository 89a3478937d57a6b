#!/usr/bin/env bash
# Records the healthy scenario with real Kea servers into target/lab-test, holds dorascope against
# it, and looks for what the laboratory may have left behind: lab_test.sh PROGRAM
set -euo pipefail
cd "$(dirname "$0")/.."

program=$1
into=target/lab-test
recording=$into/all-on

. scripts/lab.sh

before=$(remains)

record --into "$into" all-on
nothing_new "$before"
echo "nothing left behind: no process, mount or network namespace"

"$program" check "$recording"/*.pcap -t "$recording/topology.toml" --expect "$recording/expect.toml" ||
    fail "the fresh recording does not fill the documentation's tables"
card=$("$program" explain "$recording"/*.pcap -t "$recording/topology.toml" --client zaldua2bez1)
echo "$card"
for words in "from zaldua2zerb1" "Why not zaldua1zerb1" "scope-not-served"; do
    grep -qF "$words" <<<"$card" || fail "the proof card of the fresh recording lacks: $words"
done

# Killed in the middle, it must leave nothing either, and the recording as it was.
old=$(cat "$recording"/*.pcap | sha256sum)
record --into "$into" all-on >/dev/null 2>&1 &
sleep 5
[ "$(remains)" != "$before" ] || fail "five seconds into a recording nothing of it was found"
"${as_root[@]}" kill -KILL "$(cat "$pid_file")"
wait $! 2>/dev/null || true
nothing_new "$before"
[ "$old" = "$(cat "$recording"/*.pcap | sha256sum)" ] || fail "a killed recording changed the folder"
echo "killed in the middle: nothing left behind"
