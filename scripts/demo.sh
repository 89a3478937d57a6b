#!/usr/bin/env bash
# The main job on the captures in this repository: `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build
echo "building for release: a few minutes the first time, most of it for the table library"
cargo build --release --locked

# show "heading" ARGUMENTS... : the heading, the command as one would type it, and what it prints.
show() {
    local heading=$1
    shift
    printf '\n\n== %s\n\n$ dorascope %s\n\n' "$heading" "$*"
    # Captures are given as quoted patterns, so that the command is printed as typed.
    # shellcheck disable=SC2068
    "${CARGO_TARGET_DIR:-target}/release/dorascope" $@
}

show "Who gave which lease, and was it the right server?" \
    analyze 'captures/all-on/*.pcap' -t captures/all-on/topology.toml

show "Why did zaldua2zerb1 answer zaldua2bez1, and why did zaldua1zerb1 stay silent?" \
    explain 'captures/all-on/*.pcap' -t captures/all-on/topology.toml --client zaldua2bez1

show "Everything healthy, and still no ACK: why?" \
    explain 'captures/withheld-ack/*.pcap' -t captures/withheld-ack/topology.toml --client zaldua3bez1

show "The documentation's tables, filled from a healthy lab and two dead primaries" \
    check 'captures/all-on/*.pcap' 'captures/zaldua1zerb1-killed/*.pcap' 'captures/zaldua2zerb1-killed/*.pcap' \
    -t captures/all-on/topology.toml --expect captures/expect.toml

out=${CARGO_TARGET_DIR:-target}/demo
mkdir -p "$out"
show "The example as a picture for documentation" \
    chart ladder 'captures/all-on/*.pcap' -t captures/all-on/topology.toml --client zaldua2bez1 -o "$out/ladder.svg"

show "Everything on one page" \
    report 'captures/all-on/*.pcap' 'captures/zaldua1zerb1-killed/*.pcap' 'captures/zaldua2zerb1-killed/*.pcap' \
    -t captures/all-on/topology.toml --expect captures/expect.toml -o "$out/report" --force

printf '\n\nThe program is %s/release/dorascope; README.md tells how to use it on your own captures.\n' "${CARGO_TARGET_DIR:-target}"
