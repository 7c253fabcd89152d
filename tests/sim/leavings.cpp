// Agents that leave their work in the wrong places: what their launcher makes of it (git/gather) and says.
#include <fstream>

#include "core/front_matter.h"
#include "engine/left.h"
#include "sim/house.h"

namespace orchd::sim {
namespace {

constexpr const char* marks = "<<<<<<< ours";

enum class Odd {
    nothing,      // it did nothing, or all that it did is ignored by git
    elsewhere,    // all of it, on a detached HEAD or another branch: it is taken for the task's
    two_places,   // some of it on another branch, in a stash or a nested repository
    unfinished,   // some of it, and a merge or rebase in progress
    rewritten,    // on commits of its own in place of those that it was given, which the launcher sees
    passed_off,   // the same, where the launcher was made not to see it
    set_back,     // its branch below where it began
    conflicted,   // marks of a conflict, committed
    undone,       // what it had done before is taken back
    trespassing,  // code, whatever its role is
    not_arrived,  // a bundle that is not there
    garbled,      // a word of its launcher that nobody can read
    cut_off,      // the launcher was killed between the bundle and its word
    kinds
};

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

std::string code_of(const Repository& repository, const std::string& commit, const engine::Spec& spec) {
    const auto& files = repository.find(commit)->files;
    const auto found = files.find(spec.work_item + ".cpp");
    return found == files.end() ? std::string() : found->second;
}

}  // namespace

// A commit of the task's code; empty removes it.
std::string House::work_on(const std::string& parent, const std::string& text, const engine::Spec& spec) {
    return repositories_.at(spec.project)->commit({parent}, {{spec.work_item + ".cpp", text}}, spec.work_item);
}

// Where the run began; without the marks of a conflict, which it is told of and mends.
std::string House::head_to_work_on(const engine::Spec& spec) {
    const bool marked = code_of(*repositories_.at(spec.project), spec.commit, spec) == marks;
    return marked ? work_on(spec.commit, "int mended" + std::to_string(spec.run_id) + ';', spec) : spec.commit;
}

// As the launcher: a bundle of what is new, then its word. Marks of a conflict it finds, whoever left them.
void House::leave(const engine::Spec& spec, const std::string& left, const std::string& head, std::vector<std::string> reasons,
                  std::vector<std::string> told) {
    const auto& repository = *repositories_.at(spec.project);
    const auto commit = head.empty() ? spec.commit : head;
    const auto code = code_of(repository, commit, spec);
    if (code != code_of(repository, spec.commit, spec)) witness_.work_left(spec.run_id, spec.work_item, code);
    if (code == marks) reasons.push_back("marks of a conflict were committed in " + spec.work_item + ".cpp");
    if (commit != spec.commit) write(left + "/bundle", commit);
    write(left + '/' + engine::left_file, engine::to_json(engine::Left{commit, std::move(reasons), std::move(told)}));
}

// The run's exit status. What the witness is told is whether its stage may be over by what the run says.
int House::leave_oddly(const engine::Spec& spec, const std::string& left) {
    auto& r = *repositories_.at(spec.project);
    const auto odd = static_cast<Odd>(chance_.detail(static_cast<std::uint64_t>(Odd::kinds)));
    const auto says = [&](bool good) { witness_.run_said(spec.work_item, good); };
    const bool approves = spec.role == Role::reviewer && !all_the_time("every review is red");
    const auto does_its_work = [&] {
        says(spec.role != Role::reviewer || approves);
        if (approves) witness_.judged(spec.work_item, spec.role, patch_of(r, spec.commit));
        return commit_work(spec, true);
    };
    const auto in_vain = [&](const std::string& head, const std::string& reason) {
        leave(spec, left, head, {reason});
        says(false);
        return 0;
    };
    const auto mine = "int x" + std::to_string(spec.run_id) + ';';
    scheduler_.note("!! the " + std::string(to_text(spec.role)) + " of " + spec.work_item +
                    " leaves its work oddly: " + std::to_string(static_cast<int>(odd)));
    switch (odd) {
        case Odd::elsewhere:
            leave(spec, left, does_its_work(), {}, {"the detached HEAD was taken for the branch " + spec.branch});
            break;
        case Odd::two_places:
            return in_vain(commit_work(spec, true), "tool is a repository of its own");
        case Odd::unfinished:
            return in_vain(spec.role == Role::developer ? work_on(spec.commit, mine, spec) : spec.commit,
                           "a rebase was left unfinished, so what it came to is not taken in");
        case Odd::rewritten:
            return in_vain(spec.commit, "the branch " + spec.branch + " does not build on " + spec.commit);
        case Odd::set_back:
            return in_vain(spec.commit, "the branch " + spec.branch + " was set back below " + spec.commit);
        case Odd::conflicted:
            return in_vain(work_on(spec.commit, marks, spec), "conflicts are left");
        case Odd::passed_off: {
            const auto& parents = r.find(spec.commit)->parents;
            const auto other = work_on(parents.empty() ? spec.commit : parents.front(), mine, spec);
            says(r.is_ancestor(spec.commit, other) && spec.role != Role::reviewer);
            leave(spec, left, other, {});
            break;
        }
        case Odd::undone: {
            const auto& main = r.seen["main"];
            const auto base = r.fork_point(spec.commit, main, r.dropped);
            says(spec.role != Role::reviewer);
            leave(spec, left, work_on(spec.commit, code_of(r, base, spec), spec), {});
            break;
        }
        case Odd::trespassing:
            leave(spec, left, work_on(does_its_work(), mine, spec), {});
            break;
        case Odd::not_arrived:
            leave(spec, left, commit_work(spec, true), {});
            says(spec.role != Role::reviewer && !std::ifstream(left + "/bundle"));
            std::remove((left + "/bundle").c_str());
            break;
        case Odd::garbled:
            leave(spec, left, commit_work(spec, true), {});
            write(left + '/' + engine::left_file, "{");
            says(false);
            break;
        case Odd::cut_off:
            leave(spec, left, commit_work(spec, true), {});
            std::remove((left + '/' + engine::left_file).c_str());
            scheduler_.kill(*scheduler_.present());
            break;
        default:
            leave(spec, left, spec.commit, {});
            says(spec.role != Role::reviewer);
    }
    return 0;
}

}  // namespace orchd::sim
