#include "git/left_clone.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include "core/shapes.h"
#include "git/call.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view heads = "refs/heads/";

std::string text_of(const std::string& file, std::size_t most) {
    std::error_code unseen;
    if (!fs::is_regular_file(file, unseen)) return {};  // a FIFO would block
    std::ifstream in(file, std::ios::binary);
    std::string text(most, '\0');
    in.read(text.data(), static_cast<std::streamsize>(most));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

std::string line_of(const std::string& file) { return chomped(text_of(file, 4096)); }

bool there(const std::string& path) {
    std::error_code unseen;
    return fs::exists(path, unseen);
}

// The folder itself, or where a file of that name leads, as of `git init --separate-git-dir` and of worktrees.
std::string git_dir_of(const std::string& folder) {
    constexpr std::string_view leads = "gitdir: ";
    const auto named = folder + "/.git";
    std::error_code unseen;
    if (fs::is_directory(named, unseen)) return there(named + "/HEAD") ? named : std::string();
    const auto text = line_of(named);
    if (!text.starts_with(leads)) return {};
    const auto led = (fs::path(folder) / text.substr(leads.size())).lexically_normal().string();
    return there(led + "/HEAD") ? led : std::string();
}

std::map<std::string, std::string> references(const std::string& git_dir) {
    std::map<std::string, std::string> all;
    constexpr std::size_t most = 64u << 20;
    for (const auto& line : split(text_of(git_dir + "/packed-refs", most), '\n'))
        if (const auto space = line.find(' '); space != line.npos && is_commit_id(line.substr(0, space)))
            all[line.substr(space + 1)] = line.substr(0, space);
    std::error_code failed;
    fs::recursive_directory_iterator at(git_dir + "/refs", fs::directory_options::skip_permission_denied, failed);
    for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed))
        if (auto id = line_of(at->path().string()); is_commit_id(id))
            all[at->path().lexically_relative(git_dir).generic_string()] = std::move(id);
    return all;
}

// Where other work trees of this repository stand, and what they have checked out apart from any branch.
void read_worktrees(LeftClone& clone) {
    std::error_code failed;
    for (fs::directory_iterator at(clone.git_dir + "/worktrees", failed), end; !failed && at != end; at.increment(failed)) {
        const auto name = at->path().filename().string();
        const auto folder = fs::path(line_of(at->path().string() + "/gitdir")).parent_path().string();
        if (!folder.empty() && there(folder)) clone.worktrees[name] = folder;
        if (auto id = line_of(at->path().string() + "/HEAD"); is_commit_id(id))
            clone.branches["worktree " + name] = std::move(id);
    }
}

}  // namespace

LeftClone read_left_clone(const std::string& folder) {
    LeftClone clone;
    clone.git_dir = git_dir_of(folder);
    if (clone.git_dir.empty()) return clone;
    const auto all = references(clone.git_dir);
    for (const auto& [name, id] : all)
        if (name.starts_with(heads)) clone.branches[name.substr(heads.size())] = id;
    if (const auto stash = all.find("refs/stash"); stash != all.end()) clone.stash = stash->second;

    constexpr std::string_view symbolic = "ref: ";
    const auto head = line_of(clone.git_dir + "/HEAD");
    if (is_commit_id(head)) clone.head = head;
    if (head.starts_with(symbolic)) {
        const auto name = head.substr(symbolic.size());
        if (name.starts_with(heads)) clone.on = name.substr(heads.size());
        if (const auto found = all.find(name); found != all.end()) clone.head = found->second;
    }
    for (const auto& id : split(text_of(clone.git_dir + "/MERGE_HEAD", 4096), '\n'))
        if (is_commit_id(id)) clone.merge_heads.push_back(id);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> on_the_way{{{"rebase-merge", "a rebase"},
                                                                                       {"rebase-apply", "a rebase"},
                                                                                       {"sequencer", "a cherry-pick or revert"},
                                                                                       {"BISECT_LOG", "a bisection"}}};
    for (const auto& [file, what] : on_the_way)
        if (clone.unfinished.empty() && there(clone.git_dir + '/' + std::string(file))) clone.unfinished = what;
    read_worktrees(clone);
    return clone;
}

}  // namespace orchd::git
