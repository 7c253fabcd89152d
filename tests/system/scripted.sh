# Projects on the test's host whose agents do what the test says. Sourced after harness.sh and `boot`.
#
#   scripted_host               settings for impatient tests; the folder that the runs' scripts come from
#   scripted_project NAME PREFIX [MORE]
#                               a repository and a project file; MORE is appended to the file
#   script NAME                 standard input becomes the script of all runs of NAME: a work item, or "HELLO-1.reviewer"
#                               for one role. It may wait for `let NAME`. Without one a run does its stage's work at once.
#   hold NAME, let NAME         takes back, gives the sign that `await NAME` in a script waits for
#   task WORK-ITEM QUERY        of `orchctl task show`, by jq: task HELLO-1 .stage
#   last_run WORK-ITEM QUERY    of the newest run that is no step: last_run HELLO-1 .exit.kind
#   happened WORK-ITEM KIND     how many events of that kind the task has
#   said WORK-ITEM [TEXT]       how many lines of its runs' output are TEXT, or how many there are
#   is EXPECTED COMMAND...      the command prints this; for `within`
# shellcheck shell=bash

scripts=/usr/local/lib/orchd-test # a run sees it, read-only

scripted_host() {
    on mkdir -p $scripts /srv/git
    on sh -c 'printf "backoff_base_s = 1\nbackoff_cap_s = 1\nrecovery_interval_s = 1\n" >/etc/orchd/orchd.conf.d/test.toml'
    on sh -c "cat >$scripts/agent && chmod 755 $scripts/agent" <<'AGENT'
#!/bin/bash
# Not part of a project: what the test wants this run to do.
here=/usr/local/lib/orchd-test
await() { until [ -e $here/go-"$1" ]; do sleep 0.05; done; }
artefact() { mkdir -p "$ORCHD_ARTEFACTS"; printf -- '---\n%s\n---\nrun %s\n' "$2" "$ORCHD_RUN_ID" >"$ORCHD_ARTEFACTS/$1"; }
work() {
    case $ORCHD_ROLE in
    analyst) artefact 10-analysis.md 'status: READY' ;;
    architect) artefact 11-architecture.md 'status: READY' ;;
    developer) echo "$ORCHD_RUN_ID" >>"file-$ORCHD_WORK_ITEM" ;;
    reviewer) artefact 12-review.md 'verdict: APPROVED' ;;
    esac
}
for script in $here/"$ORCHD_WORK_ITEM.$ORCHD_ROLE" $here/"$ORCHD_WORK_ITEM"; do
    [ ! -e "$script" ] || { . "$script"; exit; }
done
work
AGENT
}

scripted_project() {
    on bash -eus "$1" "$2" <<'PROJECT'
git init --quiet --bare --initial-branch=main "/srv/git/$1.git"
tree=$(mktemp -d)
git clone --quiet "/srv/git/$1.git" "$tree" 2>/dev/null
printf '#!/bin/sh\nexit 0\n' >"$tree/pass" && chmod 755 "$tree/pass"
git -C "$tree" add pass
git -C "$tree" -c user.name=test -c user.email=test@localhost commit --quiet --message 'the beginning'
git -C "$tree" push --quiet origin HEAD:main
rm -rf "$tree"
chown -R orchd:orchd "/srv/git/$1.git"
{
    printf '[project]\nname = "%s"\nprefix = "%s"\n[forge]\npath = "/srv/git/%s.git"\n' "$1" "$2" "$1"
    for role in analyst architect developer reviewer; do
        printf '[roles.%s]\ncommand = ["/usr/local/lib/orchd-test/agent"]\n' $role
    done
    printf '[%s]\ncommand = ["./pass"]\n' ci test staging
} >"/etc/orchd/projects.d/$1.toml"
PROJECT
    [ -z "${3:-}" ] || on sh -c 'printf "%s\n" "$1" >>"$0"' "/etc/orchd/projects.d/$1.toml" "$3"
}

script() { on sh -c 'cat >"$0.new" && mv "$0.new" "$0"' "$scripts/$1"; }
let() { on touch "$scripts/go-$1"; }
hold() { on rm -f "$scripts/go-$1"; }
create() { on orchctl task create "$1" "a task of the test" >/dev/null; }

task() { on orchctl task show "$1" --json | jq --raw-output "$2"; }
last_run() { task "$1" "[.jobs[] | select(.role != \"step\") | .runs[]] | max_by(.id) | $2"; }
happened() { task "$1" "[.events[] | select(.kind == \"$2\")] | length"; }
said() {
    on journalctl --quiet --output=cat --unit="orchd-agent@$1.service" SYSLOG_IDENTIFIER=orchd-run |
        if [ $# = 2 ]; then grep --count --fixed-strings --line-regexp -e "$2"; else grep --count --invert-match '^orchd: run '; fi
}
is() { local expected=$1; shift; [ "$("$@")" = "$expected" ]; }
active() { on systemctl show --property=ActiveState --value "$1"; }
invocation() { on systemctl show --property=InvocationID --value "$1"; }
