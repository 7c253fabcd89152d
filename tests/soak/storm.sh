# A storm: tasks of two projects under way while processes of orchd die by SIGKILL at random moments and the power goes. Then
# what must hold when it is over (judge.sh; R07, R08, R11, R12, R30). Sourced after harness.sh, scripted.sh and judge.sh; called as
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

# What an operator does: approves the analyses that wait, of the tasks up to the number in `approve_to`, and lets go of what is held
# because a test had moved its repository away.
operator() {
    cat <<'OPERATOR'
#!/bin/bash
orchctl task list --needs-you --json | jq --raw-output '.[] | select(.stage == "analysis").work_item' |
    while read -r item; do
        [ "${item#*-}" -gt "$(cat /srv/storm/approve_to)" ] || orchctl task approve "$item"
    done
orchctl task list --needs-you --json | jq --raw-output '.[] | select(.why | contains("is no bare repository")).work_item' |
    while read -r item; do orchctl task release "$item"; done
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

# What a package may have as well; the latter two run when their timers say so, or when they are to be killed.
for kind in listener reaper maintenance; do
    [ ! -e /lib/systemd/system/orchd-$kind.service ] || { victims+=("$kind"); units[$kind]=orchd-$kind; }
done
rouse() { case $1 in listener | reaper | maintenance) systemctl start --no-block orchd-$1.service ;; esac; }

RANDOM=$1 number=$2 to=$3 all=$4 tasks=$5
while :; do /srv/storm/operator >/dev/null 2>&1; sleep 0.5; done &
while [ "$number" -le "$to" ]; do
    pause $((RANDOM % 700))
    kind=${victims[RANDOM % ${#victims[@]}]}
    rouse $kind
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
    on sh -c 'printf "ORCH_JOB_MAX_ATTEMPTS=100\nORCH_FINISH_MAX_TRIES=100\n" >>/etc/default/orchd' # a storm of deaths is nobody's infrastructure
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
