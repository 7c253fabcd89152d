// The task's branch, in the mirror and on the forge. The forge's is the truth; refs/heads/BRANCH of the mirror follows it, and
// moves only after a push.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/ports.h"
#include "store/records.h"

namespace orchd::engine {

// For people: somebody deleted the branch of an open task.
[[nodiscard]] inline std::string text_of_branch_put_back(const store::Task& task) {
    return task.branch + " was deleted on the forge and is put back, since the task is open: 'orchctl task cancel " +
           task.work_item + "' ends it";
}

class TaskBranch {
public:
    [[nodiscard]] static Result<TaskBranch> open(World& world, const settings::Project& project, const store::Task& task);
    [[nodiscard]] git::Mirror& mirror() { return *mirror_; }
    [[nodiscard]] Status fetch() { return forge_->fetch(*mirror_); }

    // Fetches and makes sure that the branch stands on the forge: what is there, with whatever people pushed; else what we have
    // of it; else the target's head. The branch's head.
    [[nodiscard]] Result<std::string> make_ready();
    // Whether make_ready() found the branch gone that had been there.
    [[nodiscard]] bool put_back() const { return put_back_; }

    struct Landed {
        std::string head;     // of the branch on the forge, with the commits in it
        std::string refused;  // instead: why they do not fit to what somebody else pushed meanwhile
    };
    // Brings the commits expected..commit to the forge, where the branch was at `expected`: on top of what somebody else pushed
    // meanwhile where they fit. Landed once however often it is asked.
    [[nodiscard]] Result<Landed> land(const std::string& commit, const std::string& expected);
    // Brings one file, written by orchd, on top of the branch, whatever that is (`parent` where it is gone). The branch's head.
    [[nodiscard]] Result<std::string> land_file(const std::string& path, const std::string& content, const std::string& message,
                                                const std::string& parent);

private:
    TaskBranch(std::unique_ptr<git::Mirror> mirror, std::unique_ptr<forge::Forge> forge, std::string name, std::string target)
        : mirror_(std::move(mirror)), forge_(std::move(forge)), name_(std::move(name)), target_(std::move(target)) {}
    [[nodiscard]] Status push(const std::string& commit, const std::string& expected);
    [[nodiscard]] Status follow(const std::string& head);
    [[nodiscard]] Status follow(const std::string& head, const std::string& before);
    [[nodiscard]] Result<Landed> land_on(const std::string& commit, const std::string& expected, const std::string& present);

    std::unique_ptr<git::Mirror> mirror_;
    std::unique_ptr<forge::Forge> forge_;
    std::string name_, target_;
    bool put_back_ = false;
};

}  // namespace orchd::engine
