#include "git/work_tree.h"

#include <sys/stat.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "git/stamp.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

constexpr const char* of_a_repository = "160000";
const std::string theirs = "index-of-the-run";

// A copy of an index that a run left; false where there is none.
bool copy_index(const Bench& bench, const std::string& git_dir) {
    std::error_code failed;
    const auto from = git_dir + "/index";
    if (!fs::is_regular_file(from, failed)) return false;
    fs::copy_file(from, bench.path() + '/' + theirs, fs::copy_options::overwrite_existing, failed);
    return !failed;
}

std::string joined_by_nul(const Paths& paths, std::size_t from, std::size_t to) {
    std::string text;
    for (; from < to; ++from) text += paths[from] + '\0';
    return text;
}

class Differences {
public:
    Differences(const Bench& bench, const LeftClone& left, const Gathering& what, const Snapshot& checkout, Gathered& into)
        : bench_(bench), left_(left), what_(what), checkout_(checkout), into_(into) {}

    Result<std::string> tree_on(const std::string& commit) {
        auto entries = bench_.entries_of(commit);
        if (!entries) return fail(entries.error());
        entries_ = std::move(*entries);
        if (auto read = bench_.out({"read-tree", commit}); !read) return read;
        look_at_tracked();
        if (auto dropped = drop_strays(commit); !dropped) return fail(dropped.error());
        take({"update-index", "--force-remove", "-z", "--stdin"}, gone_);
        take({"update-index", "-z", "--stdin"}, changed_);
        if (auto kept = keep_what_is_the_same(commit); !kept) return fail(kept.error());
        if (auto taken = take_new(); !taken) return fail(taken.error());
        return bench_.out({"write-tree"}).map(chomped);
    }

private:
    // False where a link, or no folder, stands in the way: git takes the file as gone.
    bool in_folders(const std::string& path) {
        const auto slash = path.rfind('/');
        if (slash == path.npos) return true;
        const auto folder = path.substr(0, slash);
        const auto known = folders_.find(folder);
        if (known != folders_.end()) return known->second;
        const auto stamp = in_folders(folder) ? stamp_of(bench_.work_tree() + '/' + folder) : std::nullopt;
        return folders_[folder] = stamp && S_ISDIR(stamp->mode);
    }

    // Files that a sparse checkout has taken out of the work tree are not gone.
    std::set<std::string> left_out() const {
        std::set<std::string> paths;
        if (left_.git_dir.empty() || !copy_index(bench_, left_.git_dir)) return paths;
        if (const auto listed = bench_.list({"ls-files", "-z", "-t"}, theirs))
            for (const auto& line : *listed)
                if (line.starts_with("S ")) paths.insert(line.substr(2));
        return paths;
    }

    void look_at_tracked() {
        const auto out = left_out();
        for (const auto& [path, entry] : entries_) {
            const auto stamp = in_folders(path) ? stamp_of(bench_.work_tree() + '/' + path) : std::nullopt;
            const auto before = checkout_.find(path);
            if (entry.mode == of_a_repository) {
                look_at_submodule(path, entry.id);
            } else if (!stamp) {
                if (!out.contains(path)) gone_.push_back(path);
            } else if (before != checkout_.end() && before->second == *stamp) {
                continue;
            } else if (S_ISREG(stamp->mode) || S_ISLNK(stamp->mode)) {
                changed_.push_back(path);
            } else if (S_ISDIR(stamp->mode)) {
                gone_.push_back(path);  // what is in it is new
            } else {
                into_.reasons.push_back(shown(path) + " is a pipe, socket or device now, which git has no place for");
            }
        }
    }

    void look_at_submodule(const std::string& path, const std::string& id) {
        const auto now = read_left_clone(bench_.work_tree() + '/' + path);
        if (!now.head.empty() && now.head != id)
            into_.reasons.push_back("the submodule " + shown(path) + " is at " + now.head +
                                    ", and that was not committed: commit it where it is meant");
    }

    Status drop_strays(const std::string& commit) {
        const auto strays = bench_.stray_repositories(commit, what_.base.empty() ? what_.clone.commit : what_.base);
        if (!strays) return fail(strays.error());
        for (const auto& path : *strays) embedded(path);
        take({"update-index", "--force-remove", "-z", "--stdin"}, *strays);
        return {};
    }

    void embedded(const std::string& path) {
        if (!embedded_.insert(path).second) return;
        into_.reasons.push_back(shown(path) +
                                " is a repository or work tree of its own inside of the clone, so nothing of it is taken in: "
                                "remove its .git where its files belong to the project, otherwise remove or ignore it");
    }

    // All at once where that can be; what cannot be is found by halves.
    void take(const Paths& args, const Paths& paths) { take(args, paths, 0, paths.size()); }
    void take(const Paths& args, const Paths& paths, std::size_t from, std::size_t to) {
        if (from == to) return;
        const auto answer = git::call(bench_.call(args, joined_by_nul(paths, from, to)));
        if (answer && answer->status == 0) return;
        if (!answer || to - from == 1) {
            refused_.insert(paths.begin() + static_cast<std::ptrdiff_t>(from), paths.begin() + static_cast<std::ptrdiff_t>(to));
            into_.reasons.push_back(shown(paths[from]) + (to - from == 1 ? "" : " and others") +
                                    " could not be taken in: " + (answer ? answer->words : answer.error().text));
            return;
        }
        const auto half = from + (to - from) / 2;
        take(args, paths, from, half);
        take(args, paths, half, to);
    }

    Result<Bench::Entries> differing(const std::string& commit, const std::string& index) const {
        const auto listed =
            bench_.list({"diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", commit}, index);
        if (!listed) return fail(listed.error());
        Bench::Entries entries;
        for (std::size_t i = 0; i + 1 < listed->size(); i += 2) {  // :MODE MODE ID ID LETTER, then the path
            const auto words = split((*listed)[i], ' ');
            entries[(*listed)[i + 1]] = {words[1], words[3]};
        }
        return entries;
    }

    // A file that was only written anew, by a change of branches for instance, is as it was, though its attributes would have
    // git change its line ends when it is added.
    Status keep_what_is_the_same(const std::string& commit) {
        const auto differ = differing(commit, "index");
        if (!differ) return fail(differ.error());
        Paths written;
        for (const auto& path : changed_)
            if (differ->contains(path)) written.push_back(path);
        if (written.empty()) return {};
        const std::string index = "index-as-it-is";
        std::error_code failed;
        fs::create_directories(bench_.path() + "/info", failed);
        const auto attributes = bench_.path() + "/info/attributes";
        std::ofstream(attributes) << "* -text -crlf -eol -ident -filter -working-tree-encoding\n";
        auto read = bench_.out({"read-tree", commit}, {}, index);
        if (read) read = bench_.out({"update-index", "-z", "--stdin"}, joined_by_nul(written, 0, written.size()), index);
        fs::remove(attributes, failed);
        if (!read) return fail(read.error());
        const auto as_it_is = differing(commit, index);
        if (!as_it_is) return fail(as_it_is.error());
        std::string same;
        for (const auto& path : written) {
            const auto& before = entries_.at(path);
            const auto found = as_it_is->find(path);
            if (found == as_it_is->end() || found->second.id == before.id)
                same += (found == as_it_is->end() ? before.mode : found->second.mode) + ' ' + before.id + '\t' + path + '\0';
        }
        const auto put = bench_.out({"update-index", "-z", "--index-info"}, same);
        return put ? Status{} : fail(put.error());
    }

    Status take_new() {
        auto found = bench_.list({"ls-files", "-z", "--others", "--exclude-standard"});
        if (!found) return fail(found.error());
        if (!what_.artefacts.empty()) {
            const auto ignored =
                bench_.list({"ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", what_.artefacts});
            if (!ignored) return fail(ignored.error());
            if (!ignored->empty())
                into_.told.push_back(shown(*ignored) + ": taken in, though the project's .gitignore says otherwise");
            found->insert(found->end(), ignored->begin(), ignored->end());
        }
        Paths fresh;
        for (auto& path : *found) {
            if (path.ends_with('/'))
                embedded(path.substr(0, path.size() - 1));
            else
                fresh.push_back(std::move(path));
        }
        take({"update-index", "--add", "--replace", "-z", "--stdin"}, fresh);
        return miss(fresh);
    }

    // Names that git refuses (".GIT/config"), it only warns of.
    Status miss(const Paths& taken) {
        if (taken.empty()) return {};
        const auto listed = bench_.list({"ls-files", "-z"});
        if (!listed) return fail(listed.error());
        const std::set<std::string> there(listed->begin(), listed->end());
        for (const auto& path : taken)
            if (!there.contains(path) && !refused_.contains(path))
                into_.reasons.push_back(shown(path) + " could not be taken in: git allows no such name");
        return {};
    }

    const Bench& bench_;
    const LeftClone& left_;
    const Gathering& what_;
    const Snapshot& checkout_;
    Gathered& into_;
    Bench::Entries entries_;
    Paths changed_, gone_;
    std::set<std::string> embedded_, refused_;
    std::map<std::string, bool> folders_;
};

}  // namespace

Result<std::string> tree_with_differences(const Bench& bench, const LeftClone& left, const Gathering& what,
                                          const Snapshot& checkout, const std::string& commit, Gathered& into) {
    return Differences(bench, left, what, checkout, into).tree_on(commit);
}

std::vector<std::string> open_up(const std::string& work_tree) {
    std::vector<std::string> special;
    std::error_code failed;
    const auto open_for_its_owner = [&](const fs::directory_entry& at, fs::perms needed) {
        const auto now = at.symlink_status(failed).permissions();
        if ((now & needed) != needed) fs::permissions(at.path(), needed, fs::perm_options::add, failed);
    };
    fs::directory_entry top(work_tree, failed);
    if (top.is_directory(failed)) open_for_its_owner(top, fs::perms::owner_all);
    fs::recursive_directory_iterator at(work_tree, fs::directory_options::skip_permission_denied, failed);
    for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        std::error_code unseen;
        const auto status = at->symlink_status(unseen);
        if (at->path().filename() == ".git" && fs::is_directory(status)) {
            at.disable_recursion_pending();
        } else if (fs::is_directory(status)) {
            open_for_its_owner(*at, fs::perms::owner_all);
        } else if (fs::is_regular_file(status)) {
            open_for_its_owner(*at, fs::perms::owner_read);
        } else if (!fs::is_symlink(status)) {
            special.push_back(at->path().lexically_relative(work_tree).string());
        }
    }
    return special;
}

std::vector<std::string> unmerged(const Bench& bench, const LeftClone& left) {
    std::set<std::string> paths;
    if (left.git_dir.empty() || !copy_index(bench, left.git_dir)) return {};
    if (const auto listed = bench.list({"ls-files", "-z", "--unmerged"}, theirs))
        for (const auto& line : *listed) paths.insert(line.substr(line.find('\t') + 1));  // MODE ID STAGE<tab>PATH
    return {paths.begin(), paths.end()};
}

bool has_changes(const Bench& bench, const std::string& git_dir, const std::string& work_tree) {
    if (!copy_index(bench, git_dir)) return false;
    const auto there = bench.over(work_tree);
    const auto fresh = there.list({"ls-files", "-z", "--others", "--exclude-standard"}, theirs);
    if (fresh && !fresh->empty()) return true;
    (void)git::call(there.call({"update-index", "-q", "--refresh"}, {}, theirs));
    const auto changed = git::call(there.call({"diff-files", "--quiet"}, {}, theirs));
    return changed && changed->status == 1;
}

}  // namespace orchd::git
