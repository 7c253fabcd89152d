// What the engine asks of a forge. One implementation a kind; all idempotent, all naming the object they expect to replace.
// Errc::refused is the forge's no: a rule of it, a permission, no such repository. It stays so until a person changes it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "git/git.h"
#include "settings/project.h"

namespace orchd::forge {

class Forge {
public:
    virtual ~Forge() = default;
    // Brings the forge's branches into the mirror.
    [[nodiscard]] virtual Status fetch(git::Mirror& mirror) = 0;
    // The branch's commit on the forge now, asked of the forge itself.
    [[nodiscard]] virtual Result<std::optional<std::string>> head(const std::string& branch) = 0;
    // Pushes `commit` of the mirror to the branch if the forge has `expected` there (empty: nothing). Errc::conflict if it
    // moved.
    [[nodiscard]] virtual Status push(git::Mirror& mirror, const std::string& branch, const std::string& commit,
                                      const std::string& expected) = 0;
    // Removes the branch if the forge has `expected` there; Errc::conflict if it moved. Gone already is success.
    // Errc::not_permitted where the forge keeps its branches by a rule.
    [[nodiscard]] virtual Status remove(const std::string& branch, const std::string& expected) = 0;
    // Fast-forwards `target` from exactly `from` to exactly `commit` (which a task branch there has already). Errc::conflict if
    // the target moved.
    [[nodiscard]] virtual Status merge(git::Mirror& mirror, const std::string& target, const std::string& commit,
                                       const std::string& from) = 0;
    // Whether the forge's target branch contains the commit now.
    [[nodiscard]] virtual Result<bool> contains(git::Mirror& mirror, const std::string& target, const std::string& commit) = 0;
};

// Which repository the project's file leads to, however it spells the path: the key of its merge lease,
// "local:/srv/git/hello.git". Nothing is opened. A process that may not look there goes by the path's words alone, and takes
// two symlinks to one repository for two.
[[nodiscard]] std::string repository_of(const settings::Project& project);

[[nodiscard]] Result<std::unique_ptr<Forge>> open(const settings::Project& project, const git::Options& options);

}  // namespace orchd::forge
