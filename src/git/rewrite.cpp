// Commits made without a work tree: one file written, a branch rebased.

#include <filesystem>
#include <string_view>

#include "git/lock.h"
#include "git/mirror.h"

namespace orchd::git {
namespace {

constexpr std::string_view us = "orchd <orchd@localhost>";

// The parts of a commit object that are kept. Signatures go: they would not hold for the new object.
struct Parts {
    std::vector<std::string> parents;
    std::string author, committer, encoding;  // whole lines
    std::string message;
};

Parts parts_of(const std::string& raw) {
    Parts parts;
    const auto header_end = std::min(raw.find("\n\n"), raw.size());
    for (const auto& line : split(raw.substr(0, header_end), '\n')) {
        if (line.starts_with("parent ")) parts.parents.push_back(line.substr(7));
        if (line.starts_with("author ")) parts.author = line;
        if (line.starts_with("committer ")) parts.committer = line;
        if (line.starts_with("encoding ")) parts.encoding = line + '\n';
    }
    if (header_end + 2 <= raw.size()) parts.message = raw.substr(header_end + 2);
    return parts;
}

// "1700000000 +0100" of an author's or committer's line.
std::string date_of(const std::string& line) {
    const auto end = line.rfind('>');
    return end == line.npos || end + 2 > line.size() ? "0 +0000" : line.substr(end + 2);
}

std::string raw(const std::string& tree, const std::vector<std::string>& parents, const Parts& parts, const std::string& date) {
    std::string lines;
    for (const auto& parent : parents) lines += "parent " + parent + '\n';
    return "tree " + tree + '\n' + lines + parts.author + "\ncommitter " + std::string(us) + ' ' + date + '\n' +
           parts.encoding + '\n' + parts.message;
}

}  // namespace

Result<std::string> DiskMirror::raw_commit(const std::string& commit) {
    return output(repository_.call({"cat-file", "commit", commit}));
}

Result<std::string> DiskMirror::tree_of(const std::string& commit) {
    return output(repository_.call({"rev-parse", "--verify", commit + "^{tree}"})).map(chomped);
}

Result<std::string> DiskMirror::write_object(const std::string& type, const std::string& content) {
    auto what = repository_.call({"hash-object", "-t", type, "-w", "--stdin"});
    what.input = content;
    return output(what).map(chomped);
}

Result<std::string> DiskMirror::commit_file(const std::string& parent, const std::string& file, const std::string& content,
                                            const std::string& message) {
    if (auto ok = check_oid(parent); !ok) return fail(ok.error());
    const auto lock = RepositoryLock::take(path(), repository_.timeout_s);
    if (!lock) return fail(lock.error());
    lock->remove_leftovers();
    const auto before = raw_commit(parent);
    const auto blob = write_object("blob", content);
    const auto old_tree = tree_of(parent);
    for (const auto* got : {&before, &blob, &old_tree})
        if (!*got) return *got;

    const auto index = path() + "/orchd-index";
    std::error_code ignored;
    std::filesystem::remove(index, ignored);
    std::string tree;
    for (const auto& args : std::vector<std::vector<std::string>>{
             {"read-tree", parent},
             {"update-index", "--add", "--replace", "--cacheinfo", "100644," + *blob + ',' + file},
             {"write-tree"}}) {
        auto what = repository_.call(args);
        what.environment = {"GIT_INDEX_FILE=" + index};
        auto done = output(what);
        if (!done) return done;
        tree = chomped(*done);
    }
    std::filesystem::remove(index, ignored);
    if (tree == *old_tree) return parent;
    const auto date = date_of(parts_of(*before).committer);
    const Parts parts{{}, "author " + std::string(us) + ' ' + date, {}, {}, message + '\n'};
    return write_object("commit", raw(tree, {parent}, parts, date));
}

Result<DiskMirror::Merged> DiskMirror::merge_trees(const std::string& commit, const std::string& parent,
                                                   const std::string& onto) {
    // git 2.39 takes no --merge-base: a commit of onto's tree beside `commit` under the same parent makes that parent the base.
    const auto tree = tree_of(onto);
    if (!tree) return fail(tree.error());
    const Parts parts{{}, "author " + std::string(us) + " 0 +0000", {}, {}, "onto\n"};
    const auto beside =
        write_object("commit", raw(*tree, parent.empty() ? std::vector<std::string>{} : std::vector{parent}, parts, "0 +0000"));
    if (!beside) return fail(beside.error());
    auto args = std::vector<std::string>{"merge-tree", "--write-tree", "--no-messages", "--name-only", "-z"};
    if (parent.empty()) args.emplace_back("--allow-unrelated-histories");
    args.insert(args.end(), {*beside, commit});
    const auto what = repository_.call(args);
    const auto answer = call(what);
    if (!answer) return fail(answer.error());
    if (answer->status > 1) return fail(refused(what, *answer));
    auto words = split(answer->out, '\0');
    if (words.empty()) return fail(refused(what, *answer));
    if (answer->status == 0) return Merged{words.front(), {}};
    words.erase(words.begin());
    if (words.empty()) words.emplace_back("(a renamed folder)");  // git names no file for these
    return Merged{{}, std::move(words)};
}

Result<std::string> DiskMirror::merge_bases(const std::string& a, const std::string& b) {
    const auto what = repository_.call(
        {"merge-tree", "--write-tree", "--allow-unrelated-histories", "--no-messages", "--name-only", "-z", a, b});
    const auto answer = call(what);
    if (!answer) return fail(answer.error());
    if (answer->status > 1) return fail(refused(what, *answer));
    const auto words = split(answer->out, '\0');
    if (words.empty()) return fail(refused(what, *answer));
    const Parts parts{{}, "author " + std::string(us) + " 0 +0000", {}, {}, "bases\n"};
    return write_object("commit", raw(words.front(), {a, b}, parts, "0 +0000"));
}

Result<DiskMirror::Merged> DiskMirror::pick(const std::string& commit, const std::string& onto) {
    const auto original = raw_commit(commit);
    if (!original) return fail(original.error());
    const auto parts = parts_of(*original);
    const auto parent = parts.parents.empty() ? std::string() : parts.parents.front();
    if (parent == onto) return Merged{commit, {}};
    auto merged = merge_trees(commit, parent, onto);
    if (!merged || merged->object.empty()) return merged;
    const auto tree = merged->object;
    const auto tree_before = tree_of(onto);
    if (!tree_before) return fail(tree_before.error());
    if (tree == *tree_before) return Merged{onto, {}};
    const auto made = write_object("commit", raw(tree, {onto}, parts, date_of(parts.committer)));
    if (!made) return fail(made.error());
    return Merged{*made, {}};
}

Result<Mirror::Rebased> DiskMirror::rebase(const std::string& head, const std::string& onto, const std::string& base) {
    for (const auto& oid : {head, onto, base.empty() ? onto : base})
        if (auto ok = check_oid(oid); !ok) return fail(ok.error());
    if (base == onto) return Rebased{head, {}};
    auto flat = flatten(head, onto, base);
    if (!flat || base.empty()) return flat;
    const auto merges = output(repository_.call({"rev-list", "--merges", "--max-count=1", head, '^' + onto, '^' + base}));
    if (!merges) return fail(merges.error());
    if (merges->empty()) return flat;
    auto merged = merge_trees(head, base, onto);
    if (!merged) return fail(merged.error());
    if (!merged->conflicts.empty()) return flat->conflicts.empty() ? Rebased{{}, std::move(merged->conflicts)} : *flat;
    if (flat->conflicts.empty()) {
        const auto same = tree_of(flat->commit);
        if (!same) return fail(same.error());
        if (*same == merged->object) return flat;
    }
    return keep_merges(head, onto, base, merged->object);
}

Result<Mirror::Rebased> DiskMirror::flatten(const std::string& head, const std::string& onto, const std::string& base) {
    std::vector<std::string> args{"rev-list",     "--reverse",     "--topo-order",     "--no-merges",
                                  "--right-only", "--cherry-pick", onto + "..." + head};
    if (!base.empty()) args.push_back('^' + base);
    const auto listed = output(repository_.call(std::move(args)));
    if (!listed) return fail(listed.error());
    Rebased rebased{onto, {}};
    for (const auto& commit : split(*listed, '\n')) {
        auto picked = pick(commit, rebased.commit);
        if (!picked) return fail(picked.error());
        rebased = {picked->object, std::move(picked->conflicts)};
        if (!rebased.conflicts.empty()) break;
    }
    return rebased;
}

Result<Mirror::Rebased> DiskMirror::keep_merges(const std::string& head, const std::string& onto, const std::string& base,
                                                const std::string& tree) {
    const auto before = tree_of(onto);
    const auto last = raw_commit(head);
    for (const auto* got : {&before, &last})
        if (!*got) return fail(got->error());
    if (tree == *before) return Rebased{onto, {}};
    const auto there = is_ancestor(base, onto);
    if (!there) return fail(there.error());
    auto parts = parts_of(*last);
    const auto date = date_of(parts.committer);
    std::vector<std::string> parents{onto};
    if (*there) {
        parents.push_back(head);
        parts.author = "author " + std::string(us) + ' ' + date;
        parts.encoding.clear();
        parts.message = "Merge the branch with the resolutions that it holds\n";
    } else {
        const auto subjects = output(repository_.call(
            {"log", "--reverse", "--no-merges", "--encoding=UTF-8", "--format=* %s", head, '^' + onto, '^' + base}));
        if (!subjects) return fail(subjects.error());
        parts.encoding.clear();
        parts.message = "All of the branch, on what its target was set back to\n\n" + *subjects;
    }
    const auto made = write_object("commit", raw(tree, parents, parts, date));
    if (!made) return fail(made.error());
    return Rebased{*made, {}};
}

}  // namespace orchd::git
