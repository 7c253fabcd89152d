#include "engine/prompt.h"

#include <fstream>
#include <iterator>

#include "core/front_matter.h"
#include "engine/report.h"

namespace orchd::engine {
namespace {

Result<std::string> text_of_role(const settings::Worker& worker) {
    if (worker.prompt_file.empty()) return std::string();
    std::ifstream file(worker.prompt_file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (!file) return fail(Errc::io, "cannot read the prompt " + worker.prompt_file);
    if (text.find('\0') != std::string::npos)
        return fail(Errc::invalid_argument, "the prompt " + worker.prompt_file + " is no text: it has a NUL character");
    return text + "\n\n";
}

std::string places(const store::Task& task) {
    return "## Where things are\n\nStage: " + std::string(to_text(task.stage)) + "\nBranch: " + task.branch +
           "\nArtefacts: " + artefact_folder(task.work_item) + "/, where the earlier stages have left theirs\n\n";
}

// As the front matter's reader will have it: an agent that knows its prompt alone passes the gate's form.
std::string demanded(const store::Task& task, Artefact artefact) {
    const auto& demand = demand_of(artefact);
    const auto path = artefact_path(task.work_item, artefact);
    const std::string key(demand.key), green(demand.green), red(demand.red);
    std::string text = "Write and commit the file " + path + ". It begins with its front matter:\n\n---\n" + key + ": " +
                       green + "\n---\n\nBelow that comes your text, as Markdown. ";
    if (red.empty())
        text += "`" + key + "` is `" + green + "`: any other value, or none, is refused, and you are asked again.";
    else
        text +=
            "`" + key + "` is `" + green + "` or `" + red + "`: any other value, or none, is refused, and you are asked again.";
    return text + " The file counts only if this run writes it anew.\n";
}

std::string tasks_of(const store::Task& task, Role role) {
    std::string text = "## What is asked of you\n\n";
    if (const auto artefact = artefact_of(role))
        text += demanded(task, *artefact);
    else
        text += "Do the work, and commit it to the branch " + task.branch +
                ", which is checked out, on top of what is there: merge, do not rebase it. " +
                "Without a change of the code you are asked again.\n";
    return text +
           "Exit with 0 when you are done. 75 means that you cannot work now: you are started again later. Any other status "
           "says that you failed, and you are asked again. What holds for every run stands in orchd-run-contract(7).\n";
}

}  // namespace

Result<std::string> prompt_of(const store::Task& task, Role role, const settings::Worker& worker) {
    auto text = text_of_role(worker);
    if (!text) return text;
    *text += "# " + task.work_item + ": " + task.title + "\n\n" + task.body + "\n\n";
    if (!task.again_reason.empty()) *text += "## Why this is worked again\n\n" + task.again_reason + "\n\n";
    return *text + places(task) + tasks_of(task, role);
}

}  // namespace orchd::engine
