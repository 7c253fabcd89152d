#include "git/bench.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>

#include "git/references.h"
#include "git/write_file.h"
#include "host/host.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t all_calls_ms = 600'000;

// What the run's own git is told to leave alone counts here too: it has no other effect than that.
void copy_excludes(const std::string& git_dir, const std::string& bench) {
    std::error_code failed;
    const auto from = git_dir + "/info/exclude";
    constexpr std::uintmax_t most = 1u << 20;
    if (!fs::is_regular_file(from, failed) || fs::file_size(from, failed) > most || failed) return;
    fs::create_directories(bench + "/info", failed);
    fs::copy_file(from, bench + "/info/exclude", failed);
}

}  // namespace

Result<Bench> Bench::make(const Gathering& what, const LeftClone& left) {
    Bench bench;
    bench.path_ = what.bench;
    bench.work_tree_ = what.clone.clone;
    bench.start_ = what.clone.commit;
    bench.ends_ms_ = host::boottime_ms() + all_calls_ms;
    std::error_code failed;
    fs::remove_all(what.bench, failed);
    if (failed) return fail(Errc::io, "cannot clear " + what.bench + ": " + failed.message());
    const auto made = output({.repository = {}, .args = {"init", "--quiet", "--bare", "--template=", what.bench}});
    if (!made) return fail(made.error());
    fs::create_directories(what.bench + "/objects/info", failed);
    auto borrowed = what.clone.mirror + "/objects\n";
    if (!left.git_dir.empty()) borrowed += left.git_dir + "/objects\n";
    auto written = write_file(what.bench + "/objects/info/alternates", borrowed);
    if (!written) return fail(written.error());
    const auto references = packed_references(what.clone);
    if (!references) return fail(references.error());
    written = write_file(what.bench + "/packed-refs", *references);
    if (!written) return fail(written.error());
    if (!left.git_dir.empty()) copy_excludes(left.git_dir, what.bench);
    return bench;
}

Bench Bench::over(const std::string& work_tree) const {
    auto bench = *this;
    bench.work_tree_ = work_tree;
    return bench;
}

Call Bench::call(std::vector<std::string> args, std::string input, const std::string& index) const {
    constexpr std::int64_t second = 1000;
    return {.repository = path_,
            .args = std::move(args),
            .input = std::move(input),
            .environment = {"GIT_WORK_TREE=" + work_tree_, "GIT_INDEX_FILE=" + path_ + '/' + index},
            .timeout_s = std::max<std::int64_t>(1, (ends_ms_ - host::boottime_ms()) / second)};
}

Result<std::string> Bench::out(std::vector<std::string> args, std::string input, const std::string& index) const {
    return output(call(std::move(args), std::move(input), index));
}

Result<std::vector<std::string>> Bench::list(std::vector<std::string> args, const std::string& index) const {
    return out(std::move(args), {}, index).map([](const std::string& text) { return split(text, '\0'); });
}

Result<bool> Bench::has_commit(const std::string& id) const {
    const auto answer = git::call(call({"cat-file", "-e", id + "^{commit}"}));
    if (!answer) return fail(answer.error());
    return answer->status == 0;
}

Result<bool> Bench::is_ancestor(const std::string& ancestor, const std::string& commit) const {
    const auto what = call({"merge-base", "--is-ancestor", ancestor, commit});
    const auto answer = git::call(what);
    if (!answer) return fail(answer.error());
    if (answer->status > 1) return fail(refused(what, *answer));
    return answer->status == 0;
}

Result<bool> Bench::has_news(const std::string& commit) const {
    return out({"rev-list", "--max-count=1", commit, '^' + start_, "--not", "--remotes"}).map([](const std::string& found) {
        return !found.empty();
    });
}

Result<bool> Bench::has_all_of(const std::string& commit, const std::string& other) const {
    auto below = is_ancestor(other, commit);
    if (!below || *below) return below;
    const auto tree = out({"rev-parse", "--verify", commit + "^{tree}"});
    if (!tree) return fail(tree.error());
    const auto answer = git::call(call({"merge-tree", "--write-tree", "--no-messages", "--name-only", commit, other}));
    if (!answer) return fail(answer.error());
    return answer->status == 0 && chomped(answer->out) == chomped(*tree);
}

Result<Bench::Entries> Bench::entries_of(const std::string& tree) const {
    const auto listed = list({"ls-tree", "-r", "-z", "--full-tree", tree});
    if (!listed) return fail(listed.error());
    Entries entries;
    for (const auto& line : *listed) {  // MODE TYPE ID<tab>PATH
        const auto mode = line.find(' '), type = line.find(' ', mode + 1), tab = line.find('\t');
        entries[line.substr(tab + 1)] = {line.substr(0, mode), line.substr(type + 1, tab - type - 1)};
    }
    return entries;
}

Result<std::vector<std::string>> Bench::stray_repositories(const std::string& tree, const std::string& base) const {
    constexpr const char* of_a_repository = "160000";
    const auto there = entries_of(tree);
    if (!there) return fail(there.error());
    std::vector<std::string> strays;
    for (const auto& [path, entry] : *there)
        if (entry.mode == of_a_repository) strays.push_back(path);
    if (strays.empty()) return strays;
    const auto before = entries_of(base);
    if (!before) return fail(before.error());
    // Where there is no such file, or it cannot be read, it names none.
    const auto named =
        git::call(call({"config", "-z", "--blob", tree + ":.gitmodules", "--get-regexp", "^submodule\\..*\\.path$"}));
    if (!named) return fail(named.error());
    std::set<std::string> submodules;
    if (named->status == 0)
        for (const auto& setting : split(named->out, '\0')) submodules.insert(setting.substr(setting.find('\n') + 1));
    std::erase_if(strays, [&](const std::string& path) { return before->contains(path) || submodules.contains(path); });
    return strays;
}

Result<std::vector<std::string>> Bench::with_conflict_markers(const std::string& tree, const std::string& base) const {
    const auto marked_in = [&](const std::string& where) -> Result<std::vector<std::string>> {
        const auto what = call({"grep", "-z", "--files-with-matches", "--all-match", "-I", "-E", "-e", "^<<<<<<< .", "-e",
                                "^=======[[:space:]]*$", "-e", "^>>>>>>> .", where});
        const auto answer = git::call(what);
        if (!answer) return fail(answer.error());
        if (answer->status > 1) return fail(refused(what, *answer));
        auto paths = split(answer->out, '\0');
        for (auto& path : paths) path.erase(0, where.size() + 1);
        return paths;
    };
    auto marked = marked_in(tree);
    if (!marked || marked->empty()) return marked;
    const auto before = marked_in(base);
    if (!before) return fail(before.error());
    std::erase_if(*marked, [&](const std::string& path) { return std::ranges::find(*before, path) != before->end(); });
    // Git's own word for files in which such lines are at home.
    for (auto path = marked->begin(); path != marked->end();) {
        const auto size = list({"check-attr", "-z", "conflict-marker-size", "--", *path});
        if (!size) return fail(size.error());
        const bool at_home = size->size() == 3 && size->back() != "unspecified";
        path = at_home ? marked->erase(path) : path + 1;
    }
    return marked;
}

std::string shown(const std::string& path) {
    std::string text;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        std::array<char, 8> odd{};
        std::snprintf(odd.data(), odd.size(), "\\%03o", byte);
        text += byte < 0x20 || byte >= 0x7f ? std::string(odd.data()) : std::string(1, c);
    }
    constexpr std::size_t longest = 200;
    return text.size() > longest ? text.substr(0, longest) + "…" : text;
}

std::string shown(const std::vector<std::string>& paths) {
    constexpr std::size_t most = 5;
    std::string text;
    for (std::size_t i = 0; i < paths.size() && i < most; ++i) text += (i == 0 ? "" : ", ") + shown(paths[i]);
    if (paths.size() > most) text += " and " + std::to_string(paths.size() - most) + " more";
    return text;
}

}  // namespace orchd::git
