// A forge's events as rows, and the advance of the task that they may move.
#include <array>

#include "core/planted.h"
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
    return "the branch " + moved.branch + (at.empty() ? " changed" : " is" + at);
}

struct Taking {
    World& world;
    const Acting& who;
    const settings::Project& project;
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
        auto put = store::put_status(who.tx, {.project = project.name,
                                              .commit = told.commit,
                                              .context = told.context,
                                              .description = told.description,
                                              .state = told.state,
                                              .at = told.at == 0 || planted("late_status") ? received_at : told.at,
                                              .seq = told.seq});
        if (!put) return fail(put.error());
        auto sentence = told.context + " is " + std::string(to_text(told.state)) + " at " + told.commit;
        if (!*put) return nothing_to_do("nothing new: of " + sentence + " the same or later is on record");
        auto tasks = store::open_tasks_at(who.tx.db(), row->id, told.commit);
        if (!tasks) return fail(tasks.error());
        for (const auto& task : *tasks) {
            auto noted = add_event(who, "status_told", task.id, std::nullopt,
                                   {{"context", told.context},
                                    {"colour", std::string(to_text(told.state))},
                                    {"commit", told.commit},
                                    {"description", told.description}});
            if (!noted) return fail(noted.error());
            if (auto asked = ask_advance(world, who.tx, task); !asked) return fail(asked.error());
            sentence += "; " + task.work_item + " is asked to go on";
        }
        return became(std::move(sentence));
    }

    Result<Consequence> operator()(const forge::PullRequest& pull) const {
        const auto item = item_of_branch(project, pull.branch);
        if (item.empty()) return nothing_to_do("no task of " + project.name + " has the branch " + pull.branch);
        auto news = put_pull(pull);
        if (!news) return fail(news.error());
        auto sentence = "pull request " + std::to_string(pull.number) + " is " + std::string(to_text(pull.state));
        if (!*news) return nothing_to_do("nothing new: of " + sentence + " the same or later is on record");
        return asking(item, std::move(sentence));
    }

    // A review decides nothing by itself: whose word counts, and for which code, is for the gate to say, which reads the row.
    Result<Consequence> operator()(const forge::ReviewTold& told) const {
        const auto item = item_of_branch(project, told.of.branch);
        if (item.empty()) return nothing_to_do("no task of " + project.name + " has the branch " + told.of.branch);
        auto news = put_pull(told.of);
        if (!news) return fail(news.error());
        auto said = store::put_review(who.tx, {.project = project.name,
                                               .number = told.of.number,
                                               .reviewer = told.reviewer,
                                               .state = std::string(to_text(told.state)),
                                               .head = told.of.head,
                                               .at = at_of(told.of)});
        if (!said) return fail(said.error());
        auto sentence =
            told.reviewer + " has " + std::string(to_text(told.state)) + " pull request " + std::to_string(told.of.number);
        if (!*news && !*said) return nothing_to_do("nothing new: " + sentence);
        return asking(item, std::move(sentence));
    }

private:
    [[nodiscard]] std::int64_t at_of(const forge::PullRequest& pull) const { return pull.at == 0 ? received_at : pull.at; }

    [[nodiscard]] Result<bool> put_pull(const forge::PullRequest& pull) const {
        if (auto row = store::ensure_project(who.tx, project.name); !row) return fail(row.error());
        return store::put_pull_request(who.tx, {.project = project.name,
                                                .number = pull.number,
                                                .branch = pull.branch,
                                                .head = pull.head,
                                                .target = pull.target,
                                                .state = std::string(to_text(pull.state)),
                                                .at = at_of(pull)});
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

Result<Consequence> take_forge_event(World& world, const Acting& who, const settings::Project& project,
                                     const forge::GiteaEvent& event, std::int64_t received_at) {
    return std::visit(Taking{world, who, project, received_at}, event.what);
}

}  // namespace orchd::engine
