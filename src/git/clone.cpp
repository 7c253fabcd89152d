// The run's own clone. Here git runs as the run's user, in a repository that the run may have turned against itself.
#include <filesystem>

#include "git/git.h"
#include "git/references.h"
#include "git/repository.h"
#include "git/write_file.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t clone_timeout_s = 600;

struct Clone {
    std::string folder;

    [[nodiscard]] Repository repository() const { return {folder + "/.git", clone_timeout_s}; }
    [[nodiscard]] Call call(std::vector<std::string> args) const {
        auto what = repository().call(std::move(args));
        what.environment = {"GIT_WORK_TREE=" + folder};
        return what;
    }
};

Status done(const Call& what) {
    const auto said = output(what);
    return said ? Status{} : fail(said.error());
}

}  // namespace

Result<std::string> packed_references(const CloneSpec& spec) {
    constexpr std::string_view theirs = "refs/remotes/forge/";
    const auto listed = output(Repository{spec.mirror, clone_timeout_s}.call(
        {"for-each-ref", "--format=%(objectname) %(refname)", std::string(theirs)}));
    if (!listed) return fail(listed.error());
    auto packed = "# pack-refs with: sorted \n" + spec.commit + " refs/heads/" + spec.branch + '\n';
    for (const auto& line : split(*listed, '\n')) {
        const auto space = line.find(' ');
        packed += line.substr(0, space) + " refs/remotes/origin/" + line.substr(space + 1 + theirs.size()) + '\n';
    }
    return packed;
}

Status make_clone(const CloneSpec& spec) {
    if (auto ok = check_branch(spec.branch); !ok) return ok;
    if (auto ok = check_oid(spec.commit); !ok) return ok;
    const auto references = packed_references(spec);
    if (!references) return fail(references.error());
    const Clone clone{spec.clone};
    if (auto ok = done({.repository = {},
                        .args = {"init", "--quiet", "--template=", "--initial-branch=" + spec.branch, spec.clone},
                        .timeout_s = clone_timeout_s});
        !ok)
        return ok;
    const auto git_dir = spec.clone + "/.git";
    std::error_code failed;
    fs::create_directories(git_dir + "/objects/info", failed);
    const auto settings = "[remote \"origin\"]\n\turl = \"" + spec.mirror +
                          "\"\n\tfetch = +refs/remotes/forge/*:refs/remotes/origin/*\n[gc]\n\tauto = 0\n";
    auto written = write_file(git_dir + "/objects/info/alternates", spec.mirror + "/objects\n");
    if (written) written = write_file(git_dir + "/config", settings, std::ios::app);
    if (written) written = write_file(git_dir + "/packed-refs", *references);
    if (!written) return written;
    return done(clone.call({"reset", "--quiet", "--hard"}));
}

}  // namespace orchd::git
