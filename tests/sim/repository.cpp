#include "sim/repository.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iterator>
#include <set>

#include "core/front_matter.h"
#include "core/planted.h"

namespace orchd::sim {
namespace {

struct Hash {
    std::uint64_t a = 0xcbf29ce484222325ULL, b = 0x84222325cbf29ce4ULL;
    void add(std::string_view text) {
        for (const char c : text) {
            a = (a ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
            b = (b ^ static_cast<unsigned char>(c) ^ (a >> 47)) * 0x100000001b3ULL;
        }
        a ^= 0xff, b += 0x1f;
    }
    [[nodiscard]] std::string hex() const {
        std::array<char, 41> text{};
        std::snprintf(text.data(), text.size(), "%016llx%016llx%08x", static_cast<unsigned long long>(a),
                      static_cast<unsigned long long>(b), static_cast<unsigned>((a ^ b) & 0xffffffff));
        return text.data();
    }
};

std::string content(const Files& files, const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::string() : found->second;
}

std::set<std::string> paths_of(const Files& a, const Files& b) {
    std::set<std::string> all;
    for (const auto& [path, text] : a) all.insert(path);
    for (const auto& [path, text] : b) all.insert(path);
    return all;
}

Error no_answer(const std::string& call) { return {Errc::unavailable, call + ": the forge does not answer"}; }

// What keeps the call from being made.
std::optional<Error> trouble(Outside& outside, const std::string& call, const std::string& what) {
    if (outside.before(call)) return no_answer(what);
    return outside.refuses ? outside.refuses() : std::nullopt;
}

}  // namespace

Repository::Repository(std::string its_name) : name(std::move(its_name)) {
    forge["main"] = commit({}, {{"README", name}}, "begin");
    target_history.push_back(forge["main"]);
}

std::string Repository::commit(std::vector<std::string> parents, const Files& changes, const std::string& message) {
    Commit made{std::move(parents), {}, message};
    if (!made.parents.empty()) made.files = commits_.at(made.parents.front()).files;
    for (const auto& [path, text] : changes) {
        if (text.empty())
            made.files.erase(path);
        else
            made.files[path] = text;
    }
    Hash hash;
    for (const auto& parent : made.parents) hash.add(parent);
    for (const auto& [path, text] : made.files) hash.add(path), hash.add(text);
    hash.add(message);
    auto id = hash.hex();
    commits_.emplace(id, std::move(made));
    return id;
}

const Commit* Repository::find(const std::string& id) const {
    const auto found = commits_.find(id);
    return found == commits_.end() ? nullptr : &found->second;
}

bool Repository::is_ancestor(const std::string& ancestor, const std::string& id) const {
    std::set<std::string> reached{id};
    std::deque<std::string> open{id};
    while (!open.empty()) {
        const auto at = std::move(open.front());
        open.pop_front();
        if (at == ancestor) return true;
        if (const auto* c = find(at))
            for (const auto& parent : c->parents)
                if (reached.insert(parent).second) open.push_back(parent);
    }
    return false;
}

bool Repository::any_in(const std::string& branch, const std::function<bool(const Files&)>& such) const {
    std::set<std::string> reached{forge.at(branch)};
    std::deque<std::string> open{forge.at(branch)};
    while (!open.empty()) {
        const auto& at = commits_.at(open.front());
        open.pop_front();
        if (such(at.files)) return true;
        for (const auto& parent : at.parents)
            if (reached.insert(parent).second) open.push_back(parent);
    }
    return false;
}

std::string Repository::merge_base(const std::string& a, const std::string& b) const { return fork_point(a, b, {}); }

std::string Repository::fork_point(const std::string& id, const std::string& head, const std::set<std::string>& once) const {
    const auto in_any = [&](const std::string& at) {
        return is_ancestor(at, head) || std::ranges::any_of(once, [&](const auto& one) { return is_ancestor(at, one); });
    };
    std::vector<std::string> common;
    std::set<std::string> reached{id};
    std::deque<std::string> open{id};
    while (!open.empty()) {
        const auto at = std::move(open.front());
        open.pop_front();
        if (in_any(at)) {
            common.push_back(at);
            continue;
        }
        if (const auto* c = find(at))
            for (const auto& parent : c->parents)
                if (reached.insert(parent).second) open.push_back(parent);
    }
    // As git: none that another one of them contains.
    const auto best = [&](const std::string& at) {
        return std::ranges::none_of(common, [&](const auto& other) { return other != at && is_ancestor(at, other); });
    };
    std::string found;
    for (const auto& at : common) {
        if (!best(at)) continue;
        if (!is_ancestor(at, head)) return at;
        if (found.empty()) found = at;
    }
    return found;
}

std::vector<std::string> Repository::changed(const std::string& from, const std::string& to) const {
    const auto& before = commits_.at(from).files;
    const auto& after = commits_.at(to).files;
    std::vector<std::string> paths;
    for (const auto& path : paths_of(before, after))
        if (content(before, path) != content(after, path)) paths.push_back(path);
    return paths;
}

Repository::Picked Repository::pick(const std::string& id, const std::string& onto) {
    const auto parent = commits_.at(id).parents.front();
    return parent == onto ? Picked{id, {}} : three_way(id, parent, onto);
}

Repository::Picked Repository::three_way(const std::string& id, const std::string& from, const std::string& onto) {
    const auto& c = commits_.at(id);
    const auto& base = commits_.at(from).files;
    const auto& there = commits_.at(onto).files;
    Files changes;
    std::vector<std::string> conflicts;
    for (const auto& path : changed(from, id)) {
        const auto mine = content(c.files, path), theirs = content(there, path);
        if (mine == theirs) continue;
        if (theirs != content(base, path)) conflicts.push_back(path);
        changes[path] = mine;
    }
    if (!conflicts.empty()) return {{}, conflicts};
    return {changes.empty() ? onto : commit({onto}, changes, std::string(c.message)), {}};
}

void Repository::fetch() {
    const auto before = seen.find("main");
    if (before != seen.end()) dropped.insert(before->second);
    std::erase_if(dropped, [&](const auto& id) { return is_ancestor(id, forge.at("main")); });
    seen = forge;
}

git::Mirror::Rebased Repository::rebase(const std::string& head, const std::string& onto, const std::string& base) {
    if (base == onto) return {head, {}};
    bool merges = false;
    std::vector<std::string> todo;  // newest first; what people do here is linear but for merges of main
    std::set<std::string> reached;
    std::deque<std::string> open{head};
    while (!open.empty()) {
        const auto at = std::move(open.front());
        open.pop_front();
        if (is_ancestor(at, onto) || is_ancestor(at, base) || !reached.insert(at).second) continue;
        const auto& parents = commits_.at(at).parents;
        if (parents.size() == 1) todo.push_back(at);
        merges = merges || parents.size() > 1;
        open.insert(open.end(), parents.begin(), parents.end());
    }
    Picked flat{onto, {}};
    for (auto c = todo.rbegin(); c != todo.rend() && flat.conflicts.empty(); ++c) flat = pick(*c, flat.id);
    if (!merges) return {flat.id, flat.conflicts};
    const auto merged = three_way(head, base, onto);
    if (!merged.conflicts.empty()) return {{}, flat.conflicts.empty() ? merged.conflicts : flat.conflicts};
    const auto& one = commits_.at(merged.id);
    if (flat.conflicts.empty() && commits_.at(flat.id).files == one.files) return {flat.id, {}};
    if (merged.id == onto || !is_ancestor(base, onto)) return {merged.id, {}};
    Files changes;
    for (const auto& path : changed(onto, merged.id)) changes[path] = content(one.files, path);
    return {commit({onto, head}, changes, "merge with the resolutions"), {}};
}

Patch Repository::patch(const std::string& base, const std::string& id, const std::string& without) const {
    Patch patch;
    for (const auto& file : changed(base, id))
        if (!file.starts_with(without + '/')) patch[file] = {content(find(base)->files, file), content(find(id)->files, file)};
    return patch;
}

std::string id_of(const Patch& patch) {
    Hash hash;
    for (const auto& [file, texts] : patch) hash.add(file), hash.add(texts.first), hash.add(texts.second);
    return patch.empty() ? "empty" : hash.hex();
}

Patch patch_of(const Repository& repository, const std::string& id) {
    auto once = repository.dropped;
    once.insert(repository.taken_out.begin(), repository.taken_out.end());
    return repository.patch(repository.fork_point(id, repository.forge.at("main"), once), id, std::string(artefacts_folder));
}

std::string Repository::merge(const std::string& head, const std::string& other) {
    const auto base = merge_base(head, other);
    const auto& mine = commits_.at(head).files;
    Files changes;
    for (const auto& path : changed(base, other))
        if (content(mine, path) == content(commits_.at(base).files, path))
            changes[path] = content(commits_.at(other).files, path);
    return commit({head, other}, changes, "merge");
}

namespace {

// Whatever the process that asks, a branch moves only from what is expected.
Status swap(Repository& r, Outside& outside, const std::string& branch, const std::string& commit,
            const std::string& expected) {
    const auto found = r.forge.find(branch);
    const auto there = found == r.forge.end() ? std::string() : found->second;
    if (there == commit) return {};
    if (there != expected) return fail(Errc::conflict, branch + " moved on the forge: it is at '" + there + "'");
    if (r.denies_rewrites && !there.empty() && !r.is_ancestor(there, commit))
        return fail(Errc::refused, "denying non-fast-forward " + branch);
    r.forge[branch] = commit;
    outside.moved(branch, commit, there, false);
    return {};
}

Status fast_forward(Repository& r, Outside& outside, const std::string& target, const std::string& commit,
                    const std::string& from) {
    const auto there = r.forge.at(target);
    if (r.is_ancestor(commit, there)) return {};
    if (there != from) return fail(Errc::conflict, target + " moved: it is at " + there);
    r.forge[target] = commit;
    r.target_history.push_back(commit);
    outside.moved(target, commit, there, true);
    return {};
}

class SimMirror final : public git::Mirror {
public:
    SimMirror(Repository& repository, Outside& outside)
        : r_(repository), outside_(outside), path_("/sim/" + repository.name + ".git") {}

    const std::string& path() const override { return path_; }
    Status fetch(const std::string&) override {
        if (const auto refused = trouble(outside_, "git.fetch", "fetch")) return fail(*refused);
        r_.fetch();
        if (outside_.after("git.fetch")) return fail(no_answer("fetch"));
        return {};
    }
    Result<std::optional<std::string>> forge_head(const std::string& branch) override { return head_in(r_.seen, branch); }
    Result<std::optional<std::string>> head(const std::string& branch) override { return head_in(r_.heads, branch); }
    Status set_head(const std::string& branch, const std::string& to, const std::string& from) override {
        if (outside_.before("git.set_head")) return fail(Errc::unavailable, "git: no memory");
        if (head_in(r_.heads, branch).value().value_or("") != from)
            return fail(Errc::conflict, branch + " moved in the mirror");
        r_.heads[branch] = to;
        return {};
    }
    Status push(const std::string&, const std::string& branch, const std::string& commit,
                const std::string& expected) override {
        if (const auto refused = trouble(outside_, "git.push", "push")) return fail(*refused);
        auto pushed = outside_.attempt(
            "git.push", [&r = r_, &o = outside_, branch, commit, expected] { return swap(r, o, branch, commit, expected); });
        if (pushed) r_.seen[branch] = commit;
        if (outside_.after("git.push")) return fail(no_answer("push"));
        return pushed;
    }
    Result<std::string> import_bundle(const std::string& file, const std::string&, std::uint64_t) override {
        std::ifstream in(file);
        std::string id;
        if (!(in >> id)) return fail(Errc::no_such, file + ": there is none");
        if (r_.find(id) == nullptr) return fail(Errc::invalid_argument, file + ": is no bundle");
        return id;
    }
    Result<bool> is_ancestor(const std::string& ancestor, const std::string& commit) override {
        return r_.is_ancestor(ancestor, commit);
    }
    Result<std::string> merge_base(const std::string& a, const std::string& b) override {
        auto base = r_.merge_base(a, b);
        if (base.empty()) return fail(Errc::no_such, "no merge base of '" + a + "' and '" + b + "'");
        return base;
    }
    Result<std::string> fork_point(const std::string& branch, const std::string& commit) override {
        const auto there = r_.seen.find(branch);
        if (there == r_.seen.end()) return fail(Errc::no_such, "the forge has no branch " + branch);
        const auto once = branch == "main" && !planted("set_back_forgotten") ? r_.dropped : std::set<std::string>{};
        auto base = r_.fork_point(commit, there->second, once);
        if (base.empty()) return fail(Errc::refused, "no commit in common of '" + commit + "' and " + branch);
        return base;
    }
    Result<std::optional<std::string>> read_file(const std::string& commit, const std::string& file) override {
        const auto* c = r_.find(commit);
        if (c == nullptr) return fail(Errc::no_such, "no commit " + commit);
        const auto found = c->files.find(file);
        return found == c->files.end() ? std::nullopt : std::make_optional(found->second);
    }
    Result<std::optional<std::string>> obstacle(const std::string&, const std::vector<std::string>&) override {
        return std::nullopt;
    }
    Result<bool> has_program(const std::string& commit, const std::string& file) override {
        return read_file(commit, file).map([](const auto& content) { return content.has_value(); });
    }
    Result<std::vector<std::string>> changed_paths(const std::string& from, const std::string& to) override {
        if (r_.find(from) == nullptr || r_.find(to) == nullptr) return fail(Errc::no_such, "no such commit");
        return r_.changed(from, to);
    }
    Result<std::string> patch_id(const std::string& base, const std::string& to, const std::string& without) override {
        if (r_.find(base) == nullptr || r_.find(to) == nullptr) return fail(Errc::no_such, "no such commit");
        return id_of(r_.patch(base, to, without));
    }
    Result<std::string> commit_file(const std::string& parent, const std::string& file, const std::string& text,
                                    const std::string& message) override {
        const auto* c = r_.find(parent);
        if (c == nullptr) return fail(Errc::no_such, "no commit " + parent);
        if (content(c->files, file) == text) return parent;
        return r_.commit({parent}, {{file, text}}, message);
    }
    Result<Rebased> rebase(const std::string& commit, const std::string& onto, const std::string& base) override {
        if (r_.find(commit) == nullptr || r_.find(onto) == nullptr) return fail(Errc::no_such, "no such commit");
        if (outside_.before("git.rebase")) return fail(Errc::unavailable, "git: no memory");
        return r_.rebase(commit, onto, base);
    }

private:
    static Result<std::optional<std::string>> head_in(const std::map<std::string, std::string>& branches,
                                                      const std::string& branch) {
        const auto found = branches.find(branch);
        return found == branches.end() ? std::nullopt : std::make_optional(found->second);
    }
    Repository& r_;
    Outside& outside_;
    std::string path_;
};

class SimForge final : public forge::Forge {
public:
    SimForge(Repository& repository, Outside& outside) : r_(repository), outside_(outside) {}

    Status fetch(git::Mirror& mirror) override { return mirror.fetch({}); }
    Result<std::optional<std::string>> head(const std::string& branch) override {
        if (const auto refused = trouble(outside_, "forge.head", "head")) return fail(*refused);
        const auto found = r_.forge.find(branch);
        return found == r_.forge.end() ? std::nullopt : std::make_optional(found->second);
    }
    Status push(git::Mirror& mirror, const std::string& branch, const std::string& commit,
                const std::string& expected) override {
        return mirror.push({}, branch, commit, expected);
    }
    Status remove(const std::string& branch, const std::string&) override {
        return fail(Errc::internal, "no task's way removes a branch, not even " + branch);
    }
    Status merge(git::Mirror&, const std::string& target, const std::string& commit, const std::string& from) override {
        if (const auto refused = trouble(outside_, "forge.merge", "merge")) return fail(*refused);
        auto merged = outside_.attempt(
            "forge.merge", [&r = r_, &o = outside_, target, commit, from] { return fast_forward(r, o, target, commit, from); });
        if (outside_.after("forge.merge")) return fail(no_answer("merge"));
        return merged;
    }
    Result<bool> contains(git::Mirror&, const std::string& target, const std::string& commit) override {
        if (const auto refused = trouble(outside_, "forge.contains", "contains")) return fail(*refused);
        return r_.is_ancestor(commit, r_.forge.at(target));
    }

private:
    Repository& r_;
    Outside& outside_;
};

}  // namespace

std::unique_ptr<git::Mirror> open_mirror(Repository& repository, Outside& outside) {
    return std::make_unique<SimMirror>(repository, outside);
}
std::unique_ptr<forge::Forge> open_forge(Repository& repository, Outside& outside) {
    return std::make_unique<SimForge>(repository, outside);
}

}  // namespace orchd::sim
