// A forge's events as rows, and the advance of the task that they may move.
#include <algorithm>

#include "core/planted.h"
#include "core/utc_text.h"
#include "core/work_item.h"
#include "engine/advance.h"
#include "engine/intake_parts.h"
#include "store/facts.h"
#include "store/seen.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

constexpr std::string_view own_contexts = "orchd/";  // statuses that orchd itself writes

// The project's work item whose branch this would be; empty for every other branch.
std::string item_of_branch(const settings::Project& project, std::string_view branch) {
    if (!branch.starts_with(task_branches)) return {};
    auto item = WorkItem::parse(branch.substr(task_branches.size()));
    return item && item->prefix() == project.prefix ? item->text() : std::string();
}

Result<std::optional<store::Task>> open_task_of(store::Db& db, const settings::Project& project, const std::string& item) {
    auto task = store::find_task(db, item);
    if (!task || !*task) return task;
    return (*task)->project == project.name && !terminal((*task)->stage) ? *task : std::nullopt;
}

// Asks for the advance of the branch's task where it is open; the sentence says whether.
Result<std::string> ask_for_branch(World& world, const Acting& who, const settings::Project& project, const std::string& item) {
    auto task = open_task_of(who.tx.db(), project, item);
    if (!task) return fail(task.error());
    if (!*task) return "no open task " + item;
    if (auto asked = ask_advance(world, who.tx, **task); !asked) return fail(asked.error());
    return item + " is asked to go on";
}

std::string described(const forge::BranchMoved& moved) {
    const auto at = moved.commit.empty() ? std::string() : " at " + moved.commit;
    if (!moved.pushed) return "the forge's CI got on with " + moved.branch + at;
    if (moved.deleted) return "the branch " + moved.branch + " is deleted";
    return "the branch " + moved.branch + (at.empty() ? " changed" : " is" + at);
}

// What is on record, with what is not known of it: no sentence says more.
std::string tie(std::int64_t at) {
    return ", since more than one thing was told of " + utc_text(at) + ": not known until it is read again";
}
std::string described(const store::PullRequestSeen& pull) {
    auto text =
        "pull request " + std::to_string(pull.number) + " is " + (pull.state == "unknown" ? "open or closed" : pull.state);
    if (!pull.head.empty()) text += " at " + pull.head;
    return pull.tied ? text + (pull.head.empty() ? " at one head or another" : "") + tie(pull.at) : text;
}
std::string described(const store::ReviewSeen& review, const std::string& pull) {
    if (!review.tied) return review.reviewer + " has " + review.state + " pull request " + pull;
    const auto state = review.state == "unknown" ? "approved or rejected" : review.state;
    return review.reviewer + " has " + state + " pull request " + pull +
           (review.head.empty() ? " at one head or another" : "") + tie(review.at);
}
std::string described(const store::CommitStatus& status) {
    return status.context + " is " + std::string(to_text(status.state)) + " at " + status.commit;
}

std::int64_t key_of(const forge::PullRequest& pull) { return pull.id == 0 ? pull.number : pull.id; }

struct Taking {
    World& world;
    const Acting& who;
    const settings::Project& project;
    std::int64_t repository;  // the forge's id of it; 0: not told
    std::int64_t received_at;

    Result<Consequence> operator()(const forge::Nothing& nothing) const { return nothing_to_do(nothing.why); }

    Result<Consequence> operator()(const forge::BranchMoved& moved) const {
        const auto item = item_of_branch(project, moved.branch);
        if (item.empty()) return nothing_to_do("no task of " + project.name + " has the branch " + moved.branch);
        auto task = open_task_of(who.tx.db(), project, item);
        if (!task) return fail(task.error());
        if (!*task) return nothing_to_do("there is no open task " + item);
        if (moved.pushed && !moved.commit.empty() && moved.commit == (*task)->head)
            return nothing_to_do("orchd itself pushed " + moved.commit);
        return asking(item, described(moved));
    }

    Result<Consequence> operator()(const forge::StatusTold& told) const {
        if (told.context.starts_with(own_contexts))
            return nothing_to_do("the context " + told.context + " is orchd's own: nobody else reports under it");
        auto row = store::ensure_project(who.tx, project.name);
        if (!row) return fail(row.error());
        auto status = agreed(told);
        if (!status) return fail(status.error());
        auto put = store::put_status(who.tx, *status);
        if (!put) return fail(put.error());
        if (!*put) return nothing_of_status(*status);
        auto sentence = described(*status);
        auto tasks = store::open_tasks_at(who.tx.db(), row->id, told.commit);
        if (!tasks) return fail(tasks.error());
        for (const auto& task : *tasks) {
            auto noted = add_event(who, "status_told", task.id, std::nullopt,
                                   {{"context", status->context},
                                    {"colour", std::string(to_text(status->state))},
                                    {"commit", status->commit},
                                    {"description", status->description}});
            if (!noted) return fail(noted.error());
            if (auto asked = ask_advance(world, who.tx, task); !asked) return fail(asked.error());
            sentence += "; " + task.work_item + " is asked to go on";
        }
        return became(std::move(sentence));
    }

    Result<Consequence> operator()(const forge::PullRequest& pull) const {
        const auto item = item_of_branch(project, pull.branch);
        if (item.empty()) return nothing_to_do("no task of " + project.name + " has the branch " + pull.branch);
        auto put = put_pull(pull);
        if (!put) return fail(put.error());
        if (!put->news) return nothing_to_do("nothing new: " + described(put->now) + on_record_since(put->now.at));
        return asking(item, described(put->now));
    }

    // A review decides nothing by itself: whose word counts, and for which code, is for the gate to say, which reads the row.
    Result<Consequence> operator()(const forge::ReviewTold& told) const {
        const auto item = item_of_branch(project, told.of.branch);
        if (item.empty()) return nothing_to_do("no task of " + project.name + " has the branch " + told.of.branch);
        auto pull = put_pull(told.of);
        if (!pull) return fail(pull.error());
        auto review = store::put_review(who.tx, {.project = project.name,
                                                 .repository = repository,
                                                 .pull = key_of(told.of),
                                                 .reviewer = told.reviewer,
                                                 .state = std::string(to_text(told.state)),
                                                 .head = told.of.head,
                                                 .at = not_far_after(told.of.at, received_at)});
        if (!review) return fail(review.error());
        const auto sentence = described(review->now, std::to_string(told.of.number));
        if (review->news) return asking(item, sentence);
        if (pull->news) return asking(item, described(pull->now) + "; as before, " + sentence);
        return nothing_to_do("nothing new: " + sentence + on_record_since(review->now.at));
    }

private:
    static std::string on_record_since(std::int64_t at) { return ", which is on record of " + utc_text(at); }

    [[nodiscard]] Result<store::PullRequestPut> put_pull(const forge::PullRequest& pull) const {
        return store::put_pull_request(who.tx, {.project = project.name,
                                                .repository = repository,
                                                .pull = key_of(pull),
                                                .number = pull.number,
                                                .branch = pull.branch,
                                                .head = pull.head,
                                                .target = pull.target,
                                                .state = std::string(to_text(pull.state)),
                                                .at = not_far_after(pull.at, received_at),
                                                .looked = pull.looked});
    }

    // The row that it comes to: of two of one moment that the forge did not number apart, neither counts.
    [[nodiscard]] Result<store::CommitStatus> agreed(const forge::StatusTold& told) const {
        store::CommitStatus status{.project = project.name,
                                   .commit = told.commit,
                                   .context = told.context,
                                   .description = told.description,
                                   .state = told.state,
                                   .at = planted("late_status") ? received_at : not_far_after(told.at, received_at),
                                   .seq = planted("late_status") ? 0 : told.seq};
        auto known = known_status(status);
        if (!known) return fail(known.error());
        const bool one_moment = *known && (*known)->at == status.at && (*known)->seq == status.seq;
        if (!one_moment || (*known)->state == status.state) return status;
        status.state = Colour::undecided;
        status.description = "more than one thing was told of " + utc_text(status.at) + ", which holds is not known";
        return status;
    }

    [[nodiscard]] Result<std::optional<store::CommitStatus>> known_status(const store::CommitStatus& of) const {
        auto all = store::statuses_of(who.tx.db(), of.project, of.commit);
        if (!all) return fail(all.error());
        const auto found = std::ranges::find(*all, of.context, &store::CommitStatus::context);
        return found == all->end() ? std::nullopt : std::optional(std::move(*found));
    }

    [[nodiscard]] Result<Consequence> nothing_of_status(const store::CommitStatus& told) const {
        auto known = known_status(told);
        if (!known) return fail(known.error());
        const auto& is = *known ? **known : told;
        return nothing_to_do("nothing new: " + described(is) + on_record_since(is.at));
    }

    [[nodiscard]] Result<Consequence> asking(const std::string& item, std::string sentence) const {
        auto task = store::find_task(who.tx.db(), item);
        if (!task) return fail(task.error());
        if (*task && (*task)->project == project.name) {
            auto noted = add_event(who, "forge_told", (*task)->id, std::nullopt, {{"what", sentence}});
            if (!noted) return fail(noted.error());
        }
        auto asked = ask_for_branch(world, who, project, item);
        if (!asked) return fail(asked.error());
        return became(sentence + "; " + *asked);
    }
};

}  // namespace

// A repository that was deleted, and another made under its name: what is told of the old one is of nothing here any more.
Result<std::optional<Consequence>> of_another(const Acting& who, const settings::Project& project,
                                              const forge::GiteaEvent& event, std::int64_t received_at) {
    if (event.repository_id == 0) return std::nullopt;
    if (auto row = store::ensure_project(who.tx, project.name); !row) return fail(row.error());
    const auto now = store::see_repository(who.tx, project.name, event.repository_id, event.repository, received_at);
    if (!now) return fail(now.error());
    if (*now == event.repository_id) return std::nullopt;
    return nothing_to_do("it is of a repository that is no more: " + event.repository + " is the forge's number " +
                         std::to_string(*now) + " now, and was " + std::to_string(event.repository_id));
}

Result<Consequence> take_forge_event(World& world, const Acting& who, const settings::Project& project,
                                     const forge::GiteaEvent& event, std::int64_t received_at) {
    auto another = of_another(who, project, event, received_at);
    if (!another) return fail(another.error());
    if (*another) return std::move(**another);
    return std::visit(Taking{world, who, project, event.repository_id, received_at}, event.what);
}

}  // namespace orchd::engine
