// Holds that end by themselves once what they were about has changed: a command that could not be executed, a check that hung.
#pragma once

#include "engine/events.h"
#include "engine/ports.h"
#include "engine/recover.h"
#include "store/records.h"

namespace orchd::engine {

// What such an end depends on, as lines of text: the role's command and time limit as its project's file and the settings have
// them, and the task's head. Empty where the project has no valid file.
[[nodiscard]] std::string depends_on(const World& world, const store::Task& task, Role role);

// Releases the held tasks for which that is no longer what it was, and asks for their advance. One bad task never stops it.
void release_mended(World& world, Recovered& recovered);

// Queues the task's check anew, if one waits, through its advance: for the head that the branch has by then.
[[nodiscard]] Status ask_anew(World& world, const Acting& who, const store::Task& task, const std::string& why);

}  // namespace orchd::engine
