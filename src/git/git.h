// Every git call of the trusted side, in one place with its hardening: no hooks, no fsmonitor, no filters, no external diff or
// merge drivers, no ext:: or http transports from configuration, no prompts, no system or user configuration, object ids and
// refs checked before they stand in an argument list, a time limit. Nothing here ever runs git inside a run's clone or fetches
// from it. A mirror is a bare repository of ours, /var/lib/orchd/mirrors/PROJECT.git, with gc.auto=0; git in it runs under
// umask 022, since a run reads it (read-only) as another user. All calls block; errors are Errc::unavailable (time, a lock),
// refused (a permission, a rule of the other side: nothing that time mends) or conflict, with git's words.
//
// Commits made here (rebase, commit_file) take their dates from the commits they come from, never from the clock: what a killed
// process did already, its successor makes again as the very same object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace orchd::git {

struct Options {
    std::int64_t timeout_s = 300;
    // Of a mirror: the branch that tasks are merged into. What it was set back from is remembered (fork_point).
    std::string target = {};
    bool own_history = false;  // Of a mirror: what git's checks of objects refuse is fetched all the same. Bundles stay strict.
    std::string as_user = {};  // Call::as_user
};

// An interface, so that the engine runs in a simulation too.
class Mirror {
public:
    virtual ~Mirror() = default;
    [[nodiscard]] virtual const std::string& path() const = 0;

    // Brings refs/heads/* from `url` (the absolute path of a repository) into refs/remotes/forge/*; removed branches go.
    [[nodiscard]] virtual Status fetch(const std::string& url) = 0;
    // The forge's branch as last fetched / our own branch refs/heads/NAME; nothing if it does not exist.
    [[nodiscard]] virtual Result<std::optional<std::string>> forge_head(const std::string& branch) = 0;
    [[nodiscard]] virtual Result<std::optional<std::string>> head(const std::string& branch) = 0;
    // refs/heads/BRANCH := to, only if it is `from` now (empty: must not exist). Errc::conflict otherwise.
    [[nodiscard]] virtual Status set_head(const std::string& branch, const std::string& to, const std::string& from) = 0;
    // Pushes commit to the branch at `url` if it is `expected` there (empty: must not exist). Up to date is success.
    // Errc::conflict if it moved.
    [[nodiscard]] virtual Status push(const std::string& url, const std::string& branch, const std::string& commit,
                                      const std::string& expected) = 0;

    // Takes refs/heads/BRANCH of a bundle file that a run left: checks size, refuses what is no regular file, fsck's objects,
    // and returns its commit without moving any branch. Errc::invalid_argument for a bundle that is not fit, with the reason;
    // no_such where there is none.
    [[nodiscard]] virtual Result<std::string> import_bundle(const std::string& file, const std::string& branch,
                                                            std::uint64_t max_bytes) = 0;

    [[nodiscard]] virtual Result<bool> is_ancestor(const std::string& ancestor, const std::string& commit) = 0;
    [[nodiscard]] virtual Result<std::string> merge_base(const std::string& a, const std::string& b) = 0;
    // Where `commit` leaves the forge's branch: their newest common commit. What the target had once, as it was fetched, and
    // was set back from since, counts as the target's: it is nobody's own work. Errc::refused where they have nothing in
    // common.
    [[nodiscard]] virtual Result<std::string> fork_point(const std::string& branch, const std::string& commit) = 0;
    // Contents of a file at a commit, at most 1 MiB; nothing if it is not there or not a regular file.
    [[nodiscard]] virtual Result<std::optional<std::string>> read_file(const std::string& commit, const std::string& path) = 0;
    // Why one of these files of one folder cannot be committed on top of the commit: a folder above is a symlink, a submodule
    // or a file there, or .gitignore names it. Nothing where each can.
    [[nodiscard]] virtual Result<std::optional<std::string>> obstacle(const std::string& commit,
                                                                      const std::vector<std::string>& files) = 0;
    // Whether the commit has a file there that may be executed, or a symlink.
    [[nodiscard]] virtual Result<bool> has_program(const std::string& commit, const std::string& path) = 0;
    // Paths that differ between two commits.
    [[nodiscard]] virtual Result<std::vector<std::string>> changed_paths(const std::string& from, const std::string& to) = 0;
    // `git patch-id --verbatim` (stable, and blanks count) of base..head without `excluded_folder`; "empty" for an empty patch.
    [[nodiscard]] virtual Result<std::string> patch_id(const std::string& base, const std::string& head,
                                                       const std::string& excluded_folder) = 0;
    // A commit on top of `parent` with one file written; author and committer "orchd <orchd@localhost>", dated as the parent
    // is. Returns it; `parent` itself where the file reads so already.
    [[nodiscard]] virtual Result<std::string> commit_file(const std::string& parent, const std::string& path,
                                                          const std::string& content, const std::string& message) = 0;
    struct Rebased {
        std::string commit;                  // the new head; == head if it was up to date
        std::vector<std::string> conflicts;  // files, when it could not be rebased; commit is empty then
    };
    // Replays what `head` has since `base` (its fork point; empty: all) and `onto` has not on `onto`, without a work tree
    // (merge-tree), keeping authors, dates and messages; what `onto` has already under another id or what comes out empty is
    // left out. Merges are flattened where that comes to the same tree as merging does. Where it does not, they hold
    // resolutions, and the merge of `onto` into `head` is the new head; or, where `onto` lacks what they merged, since it was
    // set back from it, all that `head` has as one commit.
    [[nodiscard]] virtual Result<Rebased> rebase(const std::string& head, const std::string& onto, const std::string& base) = 0;
};

// The mirror at `path`, made if it is not there (atomically: a half-made one is never seen). While it is open nobody compacts
// it; Errc::unavailable where somebody did for longer than the time limit.
[[nodiscard]] Result<std::unique_ptr<Mirror>> open_mirror(const std::string& path, const Options& options);

// A bare repository on this host that others write too: a local forge. Every call asks or changes the repository itself.
class Bare {
public:
    Bare(std::string path, Options options) : path_(std::move(path)), options_(std::move(options)) {}
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] Result<std::optional<std::string>> head(const std::string& branch) const;
    // False where the repository does not know the commit; Errc::no_such where it has no such branch.
    [[nodiscard]] Result<bool> contains(const std::string& branch, const std::string& commit) const;
    // refs/heads/BRANCH := to, a descendant of `from`, if it is `from` now. A branch that contains `to` already is success.
    [[nodiscard]] Status fast_forward(const std::string& branch, const std::string& to, const std::string& from) const;
    // Removes the branch if it is `from` now; Errc::conflict otherwise. Gone already is success. Errc::not_permitted
    // where the repository has a rule against it (receive.denyDeletes).
    [[nodiscard]] Status remove(const std::string& branch, const std::string& from) const;
    // As Mirror::obstacle.
    [[nodiscard]] Result<std::optional<std::string>> obstacle(const std::string& commit,
                                                              const std::vector<std::string>& files) const;

private:
    std::string path_;
    Options options_;
};

// Upkeep of a repository of ours (upkeep.cpp).
//
// Names of the branches under refs/PREFIX that begin with `start`: ("heads", "task/") names our own branches of a mirror,
// ("remotes/forge", "task/") the forge's as last fetched.
[[nodiscard]] Result<std::vector<std::string>> branch_names(const std::string& repository, const std::string& prefix,
                                                            const std::string& start, const Options& options);
// Packs all objects of a mirror anew once much has gathered; what no reference leads to and is older than two weeks goes. Alone
// with the mirror: Errc::unavailable where it stays in use for too long. `idle` is asked then: nothing is done where somebody
// may borrow an object. Whether it was done.
[[nodiscard]] Result<bool> tidy_objects(const std::string& mirror, const std::function<Result<bool>()>& idle,
                                        const Options& options);

// The side of the run: called by the launcher, as the run's own user, in its own clone, which is hostile to everyone but
// itself.
struct CloneSpec {
    std::string mirror, clone;   // the clone is made anew where nothing is yet; it shares the mirror's objects
    std::string branch, commit;  // checks out `branch` at `commit`; the forge's branches are refs/remotes/origin/*
};
[[nodiscard]] Status make_clone(const CloneSpec& spec);
// What a run leaves in it: git/run_side.h.

}  // namespace orchd::git
