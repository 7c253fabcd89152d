// Which of a run's commits are its work, and what it left uncommitted on top of them.
#include <algorithm>
#include <array>
#include <filesystem>

#include "git/bench.h"
#include "git/work_tree.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

class Gatherer {
public:
    Gatherer(const Gathering& what, const Snapshot* checkout)
        : what_(what), checkout_(checkout), start_(what.clone.commit), left_(read_left_clone(what.clone.clone)) {}

    Result<Gathered> work() {
        std::error_code unseen;
        into_.head = start_;
        if (!fs::is_directory(what_.clone.clone, unseen)) {
            into_.reasons.emplace_back("the run removed its clone, and all that was in it");
            return std::move(into_);
        }
        special_ = open_up(what_.clone.clone);
        if (fs::is_directory(fs::symlink_status(what_.bench, unseen)))
            (void)open_up(what_.bench);  // the run may have locked it
        auto bench = Bench::make(what_, left_);
        if (!bench) return fail(bench.error());
        bench_ = std::move(*bench);
        if (left_.git_dir.empty())
            into_.told.emplace_back("the clone had no .git any more: its files were compared with the checkout");
        for (const auto& step : {&Gatherer::forget_what_is_not_there, &Gatherer::choose, &Gatherer::commit_the_rest,
                                 &Gatherer::take_the_one_beside, &Gatherer::tell_of_what_is_beside, &Gatherer::tell_of_markers})
            if (auto done = (this->*step)(); !done) return fail(done.error());
        return std::move(into_);
    }

private:
    void reason(std::string text) { into_.reasons.push_back(std::move(text)); }
    // Of work that stays beside the branch.
    void beside(std::string text) { (what_.product_is_a_patch ? into_.reasons : into_.told).push_back(std::move(text)); }

    // References to commits that are not there any more.
    Status forget_what_is_not_there() {
        for (auto at = left_.branches.begin(); at != left_.branches.end();) {
            const auto known = bench_.has_commit(at->second);
            if (!known) return fail(known.error());
            if (!*known) reason("the commit " + at->second + " of the branch " + shown(at->first) + " is not in the clone");
            at = *known ? std::next(at) : left_.branches.erase(at);
        }
        for (auto* id : {&left_.head, &left_.stash}) {
            if (id->empty()) continue;
            const auto known = bench_.has_commit(*id);
            if (!known) return fail(known.error());
            if (!*known) id->clear();
        }
        return {};
    }

    [[nodiscard]] std::string own() const {
        const auto found = left_.branches.find(what_.clone.branch);
        return found == left_.branches.end() ? std::string() : found->second;
    }

    // A commit that may become the head, or why not.
    Result<bool> builds_on_the_start(const std::string& commit, const std::string& name) {
        auto descends = bench_.is_ancestor(start_, commit);
        if (!descends || *descends) return descends;
        auto news = bench_.has_news(commit);
        if (!news) return news;
        if (*news)
            reason(
                name + " does not build on " + start_ +
                ", the commit that the run was given: put new commits on top of it, and merge into it rather than rebase it");
        return false;
    }

    // The task's branch, or what HEAD is at where that goes further.
    Status choose() {
        if (const auto branch = own(); !branch.empty()) {
            const auto fit = builds_on_the_start(branch, "the branch " + what_.clone.branch);
            if (!fit) return fail(fit.error());
            const auto back = bench_.is_ancestor(branch, start_);
            if (!back) return fail(back.error());
            if (*fit) into_.head = branch;
            if (*back && branch != start_)
                reason("the branch " + what_.clone.branch + " was set back to " + branch +
                       ", below the commit that the run was given");
        }
        if (!left_.unfinished.empty()) {
            reason(left_.unfinished + " was left unfinished, so what it came to, and what is uncommitted, is not taken in");
            return {};
        }
        if (left_.head.empty() || left_.head == into_.head || left_.head == own()) return {};
        const auto news = bench_.has_news(left_.head);
        if (!news) return fail(news.error());
        if (!*news) return {};
        const auto name = left_.on.empty() ? std::string("the detached HEAD") : "the branch " + shown(left_.on);
        const auto fit = builds_on_the_start(left_.head, name);
        if (!fit) return fail(fit.error());
        if (!*fit) return {};
        const auto further = bench_.has_all_of(left_.head, into_.head);
        if (!further) return fail(further.error());
        if (!*further) {
            const auto nothing = bench_.has_all_of(into_.head, left_.head);
            if (!nothing) return fail(nothing.error());
            if (!*nothing)
                reason(name + " and the branch " + what_.clone.branch + " have different commits: one of them is to have all");
            return {};
        }
        into_.head = left_.head;
        into_.told.push_back(name + " was taken for the branch " + what_.clone.branch);
        return {};
    }

    // Nothing on the task's branch and one other branch with work: that is what the run did.
    Status take_the_one_beside() {
        if (!what_.product_is_a_patch || into_.head != start_ || (!into_.reasons.empty() && checkout_ != nullptr)) return {};
        std::string one, name;
        for (const auto& [branch, commit] : left_.branches) {
            const auto news = bench_.has_news(commit);
            if (!news) return fail(news.error());
            if (!*news) continue;
            const auto descends = bench_.is_ancestor(start_, commit);
            if (!descends) return fail(descends.error());
            if (!*descends || (!one.empty() && one != commit)) return {};
            one = commit;
            name = branch;
        }
        if (one.empty()) return {};
        into_.head = one;
        into_.told.push_back(shown(name) + " was taken for the branch " + what_.clone.branch + ", which had nothing new");
        return {};
    }

    // What the work tree is to be compared with: what it was last brought to.
    [[nodiscard]] std::string under_the_work_tree() const { return left_.head.empty() ? start_ : left_.head; }

    Status commit_the_rest() {
        if (checkout_ == nullptr) {
            reason("it was ended before what it had not committed could be looked at");
            return {};
        }
        if (const auto paths = unmerged(bench_, left_); !paths.empty()) {
            reason("conflicts are left in " + shown(paths) +
                   ", so nothing that is uncommitted is taken in: resolve and commit them");
            return {};
        }
        if (!left_.unfinished.empty()) return {};
        const auto under = under_the_work_tree();
        Gathered of_the_tree;
        const auto tree = tree_with_differences(bench_, left_, what_, *checkout_, under, of_the_tree);
        if (!tree) return fail(tree.error());
        std::ranges::move(of_the_tree.reasons, std::back_inserter(into_.reasons));
        std::ranges::move(of_the_tree.told, std::back_inserter(into_.told));
        tell_of_special_files();
        const auto before = bench_.out({"rev-parse", "--verify", under + "^{tree}"}).map(chomped);
        if (!before) return fail(before.error());
        if (*tree == *before && left_.merge_heads.empty()) return {};
        const auto chosen = bench_.out({"rev-parse", "--verify", into_.head + "^{tree}"}).map(chomped);
        if (!chosen) return fail(chosen.error());
        if (*chosen == *tree && left_.merge_heads.empty()) return {};
        if (*chosen != *before) {
            reason("there are uncommitted changes on top of " + under +
                   ", which is not what the branch came to: commit them there");
            return {};
        }
        return commit(*tree);
    }

    Status commit(const std::string& tree) {
        const auto marked = bench_.with_conflict_markers(tree, into_.head);
        if (!marked) return fail(marked.error());
        if (!marked->empty()) {
            reason("marks of a conflict are left in " + shown(*marked) +
                   ", so nothing that is uncommitted is taken in: resolve them (where such lines are meant, give the file the "
                   "attribute conflict-marker-size)");
            return {};
        }
        std::vector<std::string> args{"commit-tree", tree, "-p", into_.head};
        for (const auto& id : left_.merge_heads) {
            const auto known = bench_.has_commit(id);
            if (!known) return fail(known.error());
            if (*known) args.insert(args.end(), {"-p", id});
        }
        auto what = bench_.call(std::move(args), what_.message + '\n');
        for (const auto* who : {"AUTHOR", "COMMITTER"}) {
            what.environment.push_back(std::string("GIT_") + who + "_NAME=" + what_.author);
            what.environment.push_back(std::string("GIT_") + who + "_EMAIL=orchd@localhost");
        }
        const auto made = output(what).map(chomped);
        if (!made) return fail(made.error());
        into_.head = *made;
        into_.told.emplace_back("committed what the run left uncommitted");
        return {};
    }

    // They hold nothing that could be lost.
    void tell_of_special_files() {
        if (special_.empty()) return;
        std::string input;
        for (const auto& path : special_) input += path + '\0';
        const auto ignored = git::call(bench_.call({"check-ignore", "--no-index", "-z", "--stdin"}, input));
        if (ignored)
            for (const auto& path : split(ignored->out, '\0')) std::erase(special_, path);
        if (!special_.empty())
            into_.told.push_back(shown(special_) + ": pipes, sockets or devices, which git has no place for");
    }

    Status tell_of_what_is_beside() {
        for (const auto& [name, commit] : left_.branches) {
            if (name == what_.clone.branch || commit == left_.head) continue;  // told of above
            const auto news = bench_.has_news(commit);
            if (!news) return fail(news.error());
            const auto there = *news ? bench_.has_all_of(into_.head, commit) : Result<bool>(true);
            if (!there) return fail(there.error());
            if (!*there)
                beside(shown(name) + " has commits that are not on the branch " + what_.clone.branch +
                       ": merge them or remove it");
        }
        if (!left_.stash.empty()) {
            const auto there = bench_.has_all_of(into_.head, left_.stash);
            if (!there) return fail(there.error());
            if (!*there) beside("a stash has changes that are not on the branch: apply or drop it");
        }
        for (const auto& [name, folder] : left_.worktrees)
            if (has_changes(bench_, left_.git_dir + "/worktrees/" + name, folder))
                beside("the work tree at " + shown(folder) + " has changes that are in no commit");
        return {};
    }

    // Those that the run committed itself: they stand on the task's branch, and the next run is to mend them.
    Status tell_of_markers() {
        const auto marked = bench_.with_conflict_markers(into_.head, what_.base.empty() ? start_ : what_.base);
        if (!marked) return fail(marked.error());
        if (!marked->empty())
            reason("marks of a conflict were committed in " + shown(*marked) +
                   " (where such lines are meant, give the file the attribute conflict-marker-size)");
        return {};
    }

    const Gathering& what_;
    const Snapshot* checkout_;
    const std::string start_;
    LeftClone left_;
    Bench bench_;
    Gathered into_;
    std::vector<std::string> special_;
};

}  // namespace

Result<Gathered> gather(const Gathering& what, const Snapshot* checkout) {
    if (auto ok = check_branch(what.clone.branch); !ok) return fail(ok.error());
    if (auto ok = check_oid(what.clone.commit); !ok) return fail(ok.error());
    return Gatherer(what, checkout).work();
}

Result<bool> write_bundle(const Gathering& what, const std::string& head, const std::string& file) {
    if (head == what.clone.commit) return false;
    const auto reference = "refs/heads/" + what.clone.branch;
    const auto call = [&](std::vector<std::string> args) {
        return output({.repository = what.bench, .args = std::move(args), .timeout_s = 600});
    };
    if (auto set = call({"update-ref", "--no-deref", reference, head}); !set) return fail(set.error());
    const auto known = call({"for-each-ref", "--contains=" + head, "--count=1", "refs/remotes"});
    if (!known) return fail(known.error());
    // Whole or not there: the unit's stop time may end while it is written.
    const auto unfinished = file + ".new";
    std::vector<std::string> args{"bundle",   "create",  "--quiet", "--version=2",
                                  unfinished, reference, "--not",   what.clone.commit};
    if (known->empty()) args.emplace_back("--remotes");  // git refuses a bundle of what it may leave out
    if (auto made = call(std::move(args)); !made) return fail(made.error());
    std::error_code failed;
    fs::rename(unfinished, file, failed);
    if (failed) return fail(Errc::io, file + ": " + failed.message());
    return true;
}

}  // namespace orchd::git
