#include "views/events.h"

#include <boost/json.hpp>
#include <map>

#include "store/facts.h"
#include "store/tasks.h"
#include "views/stories.h"

namespace orchd::views {
namespace {

constexpr int most_events = 200;

Result<std::string> work_item_of(store::Db& db, const store::Event& event, std::map<std::int64_t, std::string>& known) {
    if (!event.task_id) return std::string();
    if (const auto found = known.find(*event.task_id); found != known.end()) return found->second;
    const auto task = store::find_task(db, *event.task_id);
    if (!task) return fail(task.error());
    return known[*event.task_id] = *task ? (*task)->work_item : std::string();
}

}  // namespace

Result<EventPage> events_after(store::Db& db, std::int64_t after, std::size_t most_bytes) {
    return db.read([&](store::Db&) -> Result<EventPage> {
        EventPage page{{}, after};
        const auto events = store::next_events(db, after, most_events);
        if (!events) return fail(events.error());
        std::map<std::int64_t, std::string> known;
        for (const auto& event : *events) {
            auto work_item = work_item_of(db, event, known);
            if (!work_item) return fail(work_item.error());
            auto object = story(event);
            object["work_item"] = *work_item;
            const auto text = "id: " + std::to_string(event.id) + "\ndata: " + boost::json::serialize(object) + "\n\n";
            if (!page.text.empty() && page.text.size() + text.size() > most_bytes) break;
            page.text += text;
            page.last = event.id;
        }
        return page;
    });
}

}  // namespace orchd::views
