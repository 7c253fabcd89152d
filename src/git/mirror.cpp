#include "git/mirror.h"
#include "host/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "git/lock.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t largest_file = 1u << 20;

Status check_url(const std::string& url) {
    if (url.starts_with('/') && url.find('\n') == url.npos) return {};
    return fail(Errc::invalid_argument, "'" + url + "' is not the absolute path of a repository");
}

// "OID NAME" a line, by name.
Result<std::string> branches(const Repository& repository, const std::string& below) {
    const auto words = std::ranges::count(below, '/') + 1;
    return output(
        repository.call({"for-each-ref", "--format=%(objectname) %(refname:lstrip=" + std::to_string(words) + ")", below}));
}

// A fetch that was refused, with what it takes.
Error explained(Error error, const std::string& url) {
    if (error.text.find("fsck error") != std::string::npos)
        error.text +=
            " (git's checks refuse objects of its history: if that is your own and stays as it is, set [forge] "
            "accept_history = true in the project's file)";
    return {error.code, "the history of " + url + " is not taken: " + error.text};
}

// A clone without its whole history: what stands on it could not be told from what does not.
bool is_shallow(const std::string& repository) {
    std::error_code ignored;
    return fs::exists(repository + "/shallow", ignored) && fs::file_size(repository + "/shallow", ignored) > 0;
}

bool is_made(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path + "/HEAD", ignored);
}

// Made beside its place and renamed, under a lock: others see nothing or all of it, and what a crash left is made anew.
Status make_mirror(const std::string& path, std::int64_t timeout_s) {
    const auto folder = fs::path(path).parent_path();
    const auto unfinished = path + ".new";
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) return fail(Errc::io, "cannot make " + folder.string() + ": " + failed.message());
    const auto lock = RepositoryLock::take(folder, timeout_s);
    if (!lock) return fail(lock.error());
    if (is_made(path)) return {};
    fs::remove_all(unfinished, failed);
    const auto made = output({.repository = {},
                              .args = {"init", "--quiet", "--bare", "--template=", "--initial-branch=main", unfinished},
                              .timeout_s = timeout_s});
    if (!made) return fail(made.error());
    const host::Fd synced(::open(unfinished.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!synced.open() || ::syncfs(synced.get()) != 0 || ::rename(unfinished.c_str(), path.c_str()) != 0)
        return fail(Errc::io, "cannot make " + path + ": " + std::strerror(errno));
    return {};
}

}  // namespace

Status DiskMirror::fetch(const std::string& url) {
    if (auto ok = check_url(url); !ok) return ok;
    const auto theirs = branches({url, repository_.timeout_s}, "refs/heads");
    if (!theirs) return fail(theirs.error());
    const auto known = branches(repository_, "refs/remotes/forge");
    if (!known) return fail(known.error());
    fetched_.reset();
    if (is_shallow(url))
        return fail(Errc::refused,
                    url +
                        " is a shallow clone, without its whole history: 'git fetch --unshallow' in it, from where "
                        "it was cloned, or a full clone in its place mends that");
    if (*known == *theirs) {
        fetched_ = *theirs;
        return {};
    }
    const auto lock = repository_.lock_for_writing();
    if (!lock) return fail(lock.error());
    if (auto kept = keep_dropped(*known, *theirs); !kept) return kept;
    const std::string checked = own_history_ ? "false" : "true";
    const auto done = output(
        repository_.call({"-c", "fetch.fsckObjects=" + checked, "fetch", "--quiet", "--prune", "--no-tags",
                          "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules",
                          "--refmap=", "--upload-pack=" + far_side("upload-pack"), url, "+refs/heads/*:refs/remotes/forge/*"}));
    if (!done) return fail(explained(done.error(), url));
    auto fetched = branches(repository_, "refs/remotes/forge");
    if (!fetched) return fail(fetched.error());
    fetched_ = std::move(*fetched);
    return forget_kept();
}

Result<std::optional<std::string>> DiskMirror::forge_head(const std::string& branch) {
    if (auto ok = check_branch(branch); !ok) return fail(ok.error());
    if (!fetched_) return repository_.commit_of("refs/remotes/forge/" + branch);
    for (const auto& line : split(*fetched_, '\n'))
        if (const auto space = line.find(' '); line.substr(space + 1) == branch) return line.substr(0, space);
    return std::nullopt;
}

Result<std::optional<std::string>> DiskMirror::head(const std::string& branch) {
    if (auto ok = check_branch(branch); !ok) return fail(ok.error());
    return repository_.commit_of("refs/heads/" + branch);
}

Status DiskMirror::set_head(const std::string& branch, const std::string& to, const std::string& from) {
    if (auto ok = check_branch(branch); !ok) return ok;
    if (auto ok = check_oid(to); !ok) return ok;
    if (auto ok = from.empty() ? Status{} : check_oid(from); !ok) return ok;
    return repository_.update("refs/heads/" + branch, to, from);
}

Status DiskMirror::push(const std::string& url, const std::string& branch, const std::string& commit,
                        const std::string& expected) {
    for (const auto& ok :
         {check_url(url), check_branch(branch), check_oid(commit), expected.empty() ? Status{} : check_oid(expected)})
        if (!ok) return ok;
    const auto reference = "refs/heads/" + branch;
    const Repository far{url, repository_.timeout_s};
    if (auto sent = send(far, reference, commit, expected); !sent) {
        const auto there = far.commit_of(reference);
        if (!there || there->value_or("") == expected) return sent;
        if (there->value_or("") != commit)
            return fail(Errc::conflict, branch + " of " + url + " is " + there->value_or("absent") + " now, not " +
                                            (expected.empty() ? "absent" : expected));
    }
    fetched_.reset();
    // So that the next fetch finds nothing new; what was fetched meanwhile is newer than this.
    (void)repository_.update("refs/remotes/forge/" + branch, commit, expected);
    return {};
}

Status DiskMirror::send(const Repository& far, const std::string& reference, const std::string& commit,
                        const std::string& expected) const {
    // A new branch where another one stands: nothing has to travel.
    if (expected.empty()) {
        const auto there = branches(far, "refs/heads");
        if (there && ("\n" + *there).find('\n' + commit + ' ') != there->npos) return far.update(reference, commit, expected);
    }
    const auto lock = far.lock_for_writing();
    if (!lock) return fail(lock.error());
    const auto done =
        output(repository_.call({"push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no",
                                 "--receive-pack=" + far_side("receive-pack"),
                                 "--force-with-lease=" + reference + ':' + expected, far.path, commit + ':' + reference}));
    if (done) return {};
    auto error = done.error();
    // Git does not say why; a full disk passes, a folder that is somebody else's does not.
    if (error.text.find("unable to create temporary object directory") != error.text.npos &&
        ::access((far.path + "/objects").c_str(), W_OK) != 0 && errno == EACCES)
        error = {Errc::refused, error.text + ": " + far.path + "/objects: " + std::strerror(EACCES)};
    return fail(error);
}

Result<bool> DiskMirror::is_ancestor(const std::string& ancestor, const std::string& commit) {
    if (auto ok = check_oid(ancestor); !ok) return fail(ok.error());
    if (auto ok = check_oid(commit); !ok) return fail(ok.error());
    return repository_.is_ancestor(ancestor, commit);
}

Result<std::string> DiskMirror::merge_base(const std::string& a, const std::string& b) {
    if (auto ok = check_oid(a); !ok) return fail(ok.error());
    if (auto ok = check_oid(b); !ok) return fail(ok.error());
    if (a == b) return a;
    const auto what = repository_.call({"merge-base", a, b});
    const auto answer = call(what);
    if (!answer) return fail(answer.error());
    if (answer->status == 0) return chomped(answer->out);
    if (answer->status == 1) return fail(Errc::no_such, a + " and " + b + " have no commit in common");
    return fail(refused(what, *answer));
}

Result<std::optional<std::string>> DiskMirror::read_file(const std::string& commit, const std::string& file) {
    if (auto ok = check_oid(commit); !ok) return fail(ok.error());
    const auto listed = output(repository_.call({"ls-tree", "--full-tree", "-z", "-l", commit, "--", file}));
    if (!listed) return fail(listed.error());
    // "100644 blob OID    SIZE\tPATH"
    const auto fields = split(listed->substr(0, listed->find('\t')), ' ');
    if (fields.size() != 4 || fields[1] != "blob" || !fields[0].starts_with("100")) return std::nullopt;
    if (fields[3].size() > 9 || std::stoull(fields[3]) > largest_file)
        return fail(Errc::invalid_argument, file + " is larger than " + std::to_string(largest_file) + " bytes");
    auto content = output(repository_.call({"cat-file", "blob", fields[2]}));
    if (!content) return fail(content.error());
    return std::move(*content);
}

Result<std::optional<std::string>> DiskMirror::obstacle(const std::string& commit, const std::vector<std::string>& files) {
    if (auto ok = check_oid(commit); !ok) return fail(ok.error());
    return repository_.obstacle(commit, files);
}

Result<bool> DiskMirror::has_program(const std::string& commit, const std::string& path) {
    if (auto ok = check_oid(commit); !ok) return fail(ok.error());
    const auto listed = output(repository_.call({"ls-tree", "--full-tree", "-z", commit, "--", path}));
    if (!listed) return fail(listed.error());
    return listed->starts_with("100755 ") || listed->starts_with("120000 ");
}

Result<std::vector<std::string>> DiskMirror::changed_paths(const std::string& from, const std::string& to) {
    if (auto ok = check_oid(from); !ok) return fail(ok.error());
    if (auto ok = check_oid(to); !ok) return fail(ok.error());
    const auto listed = output(repository_.call({"diff-tree", "-r", "-z", "--no-renames", "--name-only", from, to}));
    if (!listed) return fail(listed.error());
    return split(*listed, '\0');
}

Result<std::string> DiskMirror::patch_id(const std::string& base, const std::string& head, const std::string& excluded_folder) {
    if (auto ok = check_oid(base); !ok) return fail(ok.error());
    if (auto ok = check_oid(head); !ok) return fail(ok.error());
    if (base == head) return std::string("empty");
    auto patch =
        output(repository_.call({"diff-tree", "-r", "-p", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv",
                                 base, head, "--", ":(top)", ":(top,exclude,literal)" + excluded_folder}));
    if (!patch) return fail(patch.error());
    if (patch->empty()) return std::string("empty");
    auto hash = repository_.call({"patch-id", "--verbatim"});
    hash.input = std::move(*patch);
    const auto answer = output(hash);
    if (!answer) return fail(answer.error());
    return answer->substr(0, answer->find(' '));
}

Result<std::unique_ptr<Mirror>> open_mirror(const std::string& path, const Options& options) {
    if (auto ok = is_made(path) ? Status{} : make_mirror(path, options.timeout_s); !ok) return fail(ok.error());
    auto use = UseLock::shared(path, options.timeout_s);
    if (!use) return fail(use.error());
    return std::make_unique<DiskMirror>(path, options, std::move(*use));
}

}  // namespace orchd::git
