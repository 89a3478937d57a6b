#!/usr/bin/env bash
# Installs the release build with its manual pages and completions, or removes them:
# install.sh install|uninstall [PROGRAM]. PREFIX (/usr/local) and DESTDIR as everywhere.
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
# Where a path is relative to does not change with the directory of this script.
case $prefix in
    /*) ;;
    *)
        echo "install.sh: PREFIX has to be an absolute path, not $prefix" >&2
        exit 2
        ;;
esac
root=${DESTDIR:-}$prefix
program=$root/bin/dorascope
pages=$root/share/man/man1
bash_file=$root/share/bash-completion/completions/dorascope
zsh_file=$root/share/zsh/site-functions/_dorascope
fish_file=$root/share/fish/vendor_completions.d/dorascope.fish

# Pages of an earlier version may be of commands that are gone.
remove() {
    rm -f "$program" "$bash_file" "$zsh_file" "$fish_file" "$pages"/dorascope.1 "$pages"/dorascope-*.1
}

case ${1:-} in
    install)
        built=${2:-${CARGO_TARGET_DIR:-target}/release/dorascope}
        remove
        install -D -m 755 "$built" "$program"
        for shell in bash zsh fish; do
            file=${shell}_file
            "$built" completions "$shell" | install -D -m 644 /dev/stdin "${!file}"
        done
        mkdir -p "$pages"
        "$built" --quiet man -o "$pages"
        chmod 644 "$pages"/dorascope*.1
        echo "installed under $root: bin/dorascope, its manual pages, completions of bash, zsh and fish"
        ;;
    uninstall)
        remove
        echo "removed from $root: bin/dorascope, its manual pages, completions of bash, zsh and fish"
        ;;
    *)
        echo "install.sh install|uninstall [PROGRAM]" >&2
        exit 2
        ;;
esac
