// A tracker's work item: what its state asks, once for each time that it came to stand there.
#include "core/planted.h"
#include "core/text.h"
#include "core/utc_text.h"
#include "core/work_item.h"
#include "engine/intake_parts.h"
#include "engine/operate_within.h"
#include "engine/why.h"
#include "store/early_words.h"
#include "store/seen.h"
#include "store/tasks.h"

namespace orchd::engine {
namespace {

enum class Ask { nothing, analyse, approve, reject };

// By group first: what is completed or cancelled asks nothing, whatever the state's name or id (R20).
Ask what_is_asked(const settings::Project& project, const tracker::State& state) {
    if (state.group == "completed" || state.group == "cancelled") return Ask::nothing;
    const auto is = [&](const std::string& wanted) { return wanted == state.name || wanted == state.id; };
    const auto& states = project.tracker_states;
    if (is(states.to_analyse)) return Ask::analyse;
    if (is(states.approved)) return Ask::approve;
    return is(states.rejected) ? Ask::reject : Ask::nothing;
}

// With the names that a webhook left out, as they were last read from the tracker.
Result<tracker::State> whole_state(store::Db& db, const settings::Project& project, tracker::State state) {
    if (!state.name.empty()) return state;
    auto known = store::find_tracker_state(db, project.name, state.id);
    if (!known) return fail(known.error());
    if (*known) return tracker::State{state.id, (*known)->name, (*known)->group};
    return state;
}

std::string described(const tracker::State& state) { return '"' + (state.name.empty() ? state.id : state.name) + '"'; }

std::string item_name(const settings::Project& project, const tracker::Item& item) {
    return project.prefix + '-' + std::to_string(item.number);
}

// What is on record of the item, as newest as it is known.
Result<store::TrackerItem> noted_item(const Acting& who, const settings::Project& project, const ItemSeen& seen) {
    const auto& item = seen.told.item;
    if (auto row = store::ensure_project(who.tx, project.name); !row) return fail(row.error());
    auto known = store::find_tracker_item(who.tx.db(), project.name, item.id);
    if (!known) return fail(known.error());
    auto row = known->value_or(store::TrackerItem{.project = project.name, .item = item.id, .seen_at = -1});
    row.work_item = item_name(project, item);
    if (seen.at > row.seen_at || planted("late_news")) {
        row.seen_at = seen.at;
        row.state = item.state.id;
    }
    if (auto put = store::put_tracker_item(who.tx, row); !put) return fail(put.error());
    return row;
}

// A person let it stand in the tracker's first state again. What waits for an answer, or for a person to look, goes on: a task
// that was escalated with its counters cleared, as by `orchctl task retry`. What only its operator can judge stays: an
// infrastructure, or an effect of which nobody can tell whether it happened.
Result<Consequence> resume(World& world, const Acting& who, const store::Task& task) {
    const auto& item = task.work_item;
    const auto held = std::string(to_text(task.hold));
    switch (task.hold) {
        case Hold::none:
            if (task.paused_at) return nothing_to_do(item + " is paused: orchctl resume task:" + item);
            return nothing_to_do(item + " is under way already, at " + std::string(to_text(task.stage)));
        case Hold::needs_input:
        case Hold::blocked:
            if (auto released = release_hold_within(world, who, item); !released) return fail(released.error());
            return became(item + " goes on: it was held as " + held);
        case Hold::escalated:
            if (auto retried = retry_within(world, who, item); !retried) return fail(retried.error());
            return became(item + " is tried again: it was held as " + held);
        case Hold::infra:
        case Hold::human:
            break;
    }
    return fail(Errc::conflict,
                item + " is held (" + held + ": " + task.hold_reason + "), which its operator alone can release");
}

// Whether the word was given, or came, before the analysis that it would judge was there. The tracker's clock is asked only of
// what the task has lived through: of stamps that are older than the task nothing follows but the order of arrival.
bool too_early(const store::Task& task, const ItemSeen& seen) {
    if (task.stage != Stage::analysis) return false;
    if (!waits_for_approval(task) || task.hold != Hold::none) return true;
    const auto opened = task.waiting_since.value_or(0);
    return seen.received_at < opened || (seen.at >= task.created_at && seen.at < opened);
}

// Kept for whoever is asked when there is something to judge.
Result<Consequence> keep(const Acting& who, const settings::Project& project, const std::string& work_item, Ask ask,
                         std::int64_t at) {
    const bool yes = ask == Ask::approve;
    auto put = store::put_early_word(who.tx, {.project = project.name,
                                              .work_item = work_item,
                                              .colour = yes ? Colour::green : Colour::red,
                                              .by = who.actor,
                                              .at = at});
    if (!put) return fail(put.error());
    if (!*put) return nothing_to_do("nothing new: a word on " + work_item + " that is as late or later is on record");
    auto task = store::find_task(who.tx.db(), work_item);
    if (!task) return fail(task.error());
    const std::string word = yes ? "approved" : "rejected";
    if (*task) {
        auto noted = add_event(who, "verdict_too_early", (*task)->id, std::nullopt, {{"verdict", word}, {"at", at}});
        if (!noted) return fail(noted.error());
    }
    return became(work_item + " is " + word + " by " + who.actor + " before its analysis is there to be judged" +
                  (*task ? "" : ", and before there is a task") +
                  ": on record, and whoever is asked then is told; it judges nothing by itself");
}

Result<Consequence> judge(World& world, const Acting& who, const std::string& work_item, Ask ask) {
    const bool yes = ask == Ask::approve;
    auto judged = judge_within(world, who, work_item, yes ? Colour::green : Colour::red,
                               yes ? "approved in the tracker" : "rejected in the tracker");
    if (!judged) return fail(judged.error());
    return became(work_item + (yes ? " is approved" : " is rejected") + " by " + who.actor);
}

Result<Consequence> create(World& world, const Acting& who, const settings::Project& project, const tracker::Item& item,
                           const std::string& work_item) {
    const auto title = blank(item.title) ? "Work item " + work_item : item.title;  // a tracker may leave it without a name
    auto task = create_task_within(world, who,
                                   {.project = project.name, .work_item = work_item, .title = title, .body = item.description});
    if (!task) return fail(task.error());
    return became("task " + work_item + " was created");
}

}  // namespace

Status note_item(const Acting& who, const settings::Project& project, const ItemSeen& seen) {
    return noted_item(who, project, seen).map([](const auto&) {});
}

Result<Consequence> take_item(World& world, const Acting& who, const settings::Project& project, const ItemSeen& seen) {
    const auto& item = seen.told.item;
    auto work_item = item_name(project, item);
    if (auto valid = WorkItem::parse(work_item); !valid) return fail(valid.error());
    auto row = noted_item(who, project, seen);
    if (!row) return fail(row.error());
    auto state = whole_state(who.tx.db(), project, item.state);
    if (!state) return fail(state.error());
    auto task = store::find_task_meant(who.tx.db(), work_item);
    if (!task) return fail(task.error());
    if (*task) work_item = (*task)->work_item;  // as it is on record

    const Ask ask = what_is_asked(project, *state);
    // Late or not, the item was to be analysed, and a task is made once (R25).
    const bool first = ask == Ask::analyse && !*task;
    const bool changed = seen.told.state_changed || item.state.id != row->heeded_state;
    if (!first && seen.at < row->seen_at) return nothing_to_do(work_item + " has changed since in the tracker");
    // Of two states of one moment nobody knows which was the last: the one that holds more up counts.
    const bool tied = seen.at == row->heeded_at && item.state.id != row->heeded_state;
    if (!first && !planted("heeded_again")) {
        if (tied && ask != Ask::reject)
            return nothing_to_do("not known whether " + work_item + " stands in " + described(*state) + ": of " +
                                 utc_text(seen.at) + " the tracker told of another state too, which counts until it is moved");
        if (!tied && (seen.at <= row->heeded_at || !changed))
            return nothing_to_do("nothing new: " + work_item + " stood in " + described(*state) + " before");
    }
    if (seen.at > row->heeded_at || tied) {
        row->heeded_at = seen.at;
        row->heeded_state = item.state.id;
        if (auto put = store::put_tracker_item(who.tx, *row); !put) return fail(put.error());
    }
    if (ask == Ask::nothing)
        return nothing_to_do(work_item + " stands in " + described(*state) + ", which asks nothing of orchd");
    if (first) return create(world, who, project, item, work_item);
    const bool verdict = ask != Ask::analyse;
    if (verdict && !planted("early_word") && (!*task || too_early(**task, seen)))
        return keep(who, project, work_item, ask, seen.at);
    if (!*task) return fail(Errc::no_such, "there is no task " + work_item);
    if (terminal((*task)->stage)) return nothing_to_do(work_item + " is " + std::string(to_text((*task)->stage)) + " already");
    return ask == Ask::analyse ? resume(world, who, **task) : judge(world, who, work_item, ask);
}

}  // namespace orchd::engine
