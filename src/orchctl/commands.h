// The families of commands. Each adds its commands to the tree.
#pragma once

#include "orchctl/command.h"

namespace orchd::orchctl {

void add_status(Command app, Session& session);
void add_queue(Command app, Session& session);
void add_task(Command app, Session& session);
void add_job(Command app, Session& session);
void add_why(Command app, Session& session);
void add_lease(Command app, Session& session);
void add_dep(Command app, Session& session);
void add_webhook(Command app, Session& session);
void add_logs(Command app, Session& session);
void add_events(Command app, Session& session);
void add_pause(Command app, Session& session);
void add_project(Command app, Session& session);
void add_reap(Command app, Session& session);
void add_config(Command app, Session& session);
void add_doctor(Command app, Session& session);
void add_db(Command app, Session& session);
void add_completion(Command app, Session& session);

// All of them, in the order in which --help shows them. They refer to the session, and it to them: keep both while either is
// used.
void add_all(const CommandTree& tree, Session& session);

}  // namespace orchd::orchctl
