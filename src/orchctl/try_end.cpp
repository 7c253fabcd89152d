#include "orchctl/try_end.h"

#include "core/job_life.h"
#include "engine/files.h"

namespace orchd::orchctl {
namespace {

Exit exit_of(const std::string& result, int status) {
    if (result == "timeout" || result == "watchdog") return {ExitKind::timeout, status};
    return {result == "success" || result == "exit-code" ? ExitKind::exited : ExitKind::lost, status};
}

}  // namespace

std::string problem_of_end(const std::string& result, int status) {
    const auto exit = exit_of(result, status);
    const auto said = "exit status " + std::to_string(status);
    switch (outcome(exit)) {
        case Outcome::look:
            return {};
        case Outcome::transient:
            return "asks to come later (" + said + "): its run would be started again";
        case Outcome::cannot_run:
            return "could not be run (" + said + "): a task would be held";
        case Outcome::too_long:
            return "hangs, it did not end within its time limit: a task would be held";
        case Outcome::failed:
        case Outcome::infra:
            break;
    }
    return exit.kind == ExitKind::exited ? "is red: it ended with " + said : "is red: " + result;
}

std::string problem_of_release(const std::string& left_dir, const settings::Settings& settings) {
    const auto found = engine::has_result(left_dir, "release.tar", static_cast<std::uint64_t>(settings.release_max_bytes));
    if (!found) return "is red: " + found.error().text;
    return *found ? "" : "is red: the build left no release.tar in $ORCHD_RESULT_DIR";
}

}  // namespace orchd::orchctl
