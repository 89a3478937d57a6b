# To be sourced in the repository's root: records with the laboratory, and looks for what it may have left behind.
# shellcheck shell=bash

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

# What of the laboratory is there: its processes, its mounts, network namespaces with the names of its machines.
# Others may have namespaces too, and make or delete them meanwhile.
remains() {
    "${as_root[@]}" grep -lazx "$mark" /proc/[0-9]*/environ 2>/dev/null || true
    grep -oE " ($PWD/target/lab|/run/netns/(zaldua|haran|mendi)|/run/lab)[^ ]*" /proc/self/mountinfo || true
    [ ! -d /run/netns ] || find /run/netns -regextype egrep -regex '/run/netns/(zaldua|haran|mendi).*'
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
