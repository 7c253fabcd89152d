// The one implementation of Mirror that is real. Its larger parts stand in fork_point.cpp, import.cpp and rewrite.cpp.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "git/git.h"
#include "git/lock.h"
#include "git/repository.h"

namespace orchd::git {

class DiskMirror final : public Mirror {
public:
    DiskMirror(const std::string& path, const Options& options, UseLock use)
        : repository_{path, options.timeout_s},
          target_(options.target),
          own_history_(options.own_history),
          use_(std::move(use)) {}

    const std::string& path() const override { return repository_.path; }
    Status fetch(const std::string& url) override;
    Result<std::optional<std::string>> forge_head(const std::string& branch) override;
    Result<std::optional<std::string>> head(const std::string& branch) override;
    Status set_head(const std::string& branch, const std::string& to, const std::string& from) override;
    Status push(const std::string& url, const std::string& branch, const std::string& commit,
                const std::string& expected) override;
    Result<std::string> import_bundle(const std::string& file, const std::string& branch, std::uint64_t max_bytes) override;
    Result<bool> is_ancestor(const std::string& ancestor, const std::string& commit) override;
    Result<std::string> merge_base(const std::string& a, const std::string& b) override;
    Result<std::string> fork_point(const std::string& branch, const std::string& commit) override;
    Result<std::optional<std::string>> read_file(const std::string& commit, const std::string& path) override;
    Result<std::optional<std::string>> obstacle(const std::string& commit, const std::vector<std::string>& files) override;
    Result<bool> has_program(const std::string& commit, const std::string& path) override;
    Result<std::vector<std::string>> changed_paths(const std::string& from, const std::string& to) override;
    Result<std::string> patch_id(const std::string& base, const std::string& head, const std::string& excluded_folder) override;
    Result<std::string> commit_file(const std::string& parent, const std::string& path, const std::string& content,
                                    const std::string& message) override;
    Result<Rebased> rebase(const std::string& head, const std::string& onto, const std::string& base) override;

private:
    // Moves the reference at the far side; any error, where it is not what was expected.
    Status send(const Repository& far, const std::string& reference, const std::string& commit,
                const std::string& expected) const;
    // What the target is about to be moved away from is kept as refs/dropped/TARGET/OID; and is forgotten where it is in the
    // target still, or again.
    Status keep_dropped(const std::string& known, const std::string& theirs) const;
    Status forget_kept() const;
    Result<std::vector<std::string>> dropped() const;
    // Of these all that `head` does not contain, as one commit; else the first.
    Result<std::string> one_base(const std::string& head, const std::vector<std::string>& bases);
    // A commit of both. Where they conflict its files hold the marks, so that whoever is compared with it conflicts there too.
    Result<std::string> merge_bases(const std::string& a, const std::string& b);
    struct Merged {
        std::string object;                  // the new tree or commit
        std::vector<std::string> conflicts;  // object is empty then
    };
    // The commit on top of `onto`; `onto` itself where nothing was left of it.
    Result<Merged> pick(const std::string& commit, const std::string& onto);
    Result<Merged> merge_trees(const std::string& commit, const std::string& parent, const std::string& onto);
    Result<Rebased> flatten(const std::string& head, const std::string& onto, const std::string& base);
    // As one commit on `onto`: a merge, or, where `onto` does not contain `base`, one with a single parent.
    Result<Rebased> keep_merges(const std::string& head, const std::string& onto, const std::string& base,
                                const std::string& tree);
    Result<std::string> tree_of(const std::string& commit);
    Result<std::string> raw_commit(const std::string& commit);
    Result<std::string> write_object(const std::string& type, const std::string& content);

    Repository repository_;
    std::string target_;
    bool own_history_;
    UseLock use_;
    std::optional<std::string> fetched_;  // "OID NAME" a line: the forge's branches as this object has fetched them
};

}  // namespace orchd::git
