# A step that was stopped in the middle of its transition, and is continued after another has done it, writes nothing (R13). Each
# step of the tasks is begun by a process of the debug build that stops at a boundary (core/boundary.h) and is then taken out of
# its unit's cgroup, as no process of orchd can be: so nothing kills it, and only the fence is left. Sourced after harness.sh,
# scripted.sh, judge.sh, storm.sh and crash_points.sh; called as
#
#   stopped_holders TIMES        TIMES: how many stopped steps at least. STOP_TIMES overrides it
# shellcheck shell=bash disable=SC2154 # place, crash: of storm.sh and crash_points.sh

holder() {
    cat <<'HOLDER'
#!/bin/bash
# ExecStartPre= of orchd-step@ITEM, as root.
item=$1
cd /srv/crash
mapfile -t points <points
point=${points[RANDOM % ${#points[@]}]}
state() { read -r _ _ state _ <"/proc/$1/stat" && echo "$state"; } 2>/dev/null
CRASH_AT=$point:1 CRASH_BY=STOP INVOCATION_ID=$(tr -d - </proc/sys/kernel/random/uuid) \
    setpriv --reuid=orchd --regid=orchd-db --clear-groups /usr/libexec/orchd/orchd-step "$item" &
holder=$!
until [ "$(state $holder)" = T ]; do
    case $(state $holder) in Z | '') exit 0 ;; esac # it did not come there, and did the step's work
    sleep 0.01
done
mkdir -p /sys/fs/cgroup/stopped
echo $holder >/sys/fs/cgroup/stopped/cgroup.procs
systemd-run --quiet /srv/crash/past "$item" $holder "$point"
HOLDER
}

past() {
    cat <<'PAST'
#!/bin/bash
# Continues the stopped holder when its replacement is through.
while :; do
    case $(systemctl show --property=ActiveState --value "orchd-step@$1.service") in inactive | failed) break ;; esac
    sleep 0.05
done
kill -CONT "$2"
while kill -0 "$2" 2>/dev/null; do sleep 0.02; done
journalctl --sync
echo "$3 $(journalctl --quiet --output=cat _PID="$2" --grep='carries on with' | grep -c '')" >>/srv/crash/stopped
PAST
}

stops() { on sh -c "cat $crash/stopped 2>/dev/null"; }

stopped_holders() {
    local times=${STOP_TIMES:-$1} tasks=0 item patience=600
    crash_host
    holder | give /dev/stdin $crash/holder
    past | give /dev/stdin $crash/past
    # Where it is about to write into the database or the forge.
    "$SOURCE/tests/soak/boundaries" | grep -E '^(advance|merge)\..*\.before$' | give /dev/stdin $crash/points
    printf '[Service]\nExecStartPre=-+%s/holder %%i\n' $crash | give /dev/stdin /etc/systemd/system/orchd-step@.service.d/holder.conf
    on sh -c "chmod 755 $crash/holder $crash/past; systemctl daemon-reload"
    while [ "$(stops | wc -l)" -lt "$times" ]; do
        [ "$tasks" -lt "$times" ] || break
        go plain && go plain
        within $patience over
    done
    within 60 is 0 on sh -c 'grep -c populated\ 1 /sys/fs/cgroup/stopped/cgroup.events'
    check "$(stops | wc -l) of at least $times steps were stopped past their replacement" [ "$(stops | wc -l)" -ge "$times" ]
    equal "each was refused when it went on" "" "$(stops | grep -v ' 1$')"
    stops | sort | uniq -c | note
    judge
}
