// A house with much behind it, as SQL for Db::execute(): it needs project 1, and no deploy of another task.
#pragma once

#include <string>

namespace orchd::support {

// `count` tasks that are done, each with a job, a run, events, a verdict, a released lease and a sent post.
inline std::string history_of(int count) {
    return "BEGIN; WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " + std::to_string(count) +
           ") INSERT INTO tasks (project_id, work_item, title, body, branch, stage, stage_seq, created_at, updated_at)"
           " SELECT 1, 'DONE-' || n, '', '', 'b', 'deploy', 7, 0, 0 FROM n;"
           "INSERT INTO jobs (task_id, project_id, stage_seq, kind, role, status, priority, available_at, available_boot,"
           " available_boot_id, max_attempts, created_at) SELECT id, 1, 7, 'deploy', 'deploy', 'queued', 5, 0, 0, '', 5, 0"
           " FROM tasks WHERE work_item GLOB 'DONE-*';"
           "INSERT INTO runs (job_id, task_id, unit, boot_id, invocation_id, started_at, started_boot, exit_kind, exit_status,"
           " exited_at) SELECT id, task_id, 'u', 'b', 'i' || id, 0, 0, 'exited', 0, 0 FROM jobs WHERE role = 'deploy';"
           "UPDATE jobs SET status = 'running', started_at = 0, run_id = (SELECT id FROM runs WHERE task_id = jobs.task_id)"
           " WHERE role = 'deploy';"
           "UPDATE jobs SET status = 'done', finished_at = 0 WHERE role = 'deploy';"
           "UPDATE tasks SET stage = 'done', stage_seq = 8 WHERE work_item GLOB 'DONE-*';"
           "INSERT INTO events (at, actor, task_id, job_id, kind, data)"
           " SELECT 0, 'a', id, id, 'k', '{}' FROM tasks WHERE stage = 'done';"
           "INSERT INTO verdicts (task_id, stage_seq, gate, colour, reason, \"commit\", patch_id, by, unusable, at)"
           " SELECT id, 7, 'check_deploy_status', 'green', '', '', '', 'x', 0, 0 FROM tasks WHERE stage = 'done';"
           "INSERT INTO transition_leases (task_id, from_stage, fence, acquired_at)"
           " SELECT id, 'deploy', 3, 0 FROM tasks WHERE stage = 'done';"
           "INSERT INTO outbox (channel, dedup_key, body, available_at, state, done_at)"
           " SELECT 'journal', 'k' || id, '{}', 0, 'done', 0 FROM tasks WHERE stage = 'done'; COMMIT";
}

}  // namespace orchd::support
