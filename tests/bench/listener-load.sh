#!/bin/bash
# The load of listener.test, in a mount namespace of its own: the packaged program, and what it is compared with, on the machine's
# disk (a throw-away host's is in memory, where a sync costs nothing).
#   unshare --mount listener-load.sh DISK TREE BENCH      an empty directory, the unpacked package, bench_listener
set -uo pipefail
disk=$1 tree=$2 bench=$3
seconds=${BENCH_SECONDS:-5}
here=$(dirname "$(realpath "$0")")
mkdir -p "$disk"/{orchd,bench,credentials}
mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/orchd /var/lib/bench
mount --bind "$disk/orchd" /var/lib/orchd && mount --bind "$disk/bench" /var/lib/bench
mount -t tmpfs tmpfs /run && mkdir /run/orchd
cd /var/lib/bench || exit 1
trap 'kill $(jobs -p) 2>/dev/null' EXIT

answers() { until curl --silent --output /dev/null "http://127.0.0.1:$1/"; do sleep 0.05; done; }
rate() { sed -n 's/.*: \([0-9]*\) a second.*/\1/p' <<<"$1"; }
resident() { awk '/VmRSS|RssAnon/ { printf "%s %.1f MB  ", $1, $2 / 1024 }' "/proc/$1/status"; }

# --- ours, and bare at the batch size that came of it ---
echo s3cret >"$disk/credentials/webhooks_gitea"
"$bench" bare /var/lib/orchd/orchd.db 1 0 >/dev/null # makes it
export CREDENTIALS_DIRECTORY=$disk/credentials
systemd-socket-activate --listen=127.0.0.1:8600 --setenv=CREDENTIALS_DIRECTORY "$tree/usr/libexec/orchd/orchd-listener" 2>/dev/null &
listener=$!
answers 8600
echo "orchd-listener at rest: $(resident $listener)"
for connections in 1 32 128; do
    said=$("$bench" load 8600 /webhooks/gitea $connections "$seconds" /run/orchd/wake)
    echo "orchd-listener, $said"
    batch=$(sed -n 's/.*batch //p' <<<"$said")
    bare=$("$bench" bare /var/lib/bench/bare.db "$(printf %.0f "${batch:-1}")" "$seconds")
    echo "$bare"
    echo "ratio to bare: $(awk -v ours="$(rate "$said")" -v bare="$(rate "$bare")" 'BEGIN { printf "%.2f", ours / (bare ? bare : 1) }')"
    rm -f bare.db*
done
echo "orchd-listener after that: $(resident $listener)"
kill $listener

# --- a FastAPI service ---
cp "$here/fastapi_service.py" .
uvicorn --port 8601 --log-level warning --no-access-log fastapi_service:app &
service=$!
answers 8601
for connections in 1 32 128; do echo "FastAPI, $("$bench" load 8601 /webhooks/gitea $connections "$seconds")"; done
echo "FastAPI after that: $(resident $service)"
kill $service

# --- Debian's webhook: a command a delivery ---
cat >store <<'END'
#!/bin/sh
exec sqlite3 -cmd '.timeout 10000' -cmd 'PRAGMA synchronous = FULL' /var/lib/bench/webhook.db \
    "INSERT INTO deliveries (dedup_key, event, body) VALUES ('$DELIVERY', '$EVENT', '$BODY') ON CONFLICT DO NOTHING" >/dev/null
END
chmod 755 store
sqlite3 webhook.db 'PRAGMA journal_mode = WAL; CREATE TABLE deliveries (dedup_key TEXT UNIQUE, event, body)' >/dev/null
cat >hooks.json <<'END'
[{"id": "gitea", "execute-command": "/var/lib/bench/store", "include-command-output-in-response": true,
  "pass-environment-to-command": [
    {"envname": "DELIVERY", "source": "header", "name": "X-Gitea-Delivery"},
    {"envname": "EVENT", "source": "header", "name": "X-Gitea-Event-Type"},
    {"envname": "BODY", "source": "entire-payload"}],
  "trigger-rule": {"match": {"type": "payload-hmac-sha256", "secret": "s3cret",
                             "parameter": {"source": "header", "name": "X-Gitea-Signature"}}}}]
END
webhook -hooks hooks.json -ip 127.0.0.1 -port 8602 -urlprefix hooks >/dev/null 2>&1 &
answers 8602
for connections in 1 32 128; do echo "webhook, $("$bench" load 8602 /hooks/gitea $connections "$seconds")"; done
