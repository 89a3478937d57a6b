#!/usr/bin/env bash
# Installs what is missing on Debian, and says what: setup.sh GROUP...
#   build  what compiling needs        test  what the tests run
#   lab    what runs the laboratory    lint  what .ci/run adds
#   browser  what opens the report
#   bench  what dorascope is measured beside
# The laboratory installs the programs that it needs inside by itself (captures/lab/setup.py).
set -euo pipefail
cd "$(dirname "$0")/.."

packages=()

# need PACKAGE "what for" CHECK... : the package is missing unless the check succeeds.
need() {
    local package=$1 reason=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        echo "missing: $package, $reason"
        packages+=("$package")
    fi
}

program() { command -v "$1"; }
header() { [ -e "/usr/include/$1" ]; }

rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! program cargo >/dev/null || ! program rustc >/dev/null; then
        echo "missing: Rust $wanted or newer. Install it with rustup, then run this again." >&2
        exit 1
    fi
    found=$(rustc --version | cut -d' ' -f2)
    if ! printf '%s\n' "$wanted" "${found%%-*}" | sort --version-sort --check=quiet; then
        echo "Rust $found is too old; $wanted or newer is needed. Run: rustup update" >&2
        exit 1
    fi
}

for group in "$@"; do
    case $group in
        build)
            rust
            need gcc "the C compiler and linker for the compression libraries" program cc
            need libc6-dev "the C headers for the compression libraries" header stdio.h
            need libpcap-dev "which captures on interfaces" header pcap/pcap.h
            ;;
        test)
            need tshark "the dissector that the tests compare with" program tshark
            need iproute2 "network namespaces for live captures" program ip
            need tcpdump "a peer of live captures, and what docs/capturing.md is about" program tcpdump
            need procps "which finds the captures that docs/capturing.md starts" program pgrep
            need tcpreplay "which sends recorded frames in a namespace" program tcpreplay
            need tmux "a terminal for the view" program tmux
            need libcap2-bin "which lets a program capture without root" program setcap
            need curl "which reads the metrics" program curl
            need faketime "a clock that can be set without the machine's" program faketime
            need python3-venv "for the notebooks, and for DuckDB in the tests of dorascope query" python3 -c 'import ensurepip'
            need zsh "a shell that the completions are tried in" program zsh
            need fish "a shell that the completions are tried in" program fish
            need man-db "the reader of manual pages" program man
            need tmux "the terminal that a test watches a takeover in" program tmux
            need mandoc "the checker of manual pages" program mandoc
            ;;
        browser)
            need chromium "the browser that the report is tried in" program chromium
            need chromium-driver "which lets a program use the browser" program chromedriver
            need python3-selenium "which drives the browser" /usr/bin/python3 -c 'import selenium'
            ;;
        lab)
            need python3 "the language of the laboratory and of scripts/readme.py" program python3
            ;;
        bench)
            need tshark "a peer of the benchmark" program tshark
            need tcpdump "a peer of the benchmark" program tcpdump
            need valgrind "which counts allocations and instructions" program valgrind
            ;;
        lint)
            for part in fmt clippy; do
                cargo "$part" --version >/dev/null 2>&1 || rustup component add "${part/fmt/rustfmt}"
            done
            if ! cargo deny --version >/dev/null 2>&1; then
                echo "missing: cargo-deny, the check of licences and sources; building it takes a few minutes"
                cargo install --quiet --locked --profile dev cargo-deny
            fi
            ;;
        *)
            echo "setup.sh: no group $group" >&2
            exit 2
            ;;
    esac
done

if [ ${#packages[@]} -eq 0 ]; then
    exit 0
fi
if ! program apt-get >/dev/null; then
    echo "This is no Debian: install these by hand, then run it again." >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif program sudo >/dev/null; then
    as_root=(sudo)
else
    echo "Neither root nor sudo. As root: apt-get install ${packages[*]}" >&2
    exit 1
fi

echo "installing: ${packages[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A third-party source that does not answer must not stop us; a package that is not there will.
"${as_root[@]}" apt-get update >"$log" 2>&1 || true
if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends -y \
    -o Dpkg::Use-Pty=0 "${packages[@]}" >>"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    exit 1
fi
