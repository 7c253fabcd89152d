// The run's own clone. Here git runs as the run's user, in a repository that the run may have turned against itself.
#include <filesystem>
#include <fstream>

#include "git/git.h"
#include "git/lock.h"
#include "git/repository.h"

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

// The clone's references as git packs them, in one file however many there are. The mirror's view of the forge becomes
// origin's, without a fetch: every object is shared already.
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

Status write_file(const std::string& path, const std::string& text, std::ios::openmode mode = std::ios::out) {
    std::ofstream file(path, mode);
    file << text;
    if (!file.flush()) return fail(Errc::io, "cannot write " + path);
    return {};
}

}  // namespace

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

Result<bool> commit_leftovers(const std::string& folder, const std::string& branch, const std::string& author,
                              const std::string& message) {
    const Clone clone{folder};
    remove_lock_files(folder + "/.git");
    const auto on = call(clone.call({"symbolic-ref", "--quiet", "HEAD"}));
    if (!on) return fail(on.error());
    if (chomped(on->out) != "refs/heads/" + branch)
        return fail(Errc::conflict, "the work tree is not on " + branch + ", so what is uncommitted there is left");
    if (auto ok = done(clone.call({"add", "--all"})); !ok) return fail(ok.error());
    const auto compare = clone.call({"diff", "--cached", "--quiet", "--no-ext-diff", "--no-textconv", "HEAD"});
    const auto differs = call(compare);
    if (!differs) return fail(differs.error());
    if (differs->status == 0) return false;
    if (differs->status != 1) return fail(refused(compare, *differs));
    auto commit =
        clone.call({"commit", "--quiet", "--no-verify", "--no-gpg-sign", "--cleanup=verbatim", "--message=" + message});
    for (const auto* who : {"AUTHOR", "COMMITTER"}) {
        commit.environment.push_back(std::string("GIT_") + who + "_NAME=" + author);
        commit.environment.push_back(std::string("GIT_") + who + "_EMAIL=orchd@localhost");
    }
    if (auto ok = done(commit); !ok) return fail(ok.error());
    return true;
}

Result<bool> write_bundle(const std::string& folder, const std::string& branch, const std::string& base,
                          const std::string& file) {
    if (auto ok = check_branch(branch); !ok) return fail(ok.error());
    if (auto ok = check_oid(base); !ok) return fail(ok.error());
    const Clone clone{folder};
    const auto reference = "refs/heads/" + branch;
    const auto head = clone.repository().commit_of(reference);
    if (!head) return fail(head.error());
    if (!*head) return false;
    const auto news = output(clone.call({"rev-list", "--max-count=1", **head, '^' + base}));
    if (!news) return fail(news.error());
    if (news->empty()) return false;
    // Whole or not there: the unit's stop time may end while it is written.
    const auto unfinished = file + ".new";
    if (auto ok = done(clone.call({"bundle", "create", "--quiet", "--version=2", unfinished, '^' + base, reference})); !ok)
        return fail(ok.error());
    std::error_code failed;
    fs::rename(unfinished, file, failed);
    if (failed) return fail(Errc::io, file + ": " + failed.message());
    return true;
}

}  // namespace orchd::git
