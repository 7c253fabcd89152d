// Which work a stage still lacks before its gates can be asked.
#pragma once

#include <optional>
#include <string>

#include "engine/turn.h"

namespace orchd::engine {

struct DueWork {
    Role role = Role::developer;
    std::string commit = {};          // what it works on; empty: the branch's head
    std::string target = {};          // the target lease it needs; empty: none
    const char* waits_for = nullptr;  // what the task waits for while another holds that lease
    std::string live = {};            // of a deploy and its build: the commit that was live when they were found due
};
// What the stage's present number has not had yet; nothing where all is there, or the project has nobody to work it.
[[nodiscard]] Result<std::optional<DueWork>> due_work(Turn& turn);
// The commit that is live in production; empty: none yet.
[[nodiscard]] Result<std::string> live_commit(store::Db& db, const std::string& project);

}  // namespace orchd::engine
