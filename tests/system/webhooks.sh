# What the tests of the listener share: the sender on the host, secrets, kills. Sourced after harness.sh and boot.
# shellcheck shell=bash
for part in webhooks webhook_facts; do give "$SOURCE/tests/system/$part.py" /usr/local/bin/$part.py; done
webhooks() { on python3 /usr/local/bin/webhooks.py "$@"; }
secret() { on sh -c 'cat >/etc/orchd/credentials/webhooks/gitea' && on systemctl restart orchd-listener.service; }
state() { on systemctl show --property="$1" --value orchd-listener.service; }
# The listener's resident memory in KiB.
resident() { on sh -c 'grep VmRSS: "/proc/$(systemctl show --property=MainPID --value orchd-listener.service)/status"' | awk '{ print $2 }'; }
# storm_of_kills COUNT TAG [MORE...]   kills the listener and the worker every 100 ms until COUNT deliveries, sent until they are
#                                      answered 2xx, are all through
storm_of_kills() {
    on sh -c 'while sleep 0.1; do systemctl kill --signal=KILL orchd-listener.service orchd-worker.service 2>/dev/null; echo; done >/run/kills' &
    local killer=$!
    webhooks storm "$1" --tag "${@:2}" --workers 32
    kill $killer 2>/dev/null
    wait $killer 2>/dev/null
    on pkill -f 'while sleep 0.1' || true
    echo "kills: $(on wc -l /run/kills)"
}
