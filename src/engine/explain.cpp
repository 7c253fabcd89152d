#include "engine/explain.h"

#include <filesystem>

#include "core/names.h"
#include "core/payload.h"
#include "core/text.h"
#include "engine/files.h"
#include "engine/report.h"

namespace orchd::engine {
namespace {

constexpr std::uint64_t max_said = 4096;
constexpr std::size_t max_shown = 200;

const std::vector<std::string>* command_of(const Ended& ended, const settings::Project& project) {
    const auto* worker = settings::worker_of(project, ended.job.role);
    return worker == nullptr ? nullptr : &worker->command;
}

std::string named_command(const Ended& ended, const settings::Project& project) {
    if (ended.job.kind == JobKind::deploy) return project.deploy ? project.deploy->hook : std::string();
    const auto* command = command_of(ended, project);
    return command == nullptr ? std::string() : joined(*command, " ");
}

// What the launcher says of how the command ended; nothing where the command itself chose this exit status.
std::string said_by_launcher(const World& world, const Ended& ended) {
    if (!took_its_spec(world, ended)) return {};
    auto said = read_result(world.paths.left_dir, std::string(names::launcher_said), max_said);
    return said && *said ? one_line(**said, max_shown) : std::string();
}

std::string said_by_status(int status) {
    if (status == names::exit_not_found) return "it calls a command that is not there";
    if (status == names::exit_not_executable) return "it calls a command that may not be executed";
    return "a time limit of its own";
}

}  // namespace

std::string explain(const World& world, const Ended& ended, const settings::Project& project) {
    const auto came_to = outcome(*ended.run.exit);
    if (came_to != Outcome::cannot_run && came_to != Outcome::too_long) return {};
    auto text = "the " + std::string(to_text(ended.job.role)) + "'s run";
    if (const auto command = named_command(ended, project); !command.empty())
        text += " (`" + one_line(command, max_shown) + "`)";
    text += ' ' + describe(*ended.run.exit);
    if (ended.run.exit->kind == ExitKind::exited) {
        const auto said = said_by_launcher(world, ended);
        text += ": " + (said.empty() ? said_by_status(ended.run.exit->status) : said);
    }
    if (const auto line = one_line(world.last_line(ended.run.invocation_id), max_shown); !line.empty())
        text += "; its last line was: " + line;
    return text;
}

Result<bool> branch_lacks_program(World& world, const Ended& ended, const settings::Project& project) {
    const auto* command = command_of(ended, project);
    const bool in_clone = command != nullptr && !command->empty() && command->front().starts_with("./");
    if (ended.job.kind != JobKind::check || outcome(*ended.run.exit) != Outcome::cannot_run || !in_clone) return false;
    const auto program = std::filesystem::path(command->front()).lexically_normal().string();
    auto mirror = world.open_mirror(project);
    if (!mirror) return fail(mirror.error());
    const auto& commit = ended.run.head_before.empty() ? ended.job.commit : ended.run.head_before;
    auto here = (*mirror)->has_program(commit, program);
    if (!here || *here) return here ? Result<bool>(false) : here;
    auto target = (*mirror)->forge_head(project.target);
    if (!target) return fail(target.error());
    return *target ? (*mirror)->has_program(**target, program) : Result<bool>(false);
}

}  // namespace orchd::engine
