#include "control/changes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/names.h"
#include "engine/operate.h"

namespace orchd::control {
namespace {

constexpr std::array create_options{OptionRow{"body", OptionRow::Kind::text}, OptionRow{"priority", OptionRow::Kind::number}};

Result<std::string> without_path(const Status& status) {
    return status.map([] { return std::string(); });
}

Result<Act> parse_create(sd_bus_message* call) {
    auto project = read_text(call);
    if (!project) return fail(project.error());
    auto work_item = read_work_item(call);
    if (!work_item) return fail(work_item.error());
    auto title = read_text(call);
    if (!title) return fail(title.error());
    const auto options = Options::read(call, create_options);
    if (!options) return fail(options.error());
    engine::TaskRequest request{std::move(*project), std::move(*work_item), std::move(*title), options->text("body")};
    request.priority = static_cast<int>(std::min<std::int64_t>(options->number("priority").value_or(request.priority), 10));
    return Act([request = std::move(request)](engine::World& world, const std::string& by) {
        return engine::create_task(world, request, by).map([](const store::Task& task) { return task_path(task.work_item); });
    });
}

template <auto read, auto act>
Result<Act> on(sd_bus_message* call) {
    auto what = read(call);
    if (!what) return fail(what.error());
    return Act(
        [what = std::move(*what)](engine::World& world, const std::string& by) { return without_path(act(world, what, by)); });
}

// A task or a scope, and a reason.
template <auto read, auto act>
Result<Act> with_reason(sd_bus_message* call) {
    auto what = read(call);
    if (!what) return fail(what.error());
    auto reason = read_reason(call);
    if (!reason) return fail(reason.error());
    return Act([what = std::move(*what), reason = std::move(*reason)](engine::World& world, const std::string& by) {
        return without_path(act(world, what, reason, by));
    });
}

// Two tasks.
template <auto act>
Result<Act> on_both(sd_bus_message* call) {
    auto first = read_work_item(call);
    if (!first) return fail(first.error());
    auto second = read_work_item(call);
    if (!second) return fail(second.error());
    return Act([first = std::move(*first), second = std::move(*second)](engine::World& world, const std::string& by) {
        return without_path(act(world, first, second, by));
    });
}

Result<Act> parse_send_back(sd_bus_message* call) {
    auto work_item = read_work_item(call);
    if (!work_item) return fail(work_item.error());
    auto to = read_stage(call);
    if (!to) return fail(to.error());
    auto reason = read_reason(call);
    if (!reason) return fail(reason.error());
    return Act([work_item = std::move(*work_item), to = *to, reason = std::move(*reason)](engine::World& world,
                                                                                          const std::string& by) {
        return without_path(engine::send_back(world, work_item, to, reason, by));
    });
}

constexpr std::array edit_options{OptionRow{"title", OptionRow::Kind::text}, OptionRow{"body", OptionRow::Kind::text},
                                  OptionRow{"priority", OptionRow::Kind::number}};

Result<Act> parse_edit(sd_bus_message* call) {
    auto work_item = read_work_item(call);
    if (!work_item) return fail(work_item.error());
    const auto changes = Options::read(call, edit_options);
    if (!changes) return fail(changes.error());
    engine::TaskEdit edit;
    if (changes->given("title")) edit.title = changes->text("title");
    if (changes->given("body")) edit.body = changes->text("body");
    if (const auto priority = changes->number("priority"))
        edit.priority = static_cast<int>(std::min<std::int64_t>(*priority, 10));
    return Act([work_item = std::move(*work_item), edit = std::move(edit)](engine::World& world, const std::string& by) {
        return without_path(engine::edit_task(world, work_item, edit, by));
    });
}

constexpr std::array release_options{OptionRow{"force", OptionRow::Kind::flag}};

// A work item or the key of a lease, a reason, and whether by force.
template <auto read, auto act>
Result<Act> release(sd_bus_message* call) {
    auto key = read(call);
    if (!key) return fail(key.error());
    auto reason = read_reason(call);
    if (!reason) return fail(reason.error());
    const auto options = Options::read(call, release_options);
    if (!options) return fail(options.error());
    return Act([release = engine::LeaseRelease{std::move(*key), std::move(*reason), options->flag("force")}](
                   engine::World& world, const std::string& by) { return without_path(act(world, release, by)); });
}

Result<Act> parse_reap(sd_bus_message*) {
    return Act([](engine::World& world, const std::string& by) { return without_path(engine::reap_now(world, by)); });
}

constexpr std::array changes{
    Change{"CreateTask", names::action_manage_tasks, parse_create},
    Change{"Approve", names::action_approve, on<read_work_item, engine::approve>},
    Change{"Reject", names::action_approve, with_reason<read_work_item, engine::reject>},
    Change{"Retry", names::action_manage_tasks, on<read_work_item, engine::retry>},
    Change{"SendBack", names::action_manage_tasks, parse_send_back},
    Change{"EditTask", names::action_manage_tasks, parse_edit},
    Change{"Cancel", names::action_manage_tasks, with_reason<read_work_item, engine::cancel>},
    Change{"ReleaseHold", names::action_manage_tasks, on<read_work_item, engine::release_hold>},
    Change{"CancelJob", names::action_manage_tasks, on<read_id, engine::cancel_job>},
    Change{"RetryJob", names::action_manage_tasks, on<read_id, engine::retry_job>},
    Change{"AddDependency", names::action_manage_tasks, on_both<engine::add_dependency>},
    Change{"RemoveDependency", names::action_manage_tasks, on_both<engine::remove_dependency>},
    Change{"ReleaseTransitionLease", names::action_release_lease, release<read_work_item, engine::release_transition>},
    Change{"ReleaseMergeLease", names::action_release_lease, release<read_text, engine::release_held>},
    Change{"Reap", names::action_manage_queue, parse_reap},
    Change{"ReplayDelivery", names::action_manage_queue, on<read_id, engine::replay_delivery>},
    Change{"Pause", names::action_manage_queue, with_reason<read_text, engine::pause>},
    Change{"Resume", names::action_manage_queue, on<read_text, engine::resume>},
};

}  // namespace

const Change* find_change(std::string_view member) {
    const auto* found = std::find_if(changes.begin(), changes.end(), [&](const Change& c) { return c.member == member; });
    return found == changes.end() ? nullptr : found;
}

}  // namespace orchd::control
