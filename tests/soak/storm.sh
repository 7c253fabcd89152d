# A storm: tasks of two projects under way while processes of orchd die by SIGKILL at random moments and the power goes. Then
# what must hold when it is over (R07, R08, R11, R12, R30). Sourced after harness.sh and scripted.sh; called as
#
#   storm TASKS KILLS CUTS PATIENCE     PATIENCE: seconds from the last kill until all tasks must be done
#
# STORM_TASKS, STORM_KILLS, STORM_CUTS and STORM_PATIENCE override these; STORM_SEED, which is printed, repeats the order of
# victims, though not what they were just doing.
# shellcheck shell=bash disable=SC2154 # scripts: of scripted.sh

place=/srv/storm # on the host: what the storm's own programs keep

# --- what runs on the host ---

# Deploys by one appended line. So the log is what is live, and what was deployed, how often, in one write.
deploy_hook() {
    cat <<'HOOK'
#!/bin/bash
log=/srv/storm/$ORCHD_PROJECT.deploys
case $1 in
status) [ ! -e "$log" ] || tail -n 1 "$log" ;;
deploy) sleep 0.2; echo "$ORCHD_COMMIT $ORCHD_WORK_ITEM run $ORCHD_RUN_ID" >>"$log"; sleep 0.2 ;;
*) exit 1 ;;
esac
HOOK
}

# What an operator does: approves the analyses that wait, of the tasks up to the number in `approve_to`.
operator() {
    cat <<'OPERATOR'
#!/bin/bash
orchctl task list --needs-you --json | jq --raw-output '.[] | select(.stage == "analysis").work_item' |
    while read -r item; do
        [ "${item#*-}" -gt "$(cat /srv/storm/approve_to)" ] || orchctl task approve "$item"
    done
OPERATOR
}

# killer SEED FROM TO ALL TASKS: kills number FROM to TO of ALL. A victim is waited for, watched for a moment and killed: its
# main process, a child of it, or the whole unit. Only the shell's own means: most victims live for a few hundredths of a second.
killer() {
    cat <<'KILLER'
#!/bin/bash
shopt -s nullglob extglob
slice=/sys/fs/cgroup/orchd.slice
victims=(worker step prepare finish run deploy-run control)
declare -A units=([worker]='orchd-worker' [step]='orchd-step@*' [prepare]='orchd-prepare@*' [finish]='orchd-@(finish|deploy)-@(ok|fail)@*'
    [run]='orchd-agents.slice/orchd-agent@*' [deploy-run]='orchd-deploy@*' [control]='orchd-control')
exec {never}<> <(:)
pause() { read -r -t "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))" -u $never; }
is_main() { local comm; read -r comm <"/proc/$2/comm" && name=orchd-$1 && [ "$comm" = "${name:0:15}" ]; } 2>/dev/null

find_victim() { # KIND: unit and pid of one that runs
    local file candidate candidates=() found=()
    for file in $slice/${units[$1]}.service/cgroup.procs; do
        mapfile -t candidates <"$file"
        for candidate in "${candidates[@]}"; do ! is_main "$1" "$candidate" || found+=("$file $candidate"); done
    done
    [ ${#found[@]} -gt 0 ] && read -r unit pid <<<"${found[RANDOM % ${#found[@]}]}"
} 2>/dev/null

strike() {
    local how=$((RANDOM % 5)) pids=("$pid")
    case $how in
    0) read -r -a pids <"/proc/$pid/task/$pid/children" && [ ${#pids[@]} -gt 0 ] || pids=("$pid") ;;
    1) mapfile -t pids <"$unit" ;;
    esac
    kill -KILL "${pids[@]}"
} 2>/dev/null

RANDOM=$1 number=$2 to=$3 all=$4 tasks=$5
while :; do /srv/storm/operator >/dev/null 2>&1; sleep 0.5; done &
while [ "$number" -le "$to" ]; do
    pause $((RANDOM % 700))
    kind=${victims[RANDOM % ${#victims[@]}]}
    for ((looks = 0; looks < 100; looks++)); do ! find_victim $kind || break; pause 10; done
    [ $looks -lt 100 ] || continue
    pause $((RANDOM % 60))
    is_main $kind "$pid" || continue # done meanwhile
    strike || continue
    unit=${unit%/*}
    echo "$kind ${unit##*/} ${EPOCHREALTIME%.*}"
    # Work keeps coming to the last: two tasks at the start, the others over four fifths of the storm.
    echo $((2 + number * tasks / all)) >/srv/storm/approve_to
    number=$((number + 1))
done
kill $!
KILLER
}

set_out() {
    scripted_host
    on mkdir -p $place /etc/systemd/system/orchd-deploy@.service.d
    deploy_hook | give /dev/stdin $scripts/deploy
    printf '#!/bin/sh\nsleep 0.2; tar --create --file "$ORCHD_RESULT_DIR/release.tar" pass\n' | give /dev/stdin $scripts/build
    operator | give /dev/stdin $place/operator
    killer | give /dev/stdin $place/killer
    printf '[Service]\nReadWritePaths=%s\n' $place | give /dev/stdin /etc/systemd/system/orchd-deploy@.service.d/storm.conf
    on sh -c "chmod 755 $scripts/* $place/*; chown orchd-deploy $place; echo 0 >$place/approve_to; systemctl daemon-reload"
    on sh -c 'echo ORCH_JOB_MAX_ATTEMPTS=100 >>/etc/default/orchd' # a storm of deaths is nobody's infrastructure
    local project
    for project in rain hail; do
        scripted_project $project "${project^^}" "$(printf '[build]\ncommand = ["%s/build"]\n[deploy]\nhook = "%s/deploy"\n' $scripts $scripts)"
        on git --git-dir=/srv/git/$project.git config core.logAllRefUpdates always # counts the merges
    done
    on systemctl restart orchd-worker
}

begin_tasks() {
    local number prefixes=(RAIN HAIL) item
    for number in $(seq "$tasks"); do
        item=${prefixes[number % 2]}-$number
        script "$item" <<<'sleep $((RANDOM % 3)).$((RANDOM % 10)); work; sleep 0.$((RANDOM % 5))'
        create "$item"
    done
}

rage() { # kills and cuts
    local cut from=1 to
    for cut in $(seq 0 "$cuts"); do
        to=$((kills * (cut + 1) / (cuts + 1)))
        [ $from -gt $to ] || on $place/killer $((seed + cut)) $from $to "$kills" "$tasks" >>"$killed" || return 1
        from=$((to + 1))
        [ "$cut" = "$cuts" ] || { sleep 0.$((RANDOM % 10)); power_cut || return 1; }
    done
    on sh -c "echo $tasks >$place/approve_to"
}

# --- what holds when it is over ---

sql() { on runuser -u orchd -- python3 -c 'import sqlite3,sys; [print(*r) for r in sqlite3.connect("file:/var/lib/orchd/orchd.db?mode=ro", uri=True).execute(sys.argv[1])]' "$1"; }
all_done() { on $place/operator && is "$tasks" sql "SELECT count(*) FROM tasks WHERE stage = 'done'"; }
held() { sql "SELECT work_item, hold, hold_reason FROM tasks WHERE hold <> 'none'"; }
over() { [ -n "$(held)" ] || all_done; }
live_jobs() { sql "SELECT id, kind, role, status, error FROM jobs WHERE status IN ('queued', 'running', 'stopping')"; }
units_left() { on systemctl list-units --all --plain --no-legend --state=active,activating,deactivating,reloading,failed 'orchd-*@*.service'; }
leases() {
    sql "SELECT 'transition', task_id, unit FROM transition_leases WHERE unit IS NOT NULL
         UNION ALL SELECT 'merge', task_id, repo FROM merge_leases UNION ALL SELECT 'target', task_id, target FROM target_leases"
}
quiet() { [ -z "$(live_jobs)$(units_left)" ]; }
in_repository() { local project=$1; shift; on git --git-dir="/srv/git/$project.git" -c safe.directory='*' "$@"; }

judge_merges() { # PROJECT
    local merged; merged=$(sql "SELECT merged FROM tasks JOIN projects ON projects.id = project_id WHERE name = '$1'")
    equal "$1: its target branch is linear" "" "$(in_repository "$1" rev-list --merges main)"
    equal "$1: its target branch moved once a task" "$(wc -w <<<"$merged")" "$(in_repository "$1" reflog show main | wc -l)"
    equal "$1: each task's merge was one of those moves" "$(sort <<<"$merged")" \
        "$(in_repository "$1" reflog show --format=%H main | sort)"
    equal "$1: no commit's change is in it twice" "" \
        "$(on sh -c "git --git-dir=/srv/git/$1.git -c safe.directory='*' log -p main | git patch-id --stable | cut -d ' ' -f 1 | sort | uniq -d")"
}

judge_deploys() { # PROJECT
    local merged log commit once=0 superseded=0 wrong=
    merged=$(sql "SELECT merged FROM tasks JOIN projects ON projects.id = project_id WHERE name = '$1'")
    log=$(on cut -d ' ' -f 1 "$place/$1.deploys")
    for commit in $merged; do
        case $(grep -c "$commit" <<<"$log") in
        1) once=$((once + 1)) ;;
        0) if in_repository "$1" merge-base --is-ancestor "$commit" "$(tail -n 1 <<<"$log")"; then superseded=$((superseded + 1))
           else wrong+="$commit never "; fi ;;
        *) wrong+="$commit again " ;;
        esac
    done
    equal "$1: deployed once a merge, or superseded by one that contains it" "" "$wrong"
    equal "$1: nothing else was deployed" "" "$(grep -vxF "$merged" <<<"$log")"
    echo "# $1: $(wc -w <<<"$merged") merged, $once deployed once, $superseded superseded"
}

judge() {
    check "all $tasks tasks come to an end" within "$patience" over
    equal "none needs a person" "" "$(held)"
    equal "all $tasks tasks are done" "$tasks" "$(sql "SELECT count(*) FROM tasks WHERE stage = 'done'")"
    within 60 quiet
    equal "no job is left" "" "$(live_jobs)"
    equal "no unit is left" "" "$(units_left)"
    equal "no lease is held" "" "$(leases)"
    equal "no effect is left undecided" "" "$(sql "SELECT * FROM effects WHERE state = 'intended'")"
    equal "no run is left without an end" 0 \
        "$(sql "SELECT count(*) FROM runs JOIN jobs ON jobs.id = job_id WHERE kind <> 'advance' AND exit_kind IS NULL")"
    equal "nothing counted against the code or an agent" "" \
        "$(sql "SELECT work_item, retries_developer, retries_again FROM tasks WHERE retries_developer + retries_again > 0")"
    check "the database is sound" on orchctl db check
    equal "SQLite says so too" ok "$(sql 'PRAGMA integrity_check')"
    local project
    for project in rain hail; do judge_merges $project; judge_deploys $project; done
}

storm() {
    local tasks=${STORM_TASKS:-$1} kills=${STORM_KILLS:-$2} cuts=${STORM_CUTS:-$3} patience=${STORM_PATIENCE:-$4}
    local seed=${STORM_SEED:-$RANDOM} killed ended
    echo "# STORM_SEED=$seed, $tasks tasks, $kills kills, $cuts power cuts"
    killed=$(mktemp)
    RANDOM=$seed
    set_out
    begin_tasks
    check "the storm rages to its end" rage
    equal "all kills were made" "$kills" "$(wc -l <"$killed")"
    judge
    ended=$(sql "SELECT max(updated_at) / 1000 FROM tasks")
    echo "# $(awk -v ended="$ended" '$3 <= ended' "$killed" | wc -l) of the kills while tasks were under way"
    echo "# killed: $(cut -d ' ' -f 1 "$killed" | sort | uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }');" \
        "$cuts power cuts; seed $seed; $SECONDS s"
    echo "# runs: $(sql "SELECT exit_kind, count(*) FROM runs WHERE exit_kind IS NOT NULL GROUP BY 1" | tr '\n' ' ')"
    [ $FAILED = 0 ] || on cat $place/*.deploys | note
    rm -f "$killed"
}
