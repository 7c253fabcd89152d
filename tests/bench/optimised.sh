# Sourced. Figures of an unoptimised program say little, so what is measured is built in build-bench, not in build.
#
#   optimised NAME     builds the program NAME of tests/bench, and prints its path
# shellcheck shell=bash
optimised() {
    local source build
    source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
    build=$source/build-bench
    [ -e "$build/build.ninja" ] || (cd "$source" && meson setup "$build" --buildtype=debugoptimized >&2) || return
    ninja -C "$build" "tests/bench/$1" >&2 && echo "$build/tests/bench/$1"
}
