# What a system test is written with. A test file is `tests/PART/NN-name.test`, sources this, and prints one line a test:
# `ok - NAME`, `not ok - NAME` or `skip - NAME # WHY`. tests/run gathers the lines.
#
#   boot                        a throw-away host of the file's own, the package installed; HOST is its directory.
#                               Where that cannot be, the file ends with one skip that says why.
#   on COMMAND...               runs it on that host, as root
#   give FILE PATH              copies a file of this machine to the host
#   power_cut                   every process of the host gone at once, then a new boot of the same disk
#   check NAME COMMAND...       a test: the command succeeds. What it printed is shown if not.
#   refused NAME COMMAND...     a test: the command fails
#   equal NAME EXPECTED ACTUAL  a test: two texts are equal
#   within SECONDS COMMAND...   waits for the command to succeed; fails when that time is over. It is what a busy machine may take;
#                               a figure that is a promise is measured instead
#
# At the end the host is thrown away; if a test failed, its journal is kept and the log says where.
# shellcheck shell=bash
set -uo pipefail

SOURCE=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
TESTBED=$SOURCE/tests/testbed/testbed
LOGS=${ORCHD_LOGS:-$SOURCE/build/test-logs}
NAME=$(basename "$0" .test)
HOST=
FAILED=0

pass() { echo "ok - $*"; }
fail() { echo "not ok - $*"; FAILED=$((FAILED + 1)); }
skip() { echo "skip - $1 # $2"; }
note() { sed 's/^/#   /'; }

check() {
    local name=$1 said; shift
    if said=$("$@" 2>&1); then pass "$name"; else fail "$name: $*"; note <<<"$said"; fi
}
refused() {
    local name=$1 said; shift
    if said=$("$@" 2>&1); then fail "$name: $*"; note <<<"$said"; else pass "$name"; fi
}
equal() {
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1"; printf 'expected: %s\n  actual: %s\n' "$2" "$3" | note; fi
}
within() {
    local deadline=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

on() { "$TESTBED" run "$HOST" "$@"; }
give() { on sh -c 'cat >"$1"' give "$2" <"$1"; }
power_cut() { "$TESTBED" cut "$HOST" && "$TESTBED" up "$HOST" --while $$; }

boot() {
    local lacks deb
    if ! lacks=$("$TESTBED" check 2>&1); then skip "$NAME" "no throw-away host here: ${lacks//$'\n'/ }"; exit 0; fi
    deb=${ORCHD_DEB:-$(ls -t "$SOURCE"/packaging/out/orchd_*.deb 2>/dev/null | head -n 1)}
    [ -n "$deb" ] || { fail "$NAME: no package: packaging/build-deb makes it"; exit 1; }
    HOST=$(mktemp -d /tmp/orchd-test.XXXXXX)
    trap end EXIT
    trap 'exit 1' INT TERM
    "$TESTBED" up "$HOST" --while $$ && "$TESTBED" install "$HOST" "$deb" || { fail "$NAME: the host did not come up"; exit 1; }
}
end() {
    local status=$?
    if [ $FAILED != 0 ] || [ $status != 0 ]; then
        mkdir -p "$LOGS"
        on journalctl --no-pager --output=short-precise >"$LOGS/$NAME.journal" 2>&1 && echo "# the host's journal: $LOGS/$NAME.journal"
    fi
    "$TESTBED" rm "$HOST"
}
