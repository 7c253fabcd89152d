// What a page costs does not grow with what is done: counted in steps of SQLite's machine, never in time.
#include <functional>

#include "fixture.h"
#include "support/history.h"
#include "unit/store/counting.h"
#include "views/events.h"

namespace orchd::views {
namespace {

struct Page {
    const char* name;
    std::function<Result<std::string>(const WorldView&)> make;
};
const Page pages[] = {
    {"/queue", queue_json},
    {"/status", status_json},
    {"/metrics", [](const WorldView& view) { return metrics_text(view, {}, MetricsFormat::openmetrics); }},
    {"/health", [](const WorldView& view) { return health_json(view); }},
    {"/tasks/HELLO-1", [](const WorldView& view) { return task_json(view, "HELLO-1"); }},
    {"/events",
     [](const WorldView& view) {
         return store::newest_event_id(view.db).and_then([&](std::int64_t newest) {
             return events_after(view.db, newest - 1, 1 << 16).map([](const EventPage& page) { return page.text; });
         });
     }},
};

class CostTest : public ViewsTest {
protected:
    // The steps of each page in a house with so much behind it.
    std::vector<std::int64_t> steps_with(int history) {
        db = must(store::Db::open(folder / (std::to_string(history) + ".db"), {.mode = store::Mode::create}));
        (void)project();
        must(db.execute(support::history_of(history)));
        for (const std::string item : {"HELLO-1", "HELLO-2"}) (void)ask(task(item), Role::developer);
        (void)claim_one();
        std::vector<std::int64_t> steps;
        (void)store::work_done(db);
        for (const auto& page : pages) {
            (void)must(page.make(view()));
            steps.push_back(store::work_done(db).steps);
        }
        return steps;
    }
};

TEST_F(CostTest, APageCostsTheSameHoweverMuchIsDone) {
    const auto few = steps_with(50);
    const auto many = steps_with(5'000);
    for (std::size_t n = 0; n < std::size(pages); ++n) {
        EXPECT_NEAR(static_cast<double>(few[n]), static_cast<double>(many[n]), 8) << pages[n].name;
        EXPECT_LT(many[n], 5'000) << pages[n].name;
    }
}

}  // namespace
}  // namespace orchd::views
