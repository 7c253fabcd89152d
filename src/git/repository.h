// Questions that a mirror and a bare forge answer alike.
#pragma once

#include <optional>
#include <string>

#include "git/call.h"
#include "git/lock.h"

namespace orchd::git {

struct Repository {
    std::string path;
    std::int64_t timeout_s;
    std::string as_user = {};

    [[nodiscard]] Call call(std::vector<std::string> args) const {
        return {.repository = path, .args = std::move(args), .timeout_s = timeout_s, .as_user = as_user};
    }
    // Takes the lock, and puts the references in order: no lock file of a killed git is in the way, and they are not so many
    // files that every call of git takes longer with each task that ever was.
    [[nodiscard]] Result<RepositoryLock> lock_for_writing() const;
    // The commit that a full reference names; nothing if there is none.
    [[nodiscard]] Result<std::optional<std::string>> commit_of(const std::string& reference) const;
    // A setting of the repository's own file; false where it is not there.
    [[nodiscard]] Result<bool> flag(const std::string& key) const;
    [[nodiscard]] Result<bool> has_commit(const std::string& commit) const;
    [[nodiscard]] Result<bool> is_ancestor(const std::string& ancestor, const std::string& commit) const;
    // reference := to if it is `from` (empty: must not exist). Errc::conflict where it is something else.
    [[nodiscard]] Status update(const std::string& reference, const std::string& to, const std::string& from) const;
    // Why one of these files of one folder cannot become part of a branch that has this commit: a folder above is a symlink, a
    // submodule or a file there, or it is ignored. Nothing where each can.
    [[nodiscard]] Result<std::optional<std::string>> obstacle(const std::string& commit,
                                                              const std::vector<std::string>& files) const;
    // Removes the reference if it is `from`; gone already is success. Errc::conflict where it is something else.
    [[nodiscard]] Status remove(const std::string& reference, const std::string& from) const;
};

}  // namespace orchd::git
