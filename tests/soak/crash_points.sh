# Real processes end at every named boundary of the sources, once each, and all goes on (R11, R14). The host runs the programs of
# the debug build, which have crash points (core/boundary.h), in the units as they are packaged. Sourced after harness.sh,
# scripted.sh, judge.sh and storm.sh:
#
#   crash_all        every boundary armed at once: a process that comes to one first dies there, so the house is killed some
#                    dozens of times in the time of a few tasks
#   crash_each       one after the other, with a task of its own and judged each time. CRASH_ONLY: names that match this
#
# A boundary that is never reached fails. Plain tasks do not pass all of them, hence the ways below.
# shellcheck shell=bash disable=SC2154,SC2016 # place, scripts: of storm.sh and scripted.sh; scripts for the host

crash=/srv/crash
number=0 sent=0

crash_host() {
    local binary slim build=${ORCHD_PROGRAMS:-$SOURCE/build}
    slim=$(mktemp)
    grep -q CRASH_AT "$build/src/daemons/orchd-step" || { fail "a build with crash points is in $build: meson setup --buildtype=debug"; exit 1; }
    set_out
    printf 'merge_tries = 1\n' | on tee -a /etc/orchd/orchd.conf.d/test.toml >/dev/null
    on sed -i '/^\[test\]/{n;s|=.*|= ["/usr/local/lib/orchd-test/agent"]|}' /etc/orchd/projects.d/rain.toml /etc/orchd/projects.d/hail.toml
    for binary in "$build"/src/daemons/orchd-*; do
        [ -f "$binary" ] || continue
        strip --strip-debug -o "$slim" "$binary"
        on sh -c 'cat >"$0.new" && chmod 755 "$0.new" && mv "$0.new" "$0"' "/usr/libexec/orchd/${binary##*/}" <"$slim"
    done
    rm -f "$slim"
    . "$SOURCE/tests/system/webhooks.sh"
    on sh -c 'umask 077; echo s3cret >/etc/orchd/credentials/webhooks/gitea'
    on mkdir -p $crash/armed
    sql_writer | give /dev/stdin $crash/write
    on bash -eu <<HOST
chmod 755 $crash/write
chmod 777 $crash $crash/armed
for unit in /lib/systemd/system/orchd-*.service; do
    mkdir -p /etc/systemd/system/\${unit##*/}.d
    printf '[Service]\nEnvironmentFile=-$crash/env\nBindPaths=$crash\n' >/etc/systemd/system/\${unit##*/}.d/crash.conf
done
systemctl daemon-reload
systemctl restart orchd-worker.service
systemctl try-restart orchd-control.service orchd-listener.service
echo 499 >$place/approve_to
systemd-run --quiet --unit=operator sh -c 'while :; do $place/operator; sleep 0.5; done'
HOST
}

# Processes started from now on die at these; those that stay are started anew.
arm() {
    on sh -c 'cd "$0" && rm -f armed/* && for name; do : >"armed/$name"; done
        { echo "CRASH_ONCE=$0/armed"; printf "CRASH_AT="; printf "%s:1," "$@"; echo; } >env
        systemctl try-restart orchd-worker.service orchd-control.service orchd-listener.service' $crash "$@"
}
armed() { on ls $crash/armed; }
reached() { [ -z "$(armed)" ]; }

# --- ways through the house that pass what a plain task does not. Each is called with a new work item, which ends as `done` ---

made() { on orchctl task create "$1" "a task of the test" || [ -n "$(sql "SELECT 1 FROM tasks WHERE work_item = '$1'")" ]; }
set_out_on() { within 60 made "$1"; }
forge_of() { case $1 in RAIN-*) echo rain ;; *) echo hail ;; esac; }
field() { sql "SELECT $2 FROM tasks WHERE work_item = '$1'"; }
# The first step after before_step() is over, whether it ended its turn or died in it.
stepped() { on test -e "$crash/$1.begun" && ! running "$1" step; }
# A first run of it came to nothing, and is queued again.
failed_once() { [ -n "$(sql "SELECT 1 FROM jobs JOIN tasks ON tasks.id = task_id WHERE work_item = '$1' AND attempts > 0 AND error <> ''")" ]; }
running() { [ -n "$(sql "SELECT 1 FROM jobs JOIN tasks ON tasks.id = task_id WHERE work_item = '$1' AND jobs.role = '$2' AND jobs.status = 'running'")" ]; }
agent_works() { is active active "orchd-agent@$1.service"; }

# Somebody else's commit on the target branch.
outside_commit() {
    on runuser -u orchd -- env HOME=/nonexistent GIT_DIR="/srv/git/$1.git" GIT_INDEX_FILE="$(mktemp -u /tmp/index.XXXXXX)" \
        GIT_AUTHOR_NAME=outside GIT_AUTHOR_EMAIL=o@localhost GIT_COMMITTER_NAME=outside GIT_COMMITTER_EMAIL=o@localhost bash -eu <<'GIT'
for try in 1 2 3 4 5; do
    old=$(git rev-parse main)
    git read-tree "$old"
    git update-index --add --cacheinfo "100644,$(date +%N | git hash-object -w --stdin),outside"
    ! git update-ref refs/heads/main "$(git commit-tree -p "$old" -m outside "$(git write-tree)")" "$old" || exit 0
done
exit 1
GIT
}

# What standard input says is done once, as root, just before the item's next step.
before_step() {
    give /dev/stdin "$crash/$1"
    before_steps "$1" "mv $crash/$1 $crash/$1.begun && exec $crash/$1.begun"
}
before_steps() { # ITEM COMMAND: runs the item's script in the folder before each
    on sh -c 'mkdir -p "/etc/systemd/system/$1.d"; chmod 755 "$2"
        printf "[Service]\nExecStartPre=-+/bin/bash -c \"%s\"\n" "$3" >"/etc/systemd/system/$1.d/before.conf"
        systemctl daemon-reload' before "orchd-step@$1.service" "$crash/$1" "$2"
}

way_plain() { set_out_on "$1"; }
way_killed() { # a run that dies is put away
    script "$1.analyst" <<<"await $1; work"
    set_out_on "$1"
    within 120 agent_works "$1"
    on systemctl kill --kill-whom=all --signal=KILL "orchd-agent@$1.service"
    let "$1"
}
way_behind() { # its branch must be rebased
    script "$1.reviewer" <<<"await $1; work"
    set_out_on "$1"
    within 180 running "$1" reviewer
    outside_commit "$(forge_of "$1")"
    let "$1"
}
way_contested() { # the target branch moves during its re-test
    script "$1.retest" <<<"await $1; work"
    set_out_on "$1"
    within 120 running "$1" retest
    outside_commit "$(forge_of "$1")"
    let "$1"
}
way_branch_deleted() { # by somebody, during its re-test
    script "$1.retest" <<<"await $1; work"
    set_out_on "$1"
    within 120 running "$1" retest
    on runuser -u orchd -- git --git-dir="/srv/git/$(forge_of "$1").git" update-ref -d "refs/heads/task/$1"
    let "$1"
}
way_cancelled() { # its job, which is then retried; its run has said what it cost
    script "$1.analyst" <<<"echo '{\"model\": \"m\"}' >\$ORCHD_RESULT_DIR/usage.json; await $1; work"
    set_out_on "$1"
    within 120 on sh -c 'test -s /var/lib/private/orchd-agent/$0/*/usage.json' "$1"
    local job; job=$(sql "SELECT jobs.id FROM jobs JOIN tasks ON tasks.id = task_id WHERE work_item = '$1' AND jobs.role = 'analyst'")
    cancelled() { on orchctl job cancel "$job"; is human field "$1" hold; }
    within 60 cancelled "$1"
    ended() { is cancelled sql "SELECT status FROM jobs WHERE id = $job"; }
    within 120 ended
    let "$1"
    retried() { on orchctl job retry "$job"; is none field "$1" hold; }
    within 60 retried "$1"
}
way_escalated() { # after three runs that came to nothing
    script "$1.analyst" <<<"[ -e \$here/go-$1 ] || exit 1; work"
    set_out_on "$1"
    within 120 is escalated field "$1" hold
    let "$1"
    asked_again() { on orchctl task retry "$1"; is none field "$1" hold; }
    within 60 asked_again "$1"
}
way_mended() { # its command could not be run, and its project's file, which the worker writes down, says another time limit since
    script "$1.analyst" <<<"[ -e \$here/go-$1 ] || exit 127; work"
    set_out_on "$1"
    within 120 is infra field "$1" hold
    let "$1"
    on sh -c 'sed -i "/^timeout_s = 14/d; s/^\[roles.analyst\]/&\ntimeout_s = 14$(date +%M | tail -c 2)$(date +%S | tail -c 2)/" "/etc/orchd/projects.d/$0.toml"' "$(forge_of "$1")"
    within 60 is none field "$1" hold
}
way_paused() { # between the claim of its step and the step
    before_step "$1" <<<"for try in 1 2 3; do orchctl pause task:$1 --reason 'a test' && break; done"
    set_out_on "$1"
    within 120 is 1 field "$1" 'paused_at IS NOT NULL'
    within 120 stepped "$1"
    resumed() { on orchctl resume "task:$1"; is 0 field "$1" 'paused_at IS NOT NULL'; }
    within 60 resumed "$1"
}
way_moved_on() { # it is paused while its step waits for the mirror
    before_step "$1" <<STEP
systemd-run --quiet flock /var/lib/orchd/mirrors/$(forge_of "$1").git/orchd.lock sh -c '
    touch $crash/locked-$1
    for try in \$(seq 300); do ! orchctl lease list | grep -q "$1" || break; sleep 0.1; done
    for try in 1 2 3; do ! orchctl pause task:$1 --reason "a test" || break; done'
until [ -e $crash/locked-$1 ]; do sleep 0.05; done
runuser -u orchd -- git -C /srv/git/$(forge_of "$1").git branch news-$1 main # a fetch without news needs no lock
STEP
    set_out_on "$1"
    within 120 is 1 field "$1" 'paused_at IS NOT NULL'
    within 120 stepped "$1"
    still_resumed() { on orchctl resume "task:$1"; is 0 field "$1" 'paused_at IS NOT NULL'; }
    within 60 still_resumed "$1"
}
way_forge_away() { # when its step begins: no repository, which is a person's to mend
    local forge; forge=/srv/git/$(forge_of "$1").git
    before_step "$1" <<<"mv $forge $forge.away"
    set_out_on "$1"
    within 60 is infra field "$1" hold
    on mv "$forge.away" "$forge"
    found_again() { on orchctl task release "$1"; is none field "$1" hold; }
    within 30 found_again "$1"
}
way_stopped_finish() { # once it has put the exit on record
    script "$1.analyst" <<<"await $1; work"
    set_out_on "$1"
    within 120 agent_works "$1"
    on sh -c 'flock "$1" sh -c "touch $2; until [ -e $3 ]; do sleep 0.05; done" &
        until [ -e $2 ]; do sleep 0.05; done; touch "$4"
        for try in $(seq 200); do
            [ "$(systemctl show --property=ActiveState --value "orchd-finish-ok@$0")" != activating ] || break; sleep 0.05
        done
        sleep 0.5; systemctl stop "orchd-finish-ok@$0"; touch "$3"; wait' "$1" \
        "/var/lib/orchd/mirrors/$(forge_of "$1").git/orchd.lock" "$crash/locked-$1" "$crash/unlock-$1" "$scripts/go-$1"
}

# What no operation of ours does: SQL on the host's database. `:item` is the work item.
sql_writer() {
    cat <<'WRITER'
#!/usr/bin/python3
import sqlite3, sys
db = sqlite3.connect("/var/lib/orchd/orchd.db", isolation_level=None)
db.executescript("PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000; PRAGMA ignore_check_constraints = ON")
db.execute(sys.stdin.read(), {"item": sys.argv[1]})
WRITER
}
write() { on runuser -u orchd -- $crash/write "$1" <<<"$2"; }
# The same just before the item's next step, where no operation of ours would come in between.
write_before_step() {
    give /dev/stdin "$crash/$1.sql" <<<"$2"
    before_step "$1" <<<"runuser -u orchd -- $crash/write $1 <$crash/$1.sql"
}
way_held() { # between the claim of its step and the step
    write_before_step "$1" "UPDATE tasks SET hold = 'human', hold_reason = 'a test' WHERE work_item = :item"
    set_out_on "$1"
    within 120 is human field "$1" hold
    within 120 stepped "$1"
    let_go() { on orchctl task release "$1"; is none field "$1" hold; }
    within 60 let_go "$1"
}
# At each of its steps while the boundary is armed: a pass of recovery between this and the step takes that lease back.
way_owned() { # its lease is held by another unit than a step, which is gone
    give /dev/stdin "$crash/$1.sql" <<<"INSERT INTO transition_leases (task_id, unit, invocation_id, pid, boot_id, from_stage, fence, acquired_at)
        SELECT id, 'orchd-agent@NOBODY-2.service', 'x', 1, '$(on cat /proc/sys/kernel/random/boot_id)', stage, 1, 0 FROM tasks
        WHERE work_item = :item ON CONFLICT DO UPDATE SET unit = excluded.unit, invocation_id = 'x', pid = 1,
        boot_id = excluded.boot_id, from_stage = excluded.from_stage, fence = fence + 1"
    give /dev/stdin "$crash/$1" <<<"! ls $crash/armed/advance.stop_owner.* || runuser -u orchd -- $crash/write $1 <$crash/$1.sql"
    before_steps "$1" "exec $crash/$1"
    set_out_on "$1"
}
way_stale_lease() { # which no process of orchd leaves: a merge lease whose job is over
    set_out_on "$1"
    within 120 running "$1" architect
    write "$1" "INSERT INTO merge_leases SELECT :item, task_id, jobs.id, 0 FROM jobs JOIN tasks ON tasks.id = task_id
        WHERE work_item = :item AND jobs.status = 'done' LIMIT 1"
}
way_seemed_dead() { # once, while it works
    script "$1.analyst" <<<"await $1; work"
    set_out_on "$1"
    within 120 agent_works "$1"
    ticks() { sql "SELECT max(dead_ticks) FROM runs JOIN tasks ON tasks.id = task_id WHERE work_item = '$1'"; }
    write "$1" "UPDATE runs SET dead_ticks = 1 WHERE task_id = (SELECT id FROM tasks WHERE work_item = :item) AND exit_kind IS NULL"
    within 120 is 0 ticks "$1"
    let "$1"
}
way_impossible() { # a job of its is queued with a start, as in a database that came from elsewhere
    stands_still() { on orchctl pause "project:$1" --reason "a test"; is 1 sql "SELECT paused_at IS NOT NULL FROM projects WHERE name = '$1'"; }
    goes_on() { on orchctl resume "project:$1"; is 0 sql "SELECT paused_at IS NOT NULL FROM projects WHERE name = '$1'"; }
    within 60 stands_still "$(forge_of "$1")"
    set_out_on "$1"
    write "$1" "UPDATE jobs SET started_at = 5 WHERE status = 'queued' AND task_id = (SELECT id FROM tasks WHERE work_item = :item)"
    within 120 is 0 sql "SELECT count(*) FROM jobs WHERE status = 'queued' AND started_at IS NOT NULL"
    within 60 goes_on "$(forge_of "$1")"
}
way_stuck_finish() { # with its exit on record, ten minutes past the ceiling of its run: a person is called
    script "$1.analyst" <<<"await $1; work"
    set_out_on "$1"
    within 120 agent_works "$1"
    on systemd-run --quiet flock "/var/lib/orchd/mirrors/$(forge_of "$1").git/orchd.lock" sh -c \
        "touch $crash/locked-$1; until [ -e $crash/unlock-$1 ]; do sleep 0.05; done"
    within 120 on test -e "$crash/locked-$1"
    let "$1"
    within 120 has_exit "$1"
    write "$1" "DROP TRIGGER runs_identity"
    write "$1" "UPDATE runs SET started_boot = started_boot - 100000000 WHERE task_id = (SELECT id FROM tasks WHERE work_item = :item)"
    write "$1" "CREATE TRIGGER runs_identity BEFORE UPDATE OF id, job_id, task_id, unit, boot_id, started_at, started_boot ON runs
        BEGIN SELECT RAISE(ABORT, 'a run belongs to one job and starts once'); END"
    within 15 is infra field "$1" hold
    on touch "$crash/unlock-$1"
    within 120 is 0 running_agents "$1"
    called() { on orchctl task release "$1"; is none field "$1" hold; }
    within 60 called "$1"
}
has_exit() { [ -n "$(sql "SELECT 1 FROM runs JOIN tasks ON tasks.id = task_id WHERE work_item = '$1' AND exit_kind IS NOT NULL")" ]; }
running_agents() { sql "SELECT count(*) FROM jobs JOIN tasks ON tasks.id = task_id WHERE work_item = '$1' AND kind = 'agent' AND status = 'running'"; }
way_told() { # webhooks come meanwhile, each sent until it is answered 2xx
    set_out_on "$1"
    webhooks storm 3 --tag "$1" --workers 3 >/dev/null
    sent=$((sent + 3))
    within 120 is 0 sql "SELECT count(*) FROM deliveries WHERE state = 'pending'"
}
way_maintained() { # a pass of the maintenance is made; one that dies is made again
    set_out_on "$1"
    within 120 agent_works "$1"
    on install -d -o orchd -g orchd /var/lib/orchd/releases/nobody # as a build leaves it, without a release
    on mkdir -p /var/lib/orchd-deploy/NOBODY-3                     # and a deploy that a restored database knows nothing of
    maintained "$1"
}
maintained() {
    write "$1" "DELETE FROM settings_state WHERE key = 'maintenance'"
    within 120 on systemctl start orchd-maintenance.service
}
way_forgotten() { # its branch goes long after its end
    set_out_on "$1"
    within 120 is "done" field "$1" stage
    within 120 is 0 sql "SELECT count(*) FROM jobs JOIN tasks ON tasks.id = task_id WHERE work_item = '$1' AND finished_at IS NULL"
    write "$1" "UPDATE tasks SET updated_at = 1000 WHERE work_item = :item"
    maintained "$1"
}

way_forge_lost() { # while its first run is prepared
    local forge; forge=/srv/git/$(forge_of "$1").git
    on mv "$forge" "$forge.away"
    set_out_on "$1"
    within 120 failed_once "$1"
    on mv "$forge.away" "$forge"
}
way_refused_end() { # of its first run: nobody may write into the repository meanwhile
    local forge; forge=/srv/git/$(forge_of "$1").git
    script "$1.analyst" <<<"await $1; work"
    set_out_on "$1"
    within 60 agent_works "$1"
    on sh -c 'mv "$0" "$0.refused"' "$forge"
    let "$1"
    within 60 end_failed "$1"
    on sh -c 'mv "$0.refused" "$0"' "$forge" # the operator lets go of what is held
}
end_failed() { [ -n "$(sql "SELECT 1 FROM stalls JOIN runs ON runs.id = run_id JOIN tasks ON tasks.id = task_id WHERE work_item = '$1' AND part = 'end'")" ]; }
way_masked() { # its unit cannot be started
    on systemctl mask --runtime "orchd-agent@$1.service" >/dev/null 2>&1
    set_out_on "$1"
    within 120 failed_once "$1"
    on systemctl unmask --runtime "orchd-agent@$1.service" >/dev/null 2>&1
}
way_orphan() { # a unit without a job runs meanwhile
    on systemctl start orchd-network@NOBODY-1.service
    set_out_on "$1"
}
way_stray() { # a step without a job does not end; half a minute later the passes stop it
    on sh -c 'mkdir -p /run/systemd/system/orchd-step@NOBODY-2.service.d
        printf "[Service]\nExecStart=\nExecStart=/bin/sleep infinity\n" >/run/systemd/system/orchd-step@NOBODY-2.service.d/stray.conf
        systemctl daemon-reload; systemctl start --no-block orchd-step@NOBODY-2.service'
    set_out_on "$1"
}

way_reaped() { # a pass is asked for, and made
    on busctl call org.orchd1 /org/orchd1 org.orchd1.Manager Reap
    on busctl call org.orchd1 /org/orchd1 org.orchd1.Manager Reap
    set_out_on "$1"
    on systemctl start orchd-reaper.service
}

ways=(plain killed behind contested branch_deleted cancelled held mended escalated paused moved_on forge_away forge_lost refused_end
    masked orphan reaped stopped_finish stale_lease owned seemed_dead impossible told maintained)
# The way that leads to a boundary, where it is known; the others are tried after it.
way_to() {
    case $1 in
    recover.take_down.* | recover.end.* | finish.put_away.*) echo killed ;;
    recover.held.*) echo stale_lease ;;
    recover.mended.* | settings.keep.*) echo mended ;;
    recover.stop_orphan.*) echo orphan ;;
    recover.heal.*) echo impossible ;;
    recover.forget_ticks.*) echo seemed_dead ;;
    advance.stop_owner.*) echo owned ;;
    intake.* | listener.*) echo told ;;
    maintain.branch.*) echo forgotten ;;
    maintain.*) echo maintained ;;
    recover.call.*) echo stuck_finish ;;
    recover.strays.*) echo stray ;;
    finish.usage.*) echo cancelled ;;
    operate.reap.* | reap.commit.*) echo reaped ;;
    dispatch.give_up.*) echo masked ;;
    prepare.error.*) echo forge_lost ;;
    recover.tick.* | recover.invocation.*) echo killed ;;
    advance.branch_back.*) echo branch_deleted ;;
    merge.push.*) echo behind ;;
    merge.abandon.* | advance.give_way.*) echo contested ;;
    recover.stop.*) echo cancelled ;;
    advance.hold.*) echo escalated ;;
    advance.idle.*) echo held ;;
    advance.paused.*) echo paused ;;
    advance.moved_on.*) echo moved_on ;;
    advance.put_back.*) echo forge_away ;;
    recover.resume.* | recover.finish.* | finish.again.*) echo stopped_finish ;;
    finish.failed.*) echo refused_end ;;
    *) echo plain ;;
    esac
}

# Boundaries that crash_all leaves to crash_each: their ways take long, or need a task that is left alone meanwhile.
beyond() {
    case $1 in
    recover.call.* | recover.strays.* | maintain.branch.*) echo "tried by itself, in tests/soak/21-crash-points.test" ;;
    *) return 1 ;;
    esac
}
reachable() {
    local name
    "$SOURCE/tests/soak/boundaries" | while read -r name; do beyond "$name" >/dev/null || echo "$name"; done
}
any_named() { [ "$1" != 0 ] || { fail "no boundary of the sources can be listed: see tests/soak/boundaries"; return 1; }; }
skip_beyond() {
    local name why
    while read -r name; do ! why=$(beyond "$name") || skip "killed at $name" "$why"; done < <("$SOURCE/tests/soak/boundaries")
}

judge_all() {
    judge
    equal "each delivery is on record once, and taken in" "$sent $sent 0" \
        "$(sql "SELECT count(*), count(DISTINCT dedup_key), coalesce(sum(state = 'pending'), 0) FROM deliveries")"
    equal "no backup is left half made" "" "$(on find /var/lib/orchd/backups -name '*.partial')"
}

go() { # WAY: a new task goes it
    local prefixes=(RAIN HAIL)
    number=$((number + 1))
    tasks=$number item=${prefixes[number % 2]}-$number
    "way_$1" "$item"
}

crash_all() {
    local names name way tasks item patience=${1:-600}
    mapfile -t names < <(reachable)
    any_named "${#names[@]}" || return
    crash_host
    arm "${names[@]}"
    for way in "${ways[@]}"; do go "$way"; done
    within "$patience" over
    for name in $(armed) $(armed); do # who died before something has not come to what is after it
        ! reached || break
        [ ! "$(armed | grep -Fx "$name")" ] || go "$(way_to "$name")"
        within "$patience" over
    done
    equal "each of ${#names[@]} boundaries ended a process" "" "$(armed)"
    skip_beyond
    judge_all
}

crash_each() {
    local names name way tasks item patience=300 said
    mapfile -t names < <("$SOURCE/tests/soak/boundaries" | grep -E -- "${CRASH_ONLY:-.}")
    any_named "${#names[@]}" || return
    crash_host
    for name in "${names[@]}"; do
        arm "$name"
        for way in $(way_to "$name") "${ways[@]}"; do
            go "$way"
            within $patience over
            ! reached || break
        done
        said=$(FAILED=0; reached || echo "not ok - $name was never reached"; judge_all)
        if grep -q '^not ok' <<<"$said"; then fail "killed at $name"; note <<<"$said"; else pass "killed at $name, all went on ($way, $SECONDS s)"; fi
    done
}
