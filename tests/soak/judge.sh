# What must hold when work was disturbed and is over (R07, R08, R11, R12, R30): every task done, each merged once and deployed once,
# nothing left. The judges are the forge's own history, the deploy hook's own log, systemd, and the database, in that order of
# trust. Sourced after harness.sh and scripted.sh; judges the projects `rain` and `hail` that storm.sh sets up:
#
#   judge           prints a test a line; `tasks` is their number, `patience` how many seconds they may still take
#
# A commit of `outside` on a target branch is the caller's own doing.
# shellcheck shell=bash disable=SC2154 # tasks, patience, place: of the caller

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
# Of each task's history: transitions that do not begin where the one before ended, or have not the next number; tasks that stand
# elsewhere than their last one led.
broken_transitions() {
    sql "WITH moves AS (SELECT id, task_id, data ->> 'from' AS came, data ->> 'to' AS went, data ->> 'seq' AS seq
                        FROM events WHERE kind = 'stage_changed'),
              chain AS (SELECT *, lag(went, 1, 'analysis') OVER task AS stood, lag(seq, 1, 1) OVER task AS number
                        FROM moves WINDOW task AS (PARTITION BY task_id ORDER BY id))
         SELECT work_item, came, went, seq FROM chain JOIN tasks ON tasks.id = task_id WHERE came <> stood OR seq <> number + 1
         UNION ALL SELECT work_item, stage, stage_seq, 'is not where its history ends' FROM tasks
         WHERE (stage, stage_seq) IS NOT (SELECT went, seq FROM moves WHERE task_id = tasks.id ORDER BY id DESC LIMIT 1)"
}
quiet() { [ -z "$(live_jobs)$(units_left)" ]; }
in_repository() { local project=$1; shift; on git --git-dir="/srv/git/$project.git" -c safe.directory='*' "$@"; }

judge_merges() { # PROJECT
    local merged; merged=$(sql "SELECT merged FROM tasks JOIN projects ON projects.id = project_id WHERE name = '$1'")
    equal "$1: its target branch is linear" "" "$(in_repository "$1" rev-list --merges main)"
    local moves; moves=$(in_repository "$1" reflog show --format='%H %an' main | grep -v ' outside$' | cut -d ' ' -f 1)
    equal "$1: its target branch moved once a task" "$(wc -w <<<"$merged")" "$(wc -w <<<"$moves")"
    equal "$1: each task's merge was one of those moves" "$(sort <<<"$merged")" "$(sort <<<"$moves")"
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
    within 120 quiet
    equal "no job is left" "" "$(live_jobs)"
    # Its task may be done while a finish, which has said all, is on its way out: only what stays is left.
    check "no unit is left" within 120 is "" units_left
    equal "no lease is held" "" "$(leases)"
    equal "no effect is left undecided" "" "$(sql "SELECT * FROM effects WHERE state = 'intended'")"
    equal "no run is left without an end" 0 \
        "$(sql "SELECT count(*) FROM runs JOIN jobs ON jobs.id = job_id WHERE kind <> 'advance' AND exit_kind IS NULL")"
    equal "no transition is lost or doubled" "" "$(broken_transitions)"
    equal "nothing counted against the code or an agent" "" \
        "$(sql "SELECT work_item, retries_developer, retries_again FROM tasks WHERE retries_developer + retries_again > 0")"
    check "the database is sound" on orchctl db check
    equal "SQLite says so too" ok "$(sql 'PRAGMA integrity_check')"
    local project
    for project in rain hail; do judge_merges $project; judge_deploys $project; done
}
