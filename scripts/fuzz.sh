#!/usr/bin/env bash
# Runs fuzz targets: fuzz.sh [SECONDS [TARGET...]]; all of them, a minute each: `make fuzz`.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
targets=("${@:2}")
fuzz=tests/fuzz
if [ ${#targets[@]} -eq 0 ]; then
    for file in "$fuzz"/targets/*.rs; do
        targets+=("$(basename "$file" .rs)")
    done
fi

skip() {
    echo "SKIPPED: fuzzing: $1"
    exit 0
}

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "missing: cargo-fuzz, which runs the fuzz targets; building it takes a minute"
    cargo install --quiet --locked --profile dev cargo-fuzz || skip "cargo-fuzz cannot be installed here"
fi
command -v c++ >/dev/null || skip "there is no C++ compiler, which the fuzzer's library needs"

# The compiler's flags for coverage are its unstable ones, whatever toolchain it is of. No sanitizer: nothing
# here is unsafe, and overflows and failed assertions are found without one.
export RUSTC_BOOTSTRAP=1
work=target/fuzz
mkdir -p "$work/tmp"
# The readers of files read them from there.
export TMPDIR=$PWD/$work/tmp
options=(--fuzz-dir "$fuzz" --target-dir "$work" --sanitizer none)

echo 'fn main() {}' >"$work/tmp/probe.rs"
rustc -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Zunstable-options \
    --emit=metadata -o "$work/tmp/probe" "$work/tmp/probe.rs" 2>"$work/tmp/probe.log" ||
    skip "this compiler does not take the fuzzer's flags: $(head -n 1 "$work/tmp/probe.log")"
cargo fuzz build "${options[@]}"

for target in "${targets[@]}"; do
    corpus=$work/corpus/$target artifacts=$work/artifacts/$target
    mkdir -p "$corpus" "$artifacts"
    log=$work/$target.log
    echo "== $target, $seconds s"
    # New inputs go into the first folder; the committed ones stay as they are.
    if ! cargo fuzz run "${options[@]}" "$target" "$corpus" "$fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=20 -rss_limit_mb=1024 \
        -artifact_prefix="$artifacts/" -print_final_stats=1 </dev/null >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        echo "$target failed; its input is in $artifacts" >&2
        exit 1
    fi
    sed -n 's/^stat::number_of_executed_units: */inputs: /p; s/^stat::peak_rss_mb: */memory, MB: /p' "$log"
done
