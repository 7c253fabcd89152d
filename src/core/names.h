// Every name that another program sees: units, paths, bus names, polkit actions, environment, message ids.
#pragma once

#include <string>
#include <string_view>

namespace orchd::names {

// Files and directories.
inline constexpr std::string_view state_dir = "/var/lib/orchd";
inline constexpr std::string_view database = "/var/lib/orchd/orchd.db";
inline constexpr std::string_view mirrors_dir = "/var/lib/orchd/mirrors";    // PROJECT.git, bare
inline constexpr std::string_view releases_dir = "/var/lib/orchd/releases";  // PROJECT/COMMIT.tar
inline constexpr std::string_view backups_dir = "/var/lib/orchd/backups";
// PID 1 keeps an entry in each for every work item whose runs have a state directory: of agents a symlink to what is in
// /var/lib/private.
inline constexpr std::string_view agent_states_dir = "/var/lib/orchd-agent";
inline constexpr std::string_view deploy_states_dir = "/var/lib/orchd-deploy";
inline constexpr std::string_view git_dir = "/srv/git";  // local forges: the units that push may write here
inline constexpr std::string_view run_dir = "/run/orchd";
inline constexpr std::string_view runs_dir = "/run/orchd/runs";  // TASK/{spec.json,prompt.md,mirror}, laid by prepare
// Settings and projects of this boot as they were last right; the folder is the worker's.
inline constexpr std::string_view last_good = "/run/orchd/settings/last-good.json";
inline constexpr std::string_view wake_socket = "/run/orchd/wake";
inline constexpr std::string_view events_socket = "/run/orchd/events";
inline constexpr std::string_view settings_file = "/etc/orchd/orchd.toml";
inline constexpr std::string_view settings_dir = "/etc/orchd/orchd.conf.d";
inline constexpr std::string_view projects_dir = "/etc/orchd/projects.d";
inline constexpr std::string_view defaults_file = "/etc/default/orchd";

// The shipped deploy hook and who runs hooks.
inline constexpr std::string_view deploy_hook = "/usr/libexec/orchd/deploy-systemd";
inline constexpr std::string_view deploy_user = "orchd-deploy";

// As whom the units work that hold the database, and whose group has it.
inline constexpr std::string_view service_user = "orchd";
inline constexpr std::string_view worker_user = "orchd-worker";
inline constexpr std::string_view database_group = "orchd-db";

// What a run sees inside its unit.
inline constexpr std::string_view inside_run_dir = "/run/orchd/run";        // runs_dir/TASK, read-only
inline constexpr std::string_view inside_mirror = "/run/orchd/mirror";      // the project's mirror, read-only
inline constexpr std::string_view inside_releases = "/run/orchd/releases";  // releases_dir, read-only; deploys only
// What finish sees of the run's state directory (/var/lib/private/orchd-agent/TASK), read-only.
inline constexpr std::string_view inside_left = "/run/orchd/left";

// Units. The instance of each template is the work item.
inline constexpr std::string_view agent = "orchd-agent";
inline constexpr std::string_view prepare = "orchd-prepare";
inline constexpr std::string_view finish_ok = "orchd-finish-ok";
inline constexpr std::string_view finish_fail = "orchd-finish-fail";
inline constexpr std::string_view step = "orchd-step";
inline constexpr std::string_view deploy = "orchd-deploy";
inline constexpr std::string_view deploy_ok = "orchd-deploy-ok";
inline constexpr std::string_view deploy_fail = "orchd-deploy-fail";
inline constexpr std::string_view network = "orchd-network";  // active while a run may use the host's network
inline constexpr std::string_view reaper = "orchd-reaper.service";
[[nodiscard]] inline std::string unit(std::string_view stem, std::string_view work_item) {
    return std::string(stem) + '@' + std::string(work_item) + ".service";
}

// Where their cgroups are, unless an administrator moved them: orchd.slice, and orchd-agents.slice below it.
inline constexpr std::string_view units_cgroup = "/orchd.slice";
inline constexpr std::string_view agents_cgroup = "/orchd.slice/orchd-agents.slice";

// D-Bus.
inline constexpr std::string_view bus_name = "org.orchd1";
inline constexpr std::string_view bus_path = "/org/orchd1";
inline constexpr std::string_view manager_interface = "org.orchd1.Manager";
inline constexpr std::string_view task_interface = "org.orchd1.Task";
inline constexpr std::string_view job_interface = "org.orchd1.Job";

// polkit.
inline constexpr std::string_view action_manage_tasks = "org.orchd1.manage-tasks";
inline constexpr std::string_view action_manage_queue = "org.orchd1.manage-queue";
inline constexpr std::string_view action_release_lease = "org.orchd1.release-lease";
inline constexpr std::string_view action_approve = "org.orchd1.approve";

// Exit statuses of a run's command with a meaning of their own.
// In the result folder: why the launcher ended a command, or could not execute it.
inline constexpr std::string_view launcher_said = "launcher-said";
// There too, a run's own word: when to come again (with exit_transient).
inline constexpr std::string_view retry_at_file = "retry_at";
inline constexpr int exit_transient = 75;   // EX_TEMPFAIL: again later, nobody's fault
inline constexpr int exit_timed_out = 124;  // as timeout(1): the launcher's own time limit
// The launcher could not come to run the command. In the range that systemd has for what it could not set up, where this one is
// free: it is the host's fault, and no word of the command.
inline constexpr int exit_not_set_up = 223;
inline constexpr int exit_not_executable = 126;
inline constexpr int exit_not_found = 127;

// Journal message ids (catalogue in units/orchd.catalog). 128-bit, fixed for ever.
inline constexpr std::string_view msg_stage_changed = "6d0c0b7c5b0a4e0e9a1f4a8f2f6b1a01";
inline constexpr std::string_view msg_needs_you = "6d0c0b7c5b0a4e0e9a1f4a8f2f6b1a02";
inline constexpr std::string_view msg_escalated = "6d0c0b7c5b0a4e0e9a1f4a8f2f6b1a03";
inline constexpr std::string_view msg_lease_forced = "6d0c0b7c5b0a4e0e9a1f4a8f2f6b1a06";
inline constexpr std::string_view msg_alert = "6d0c0b7c5b0a4e0e9a1f4a8f2f6b1a07";

}  // namespace orchd::names
