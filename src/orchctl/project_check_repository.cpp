#include "orchctl/project_check_repository.h"

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/front_matter.h"
#include "core/text.h"
#include "git/call.h"
#include "git/git.h"
#include "host/host.h"

namespace orchd::orchctl {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t history_timeout_s = 1800, timeout_s = 60;
constexpr std::size_t shown_of_many = 3;

// "a, b, c and 12 more"
std::string some_of(const std::vector<std::string>& all) {
    const auto shown = std::vector(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), shown_of_many)));
    return joined(shown, ", ") +
           (all.size() > shown.size() ? " and " + std::to_string(all.size() - shown.size()) + " more" : "");
}

std::string mirror_of(const settings::Project& project, const ForgeHome& home) {
    return home.mirrors + '/' + project.name + ".git";
}

class Look {
public:
    Look(const settings::Project& project, const ForgeHome& home, History history)
        : project_(project),
          home_(home),
          path_(project.forge_path),
          user_(::geteuid() == 0 ? home.user : std::string()),
          with_history_(history == History::checked) {}

    RepositoryFindings look() {
        ownership();
        kind();
        mirror();
        rules();
        hooks();
        branches();
        std::error_code ignored;
        if (fs::exists(path_ + "/shallow", ignored) && fs::file_size(path_ + "/shallow", ignored) > 0)
            problem(
                "it is a shallow clone, without its whole history; mend that with 'git fetch --unshallow' in it, from where it "
                "was cloned, or put a full clone in its place");
        else if (!target_.empty())
            history();
        if (!target_.empty()) artefacts();
        return std::move(found_);
    }

private:
    void problem(const std::string& text) { found_.problems.push_back(project_.file + ": forge.path: " + path_ + ": " + text); }
    void note(const std::string& text) { found_.notes.push_back(project_.file + ": note: " + path_ + ": " + text); }
    // A look that could not be made is a problem too: nothing is known then.
    void unseen(const std::string& what, const Error& error) { problem(what + " cannot be looked at: " + error.text); }

    [[nodiscard]] git::Call call(std::vector<std::string> args, std::int64_t limit_s = timeout_s) const {
        return {.repository = path_, .args = std::move(args), .timeout_s = limit_s, .as_user = user_};
    }
    [[nodiscard]] std::string value(const std::string& key) const {
        const auto answer = git::call(call({"config", "--local", "--includes", "--get-all", key}));
        if (!answer || answer->status != 0) return {};  // what cannot be read at all is told of the branches
        return joined(git::split(answer->out, '\n'), ", ");
    }
    [[nodiscard]] std::string fix() const { return ": 'orchctl project check --fix " + project_.name + "' mends that (root)"; }

    Result<std::vector<std::string>> find(const std::string& place, const std::vector<std::string>& tests) {
        host::Child child;
        if (!user_.empty()) child.argv = {"/usr/bin/setpriv", "--reuid=" + user_, "--regid=" + user_, "--init-groups"};
        child.argv.insert(child.argv.end(), {"/usr/bin/find", place});
        child.argv.insert(child.argv.end(), tests.begin(), tests.end());
        child.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
        child.timeout_ms = timeout_s * 1000;
        auto ended = host::run(child);
        if (!ended) return fail(ended.error());
        if (ended->timed_out) return fail(Errc::unavailable, "find took more than a minute");
        return git::split(ended->out, '\n');
    }

    void ownership() {
        if (::geteuid() != 0) note("only root can look with the eyes of the user " + home_.user);
        const auto closed = find(path_, {"(", "-type", "d", "(", "!", "-writable", "-o", "!", "-executable", ")", "-o", "-type",
                                         "f", "!", "-readable", ")", "-print"});
        if (!closed) return unseen("who may write", closed.error());
        if (!closed->empty() && !user_.empty())
            problem("the user " + user_ + " may not write in, or read, " + some_of(*closed) + fix());
        auto shared = git::call(call({"config", "--get", "core.sharedRepository"}));
        if (!shared || shared->status != 0) return;
        const auto value = git::chomped(shared->out);
        if (value == "umask" || value == "false" || value == "0") return;
        const auto apart =
            find(path_, {"-type", "d", "(", "!", "-group", home_.user, "-o", "!", "-perm", "-2070", ")", "-print"});
        if (!apart) return unseen("whose it is", apart.error());
        if (!apart->empty() && closed->empty())
            problem("members of the group " + home_.user + " cannot write beside others in " + some_of(*apart) + fix());
    }

    // Of orchd alone: what root, say, wrote there by hand the units cannot write any more.
    void mirror() {
        const auto mirror = mirror_of(project_, home_);
        std::error_code ignored;
        if (!fs::exists(mirror, ignored)) return;
        const auto others = find(mirror, {"!", "-user", home_.user, "-print"});
        if (!others) return unseen("its mirror " + mirror, others.error());
        if (!others->empty()) problem("its mirror has what is not the user " + home_.user + "'s: " + some_of(*others) + fix());
    }

    bool set(const std::string& key) {
        const auto answer = git::call(call({"config", "--type=bool", "--get", key}));
        if (!answer || answer->status > 1) {
            unseen(key, answer ? git::refused(call({"config"}), *answer) : answer.error());
            return false;
        }
        return git::chomped(answer->out) == "true";
    }

    void rules() {
        if (set("receive.denyNonFastforwards"))
            problem("receive.denyNonFastforwards is set (git init --shared does that), so no task's branch can be rebased" +
                    fix());
        if (set("receive.denyDeletes")) note("receive.denyDeletes is set: branches of tasks that ended long ago stay");
        for (const auto* key : {"transfer.hideRefs", "receive.hideRefs", "uploadpack.hideRefs"})
            if (const auto hidden = value(key); !hidden.empty())
                problem(std::string(key) + " hides branches (" + hidden +
                        "), so that what is hidden can be neither read nor pushed");
        if (const auto most = value("receive.maxInputSize"); !most.empty() && most != "0")
            note("receive.maxInputSize is " + most + ": larger pushes of tasks are refused");
    }

    // What tasks cannot be worked in at all, whatever is in it.
    void kind() {
        if (value("core.bare") == "false")
            problem(
                "core.bare is false: it is of a work tree, which would not follow what orchd merges, and to whose branch "
                "nobody can push; "
                "'git clone --bare' makes one without, and where there is no work tree any more, 'git config core.bare true' "
                "mends it");
        if (value("extensions.objectFormat") == "sha256")
            problem(
                "its objects are named by SHA-256, which orchd does not read: 'git init --object-format=sha1' makes another");
    }

    // The units hold the database, and run nothing that others may write (decision 021).
    void hooks() {
        std::vector<std::string> names;
        bool gitea = false;
        std::error_code ignored;
        const auto elsewhere = value("core.hooksPath");
        const auto folder = fs::path(path_) / (elsewhere.empty() ? "hooks" : elsewhere);
        for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored)) {
            const auto name = at->path().filename().string();
            struct stat seen {};
            if (name.ends_with(".sample") || ::stat(at->path().c_str(), &seen) != 0) continue;
            if (name.ends_with(".d") && S_ISDIR(seen.st_mode)) gitea = gitea || fs::exists(at->path() / "gitea", ignored);
            if (S_ISREG(seen.st_mode) && (seen.st_mode & 0111U) != 0) names.push_back(name);
        }
        std::sort(names.begin(), names.end());
        if (!names.empty())
            note("its hooks do not run where orchd pushes or merges, only where people push: " + joined(names, ", "));
        if (gitea)
            note(
                "it is a Gitea's, which learns of pushes by hooks: of what orchd pushes and merges it shows nothing until "
                "somebody else pushes");
    }

    void branches() {
        const auto listed = git::output(call({"for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"}));
        if (!listed) return unseen("its branches", listed.error());
        std::vector<std::string> names;
        for (const auto& line : git::split(*listed, '\n')) {
            const auto space = line.find(' ');
            names.push_back(line.substr(space + 1));
            if (names.back() == project_.target) target_ = line.substr(0, space);
            if (names.back() == "task")
                problem("it has a branch named task, in the place of the branches of tasks (task/" + project_.prefix +
                        "-1): rename it with 'git branch -m task OTHER'");
            const auto item = names.back().substr(0, names.back().rfind('/'));
            const auto own = "task/" + project_.prefix + '-';
            if (item.starts_with(own) && item != names.back())
                problem("it has a branch " + names.back() + ", in the place of the branch of " +
                        item.substr(std::string_view("task/").size()) + ": rename it with 'git branch -m " + names.back() +
                        " OTHER'");
        }
        if (target_.empty() && !names.empty())
            note("it has the branches " + some_of(names) + ", and no " + project_.target + ", which [project] target names");
    }

    // What the mirror has was checked when it was fetched.
    void history() {
        if (project_.forge_accept_history || !with_history_) return;
        const auto mirror = mirror_of(project_, home_);
        auto known = call({"cat-file", "-e", target_});
        known.repository = mirror;
        std::error_code ignored;
        if (fs::exists(mirror + "/HEAD", ignored))
            if (const auto has = git::call(known); has && has->status == 0) return;
        const auto what = call({"fsck", "--strict", "--no-dangling", "--no-reflogs", "--no-progress"}, history_timeout_s);
        const auto checked = git::call(what);
        if (!checked) return unseen("its history", checked.error());
        if (checked->status == 0) return;
        const auto says = [&](std::string_view words) { return checked->words.find(words) != std::string::npos; };
        if (says("alternate"))
            problem("it borrows objects from where the user " + home_.user + " cannot read them: " + checked->words);
        else if (says("invalid sha1 pointer") || says("missing ") || says("broken link"))
            problem("objects of it are not there: " + checked->words);
        else
            problem("git's checks refuse objects of its history, and so a fetch of it: " + checked->words +
                    ". If that is your own and stays as it is, set [forge] accept_history = true in " + project_.file);
    }

    void artefacts() {
        const auto obstacle = git::Bare(path_, {.timeout_s = timeout_s, .as_user = user_})
                                  .obstacle(target_, artefact_paths(project_.prefix + "-1"));
        if (!obstacle) return unseen("the artefacts' folder", obstacle.error());
        if (*obstacle) problem("artefacts of tasks cannot be committed: on " + project_.target + ", " + **obstacle);
    }

    const settings::Project& project_;
    const ForgeHome& home_;
    const std::string& path_;
    std::string user_;  // whose eyes; empty: the caller's
    bool with_history_;
    std::string target_;  // its commit
    RepositoryFindings found_;
};

Status done(const std::vector<std::string>& argv) {
    host::Child child;
    child.argv = argv;
    child.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
    child.timeout_ms = history_timeout_s * 1000;
    const auto ended = host::run(child);
    if (!ended) return fail(ended.error());
    if (ended->timed_out || ended->status != 0) return fail(Errc::io, argv.front() + ": " + git::chomped(ended->err));
    return {};
}

}  // namespace

RepositoryFindings look_at_repository(const settings::Project& project, const ForgeHome& home, History history) {
    return Look(project, home, history).look();
}

RepositoryFindings all_findings(const settings::Project& project, History history) {
    RepositoryFindings found{host_problems(project), {}};
    const auto no_repository = [](const std::string& text) {
        return text.find(": forge.path: ") != text.npos && text.find(" has no branch ") == text.npos;
    };
    if (std::ranges::any_of(found.problems, no_repository)) return found;
    auto more = look_at_repository(project, {}, history);
    found.problems.insert(found.problems.end(), more.problems.begin(), more.problems.end());
    found.notes = std::move(more.notes);
    return found;
}

Result<std::vector<std::string>> mend_repository(const settings::Project& project, const ForgeHome& home) {
    if (::geteuid() != 0) return fail(Errc::not_permitted, "Only root can mend whose a repository is: use sudo.");
    const auto& path = project.forge_path;
    std::error_code error;
    if (!path.starts_with(home.folder + '/') || !fs::is_regular_file(path + "/HEAD", error))
        return fail(Errc::invalid_argument, path + " is no bare repository under " + home.folder + ": nothing was changed.");
    // These walk a tree that others may change meanwhile without being led out of it.
    const auto& group = home.user;
    for (const auto& argv : std::vector<std::vector<std::string>>{
             {"/usr/bin/chgrp", "--recursive", "--no-dereference", group, path},
             {"/usr/bin/chmod", "--recursive", "g+rX", path},
             {"/usr/bin/find", path, "-type", "d", "-execdir", "/usr/bin/chmod", "g+rwxs", "{}", "+"},
             {"/usr/bin/find", path, "-maxdepth", "1", "-name", "orchd.lock", "-execdir", "/usr/bin/chown", "--no-dereference",
              home.user, "{}", "+"}})
        if (auto ok = done(argv); !ok) return fail(ok.error());
    const auto mirror = mirror_of(project, home);
    if (fs::exists(mirror, error))
        if (auto ok = done({"/usr/bin/chown", "--recursive", "--no-dereference", home.user + ':', mirror}); !ok)
            return fail(ok.error());
    for (const auto& [key, value] :
         {std::pair{"core.sharedRepository", "group"}, std::pair{"receive.denyNonFastforwards", "false"}}) {
        const auto kept = git::output({.repository = path, .args = {"config", key, value}, .as_user = home.user});
        if (!kept) return fail(kept.error());
    }
    return std::vector<std::string>{
        "The folders of " + path + " are the group " + group + "'s, and what is written there stays so.",
        "Branches of tasks may be rebased in it."};
}

}  // namespace orchd::orchctl
