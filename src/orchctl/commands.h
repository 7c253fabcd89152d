// The families of commands. Each adds its commands to the tree; a command that is named on the command line sets
// session.command.
#pragma once

#include <memory>

#include "orchctl/session.h"

namespace CLI {
class App;
}

namespace orchd::orchctl {

void add_status(CLI::App& app, Session& session);
void add_queue(CLI::App& app, Session& session);
void add_task(CLI::App& app, Session& session);
void add_job(CLI::App& app, Session& session);
void add_why(CLI::App& app, Session& session);
void add_lease(CLI::App& app, Session& session);
void add_dep(CLI::App& app, Session& session);
void add_webhook(CLI::App& app, Session& session);
void add_logs(CLI::App& app, Session& session);
void add_events(CLI::App& app, Session& session);
void add_pause(CLI::App& app, Session& session);
void add_project(CLI::App& app, Session& session);
void add_reap(CLI::App& app, Session& session);
void add_config(CLI::App& app, Session& session);
void add_doctor(CLI::App& app, Session& session);
void add_db(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

// The whole tree. It and the session refer to each other: keep both while either is used.
[[nodiscard]] std::unique_ptr<CLI::App> command_tree(Session& session);

}  // namespace orchd::orchctl
