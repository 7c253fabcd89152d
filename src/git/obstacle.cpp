// Whether files can be committed in a folder, as `git add` would in a checkout.
#include <stdlib.h>
#include <filesystem>
#include <fstream>
#include <map>

#include "git/repository.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

// Goes with the object. Readable by whoever git runs as: there is nothing in it but what a repository says.
class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "orchd-ignore-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) return;
        path_ = name;
        std::error_code ignored;
        fs::permissions(path_, fs::perms(0755), ignored);
    }
    Folder(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

// "docs", "docs/work-items", … of "docs/work-items/X-1/10-analysis.md".
std::vector<std::string> folders_of(const std::string& file) {
    std::vector<std::string> folders;
    for (auto slash = file.find('/'); slash != file.npos; slash = file.find('/', slash + 1))
        folders.push_back(file.substr(0, slash));
    return folders;
}

struct Entry {
    std::string mode, object;
};

// What the commit has at these paths: "100644 blob OID\tPATH", NUL after each.
Result<std::map<std::string, Entry>> entries(const Repository& repository, const std::string& commit,
                                             const std::vector<std::string>& paths) {
    std::vector<std::string> args{"ls-tree", "--full-tree", "-z", commit, "--"};
    args.insert(args.end(), paths.begin(), paths.end());
    const auto listed = output(repository.call(std::move(args)));
    if (!listed) return fail(listed.error());
    std::map<std::string, Entry> found;
    for (const auto& line : split(*listed, '\0')) {
        const auto tab = line.find('\t');
        const auto fields = split(line.substr(0, tab), ' ');
        if (tab != line.npos && fields.size() == 3) found[line.substr(tab + 1)] = {fields[0], fields[2]};
    }
    return found;
}

std::string kind_of_entry(const std::string& mode) {
    if (mode == "120000") return "a symbolic link";
    return mode == "160000" ? "a submodule" : "a file";
}

}  // namespace

Result<std::optional<std::string>> Repository::obstacle(const std::string& commit,
                                                        const std::vector<std::string>& files) const {
    const auto folders = folders_of(files.front());
    auto paths = folders;
    paths.emplace_back(".gitignore");
    for (const auto& folder : folders) paths.push_back(folder + "/.gitignore");
    const auto found = entries(*this, commit, paths);
    if (!found) return fail(found.error());
    for (const auto& folder : folders)
        if (const auto at = found->find(folder); at != found->end() && at->second.mode != "040000")
            return folder + " is " + kind_of_entry(at->second.mode) + ", so that nothing can be committed below it";

    const Folder tree;
    if (tree.path().empty()) return fail(Errc::io, "no temporary folder can be made");
    bool rules = false;
    for (const auto& [name, entry] : *found) {
        if (!name.ends_with(".gitignore") || !entry.mode.starts_with("100")) continue;
        const auto text = output(call({"cat-file", "blob", entry.object}));
        if (!text) return fail(text.error());
        const auto copy = fs::path(tree.path()) / name;
        std::error_code failed;
        fs::create_directories(copy.parent_path(), failed);
        std::ofstream out(copy, std::ios::binary);
        out << *text;
        if (!out.flush()) return fail(Errc::io, "cannot write " + copy.string());
        rules = true;
    }
    if (!rules) return std::nullopt;
    std::vector<std::string> args{"check-ignore", "--no-index", "--verbose", "--"};
    args.insert(args.end(), files.begin(), files.end());
    auto what = call(std::move(args));
    what.environment = {"GIT_WORK_TREE=" + tree.path()};
    const auto answer = git::call(what);
    if (!answer) return fail(answer.error());
    if (answer->status > 1) return fail(refused(what, *answer));
    for (const auto& line : split(answer->out, '\n')) {
        // ".gitignore:3:docs/\tPATH"; a rule that begins with ! takes it out again.
        const auto tab = line.find('\t');
        const auto rule = line.substr(0, tab);
        const auto pattern = rule.find(':', rule.find(':') + 1);
        if (!rule.substr(pattern + 1).starts_with('!'))
            return line.substr(tab + 1) + " is ignored (" + rule + "), so that it is in no commit that 'git add' makes";
    }
    return std::nullopt;
}

}  // namespace orchd::git
