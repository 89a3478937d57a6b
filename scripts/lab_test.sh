#!/usr/bin/env bash
# Records the healthy scenario with real Kea servers into target/lab-test, holds dorascope against
# it, and looks for what the laboratory may have left behind: lab_test.sh PROGRAM
set -euo pipefail
cd "$(dirname "$0")/.."

program=$1
into=target/lab-test
recording=$into/all-on

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "SKIPPED: the laboratory needs root, and sudo is not there or asks for a password"
        exit 0
    fi
    as_root=(sudo -n)
fi
# Whatever the laboratory starts inherits this, so that a process that outlives it is found.
mark=DORASCOPE_LAB_TEST=$$
# Not in /tmp, where root may not write to another user's file.
mkdir -p target
pid_file=target/lab-test.pid
record() {
    # shellcheck disable=SC2016
    "${as_root[@]}" env "$mark" sh -c 'echo $$ >"$0"; exec python3 captures/lab/record.py "$@"' "$pid_file" "$@"
}

if ! obstacle=$(record --obstacle); then
    echo "SKIPPED: the laboratory cannot run here: $obstacle"
    exit 0
fi

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# What of the laboratory is there: its processes, its mounts, named network namespaces.
remains() {
    "${as_root[@]}" grep -lazx "$mark" /proc/[0-9]*/environ 2>/dev/null || true
    grep -E " ($PWD/target/lab|/run/netns|/run/lab)" /proc/self/mountinfo || true
    [ ! -d /run/netns ] || ls /run/netns
}

# nothing_new BEFORE : waits a moment, because the kernel may still be tearing down.
nothing_new() {
    local now=
    for _ in $(seq 50); do
        now=$(remains)
        [ "$now" != "$1" ] || return 0
        sleep 0.1
    done
    fail "the laboratory left something behind:"$'\n'"$now"
}

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
