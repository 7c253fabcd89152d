#include "engine/intake.h"

#include <exception>
#include <functional>
#include <utility>

#include "core/boundary.h"
#include "core/payload.h"
#include "engine/astray.h"
#include "engine/intake_parts.h"
#include "engine/notes.h"
#include "tracker/plane_events.h"

namespace orchd::engine {
namespace {

using store::DeliveryState;

constexpr std::size_t max_sentence = 500;

// What comes of a delivery inside its transaction; and what of it holds even where that was refused.
struct Work {
    std::string actor;
    std::function<Result<Consequence>(const Acting&)> act;
    std::function<Status(const Acting&)> note = [](const Acting&) { return Status{}; };
};

// Trying again may help: nothing is wrong with the delivery.
bool passes(const Error& error) {
    switch (error.code) {
        case Errc::unavailable:
        case Errc::too_new:
        case Errc::no_space:
        case Errc::io:
        case Errc::not_permitted:
            return true;
        default:
            return false;
    }
}

// Our own rules said no, and nothing is wrong with the delivery either.
bool refused(const Error& error) { return !error.by_database && (error.code == Errc::conflict || error.code == Errc::no_such); }

Result<const settings::Project*> named_project(const World& world, std::string_view name) {
    const auto* project = settings::find(world.projects, name);
    if (project == nullptr)
        return fail(Errc::no_such,
                    "there is no project " + one_line(name, 100) + " with a valid file, which the address names");
    return project;
}

Result<const settings::Project*> tracker_project(const World& world, std::string_view named, const std::string& uuid) {
    const auto* owner = settings::project_of_tracker(world.projects, uuid);
    if (named.empty()) {
        if (owner == nullptr) return fail(Errc::no_such, "no project has [tracker] project = \"" + uuid + "\"");
        return owner;
    }
    auto project = named_project(world, named);
    if (!project) return project;
    if (owner != *project)
        return fail(Errc::no_such,
                    "the work item is of project " + uuid + " of Plane, which is not the one of " + (*project)->name);
    return project;
}

Work nothing(std::string why) {
    return {"intake", [why = std::move(why)](const Acting&) -> Result<Consequence> { return nothing_to_do(why); }};
}

// It is no project's: told once to a person where it seems to be somebody's, and as long as it lasts by `orchctl doctor`.
Work astray(World& world, const store::Delivery& delivery, const forge::GiteaEvent& event, std::string why) {
    return {"intake",
            [&world, source = delivery.source, at = delivery.received_at, name = event.repository, id = event.repository_id,
             why = std::move(why)](const Acting& who) -> Result<Consequence> {
                auto noted = store::note_astray(who.tx, source, id, name, at);
                if (!noted) return fail(noted.error());
                auto story = astray_story(who.tx.db(), world.projects, *noted);
                if (!story) return fail(story.error());
                if (*story && !(*story)->project.empty()) {
                    auto told = post_astray(who.tx, (*story)->project, source + ' ' + std::to_string(id) + ' ' + name,
                                            (*story)->text, who.now);
                    if (!told) return fail(told.error());
                }
                return nothing_to_do(why);
            }};
}

// With the object as the forge shows it, where the event tells of one that can be looked at.
Status look(forge::Objects& forge, const settings::Project& project, forge::GiteaEvent& event) {
    auto* review = std::get_if<forge::ReviewTold>(&event.what);
    if (auto* pull = review != nullptr ? &review->of : std::get_if<forge::PullRequest>(&event.what)) {
        auto seen = forge.look(project, *pull);
        if (!seen) return fail(seen.error());
        *pull = std::move(*seen);
    }
    if (auto* status = std::get_if<forge::StatusTold>(&event.what)) {
        auto seen = forge.look(project, *status);
        if (!seen) return fail(seen.error());
        *status = std::move(*seen);
    }
    return {};
}

Result<Work> forge_work(World& world, forge::Objects& forge, std::string_view named, const store::Delivery& delivery) {
    auto event = forge::read_gitea_event(delivery.event, delivery.body);
    if (!event) return fail(event.error());
    if (const auto* none = std::get_if<forge::Nothing>(&event->what)) return nothing(none->why);
    auto project = project_of_delivery(world.projects, named, event->repository);
    if (!project) return astray(world, delivery, *event, project.error().text);
    if (auto looked = look(forge, **project, *event); !looked) return fail(looked.error());
    return Work{"forge", [&world, p = *project, e = std::move(*event), at = delivery.received_at](const Acting& who) {
                    return take_forge_event(world, who, *p, e, at);
                }};
}

Result<Work> tracker_work(World& world, tracker::Tracker& tracker, std::string_view named, const store::Delivery& delivery) {
    auto event = tracker::read_plane_event(delivery.event, delivery.body);
    if (!event) return fail(event.error());
    if (const auto* none = std::get_if<tracker::Nothing>(&event->what)) return nothing(none->why);
    auto project = tracker_project(world, named, event->project);
    if (!project) return nothing(project.error().text);
    ItemSeen seen{.told = std::get<tracker::ItemTold>(event->what), .received_at = delivery.received_at};
    auto item = tracker.look(**project, seen.told.item);
    if (!item) return fail(item.error());
    seen.told.item = std::move(*item);
    seen.at = not_far_after(seen.told.item.at, delivery.received_at);
    return Work{"tracker:" + seen.told.by,
                [&world, p = *project, seen](const Acting& who) { return take_item(world, who, *p, seen); },
                [p = *project, seen](const Acting& who) { return note_item(who, *p, seen); }};
}

}  // namespace

Result<Intake::Outcome> Intake::understand(const store::Delivery& delivery) {
    const auto [kind, named] = parts_of_source(delivery.source);
    auto work = kind == "gitea"   ? forge_work(world_, forge_, named, delivery)
                : kind == "plane" ? tracker_work(world_, tracker_, named, delivery)
                                  : nothing("nothing here understands " + one_line(delivery.source, 100));
    if (!work) return fail(work.error());
    Outcome outcome;
    const auto settle = [&](const Acting& who, const Result<Consequence>& came) -> Status {
        outcome = {came && came->done ? DeliveryState::done : DeliveryState::ignored,
                   one_line(came ? came->sentence : came.error().text, max_sentence)};
        return store::settle_delivery(who.tx, delivery.id, outcome.state, outcome.sentence);
    };
    auto written = world_.db.write([&](store::Tx& tx) -> Status {
        const Acting who{tx, work->actor, world_.now()};
        auto came = work->act(who);
        return came ? settle(who, came) : Status(fail(came.error()));
    });
    if (written) return outcome;
    if (!refused(written.error())) return fail(written.error());
    // All of it was taken back; only what was seen stays true.
    const Result<Consequence> no = fail(written.error());
    written = world_.db.write([&](store::Tx& tx) -> Status {
        const Acting who{tx, work->actor, world_.now()};
        if (auto noted = work->note(who); !noted) return noted;
        return settle(who, no);
    });
    if (!written) return fail(written.error());
    return outcome;
}

// Whatever is wrong with it, it is marked so, unless the database itself cannot.
Result<Intake::Outcome> Intake::take(const store::Delivery& delivery) {
    Result<Outcome> outcome;
    try {
        outcome = understand(delivery);
    } catch (const std::exception& thrown) {
        outcome = fail(Errc::internal, std::string("an exception: ") + thrown.what());
    }
    if (outcome || passes(outcome.error())) return outcome;
    const Outcome failed{DeliveryState::failed, one_line(outcome.error().text, max_sentence)};
    auto marked =
        world_.db.write([&](store::Tx& tx) { return store::settle_delivery(tx, delivery.id, failed.state, failed.sentence); });
    if (!marked) return fail(marked.error());
    world_.warn("", "delivery " + std::to_string(delivery.id) + " from " + delivery.source + " failed: " + failed.sentence);
    return failed;
}

Result<IntakeResult> Intake::pass(int at_most) {
    const auto begun_ms = world_.now().boot_ms;
    const auto ids = store::pending_deliveries(world_.db, after_, at_most);
    if (!ids) return fail(ids.error());
    IntakeResult result;
    result.more = static_cast<int>(ids->size()) == at_most;
    for (const auto id : *ids) {
        if (world_.now().boot_ms - begun_ms >= longest_ms) {
            result.more = true;
            break;
        }
        auto delivery = store::find_delivery(world_.db, id);
        if (!delivery) return fail(delivery.error());
        const auto before = std::exchange(after_, id);
        if (!*delivery || (*delivery)->state != DeliveryState::pending) continue;
        boundary("intake.commit.before");
        auto outcome = take(**delivery);
        if (!outcome) {  // it stays pending; what is wrong with the database would be wrong with the next one too
            if (outcome.error().by_database) {
                after_ = before;
                return fail(outcome.error());
            }
            world_.warn("", "delivery " + std::to_string(id) + " waits: " + outcome.error().text);
            continue;
        }
        boundary("intake.commit.after");
        ++(outcome->state == DeliveryState::done      ? result.done
           : outcome->state == DeliveryState::ignored ? result.ignored
                                                      : result.failed);
    }
    if (!result.more) after_ = 0;
    if (result.done > 0) world_.poke_events();
    return result;
}

}  // namespace orchd::engine
