// R18, R40: what is odd ends with a reason and stops nothing; what comes in another order, late or twice comes to the same.
#include <boost/json.hpp>
#include <random>
#include <sstream>

#include "forge/gitea_events.h"
#include "intake_fixture.h"
#include "store/check.h"
#include "tracker/plane_events.h"

namespace orchd::support {
namespace {

namespace json = boost::json;
using store::DeliveryState;

struct Odd {
    std::string source, event, body;
};

// Where in a document there is a value: object members by their names, list elements by their number.
using Path = std::vector<std::variant<std::string, std::size_t>>;

void gather(const json::value& value, Path& here, std::vector<Path>& all) {
    if (!here.empty()) all.push_back(here);
    if (const auto* object = value.if_object())
        for (const auto& [name, member] : *object) {
            here.emplace_back(std::string(name));
            gather(member, here, all);
            here.pop_back();
        }
    if (const auto* list = value.if_array())
        for (std::size_t n = 0; n < list->size(); ++n) {
            here.emplace_back(n);
            gather((*list)[n], here, all);
            here.pop_back();
        }
}

json::value& at(json::value& root, const Path& path) {
    auto* value = &root;
    for (const auto& step : path)
        value = std::holds_alternative<std::string>(step) ? &value->as_object().at(std::get<std::string>(step))
                                                          : &value->as_array().at(std::get<std::size_t>(step));
    return *value;
}

json::value nested(int depth) {
    json::value value = 1;
    for (int n = 0; n < depth; ++n) value = json::array{std::move(value)};
    return value;
}

// One value of every type, the odd ones of each, and what is too much.
const json::array& every_type() {
    static const json::array all{nullptr,
                                 true,
                                 0,
                                 -1,
                                 std::numeric_limits<std::int64_t>::min(),
                                 std::numeric_limits<std::uint64_t>::max(),
                                 1e300,
                                 0.5,
                                 "",
                                 "x",
                                 std::string("nul\0esc\x1b\r\n", 10),
                                 "2026-07-01T10:00:00Z",
                                 "00000000-0000-0000-0000-000000000000",
                                 std::string(70'000, 'x'),
                                 json::array{},
                                 json::array{json::object{}, 7, "x"},
                                 json::object{},
                                 json::object{{"id", 7}, {"name", json::array{}}},
                                 nested(20),
                                 nested(100)};
    return all;
}

// Each field of a sample as each type, dropped, and twice.
void oddities(const std::string& source, const Sample& sample, std::vector<Odd>& all) {
    const auto whole = json::parse(sample.body);
    std::vector<Path> paths;
    Path here;
    gather(whole, here, paths);
    for (const auto& path : paths) {
        for (const auto& other : every_type()) {
            auto changed = whole;
            at(changed, path) = other;
            all.push_back({source, sample.event, json::serialize(changed)});
        }
        const auto* name = std::get_if<std::string>(&path.back());
        if (name == nullptr) continue;
        const Path parent(path.begin(), path.end() - 1);
        auto changed = whole;
        at(changed, parent).as_object().erase(*name);
        all.push_back({source, sample.event, json::serialize(changed)});
        changed = whole;
        at(changed, parent).as_object()["__twice__"] = 7;
        all.push_back({source, sample.event, with(json::serialize(changed), "__twice__", *name)});
    }
}

std::vector<Odd> all_oddities() {
    std::vector<Odd> all;
    for (const auto& sample : samples("gitea")) oddities("gitea", sample, all);
    for (const auto& sample : samples("plane")) oddities("plane", sample, all);
    for (const std::string source : {"gitea", "plane", "gitea/hello", "plane/hello", "plane/../etc", "x"})
        for (const std::string event : {"push", "issue", "workitem.updated", "pull_request", "status", ""}) {
            for (const std::string& body :
                 {std::string(), std::string("null"), std::string("[]"), std::string("{"), std::string(1'000'000, '['),
                  "{\"ref\":" + std::string(500'000, '['), std::string("{\"a\":\"\xff\"}"), std::string(100, '\0')})
                all.push_back({source, event, body});
        }
    return all;
}

TEST(OddPayloads, EveryFieldAsEveryTypeIsReadOrRefusedWithAReason_R40) {
    int read = 0, refused = 0;
    for (const auto& odd : all_oddities()) {
        const auto error = odd.source.starts_with("gitea")
                               ? forge::read_gitea_event(odd.event, odd.body).map([](const auto&) {})
                               : tracker::read_plane_event(odd.event, odd.body).map([](const auto&) {});
        ++(error ? read : refused);
        if (!error) {
            ASSERT_EQ(error.error().code, Errc::invalid_argument);
            ASSERT_FALSE(error.error().text.empty());
        }
    }
    EXPECT_GT(read, 10'000);
    EXPECT_GT(refused, 1'000);
}

TEST_F(IntakeTest, TenThousandOddDeliveriesEachEndWithAReasonAndStopNothing_R40) {
    scene.task("HELLO-1").in(Stage::development);
    auto all = all_oddities();
    const auto with_nul = std::erase_if(all, [](const Odd& odd) { return odd.body.find('\0') != std::string::npos; });
    EXPECT_GT(with_nul, 0U) << "which the listener refuses, and the store";
    std::shuffle(all.begin(), all.end(), std::mt19937(20260701));  // NOLINT(cert-msc51-cpp): the same ones in every run
    all.resize(10'000);
    world.warn = [](const std::string&, const std::string&) {};
    for (std::size_t first = 0; first < all.size(); first += 500) {
        std::vector<store::NewDelivery> batch;
        for (std::size_t n = first; n < first + 500; ++n)
            batch.push_back({.source = all[n].source,
                             .dedup_key = std::to_string(n),
                             .body_hash = "h",
                             .event = all[n].event,
                             .body = all[n].body,
                             .received_at = scene.now.utc_ms});
        (void)scene.write([&](store::Tx& tx) { return store::add_deliveries(tx, batch); });
        const auto taken = take_in();
        ASSERT_EQ(taken.done + taken.ignored + taken.failed, 500);
    }
    const auto counts = must(store::count_deliveries(scene.db));
    EXPECT_EQ(counts.pending, 0);
    EXPECT_GT(counts.done, 100);
    EXPECT_GT(counts.ignored, 100);
    EXPECT_GT(counts.failed, 100);
    for (const auto& d : must(store::list_deliveries(scene.db, {.limit = 10'000})))
        ASSERT_FALSE(d.outcome.empty() || d.outcome.size() > 500);
    EXPECT_TRUE(must(store::integrity_problems(scene.db)).empty());
    for (const auto& t : must(store::list_tasks(scene.db, {}))) EXPECT_TRUE(t.work_item.starts_with("HELLO-")) << t.work_item;
    EXPECT_EQ(taken("gitea", "push").state, DeliveryState::done) << "and it still works";
}

// The rows that deliveries become, as one text.
std::string facts(store::Db& db) {
    std::ostringstream text;
    for (const std::string sql :
         {"SELECT 'status', \"commit\", context, state, at FROM statuses ORDER BY 2, 3",
          "SELECT 'pull', number, head, state, at FROM pull_requests ORDER BY 2",
          "SELECT 'review', pull, reviewer, state, at FROM reviews ORDER BY 2, 3",
          "SELECT 'item', item, work_item, state, seen_at FROM tracker_items ORDER BY 2",
          "SELECT 'task', work_item, stage, hold, title FROM tasks ORDER BY 2",
          "SELECT 'job', role, status, count(*), '' FROM jobs WHERE kind <> 'advance' GROUP BY role, status",
          "SELECT 'verdict', gate, colour, by, '' FROM verdicts ORDER BY id"}) {
        auto statement = must(db.prepare(sql));
        must(statement.each([&](const store::Row& row) {
            for (int n = 0; n < 5; ++n) text << row.text(n) << ' ';
            text << '\n';
        }));
    }
    return text.str();
}

// What a task's day brings, with two statuses in one second.
std::vector<Odd> a_day() {
    std::vector<Odd> day;
    for (const std::string name :
         {"push", "status", "pull_request-opened", "pull_request_sync", "pull_request-merged", "pull_request_review_approved",
          "pull_request_review_rejected", "pull_request_review_comment", "delete", "workflow_run"}) {
        const auto s = sample("gitea", name);
        day.push_back({"gitea", s.event, s.body});
    }
    const auto status = sample("gitea", "status");
    day.push_back({"gitea", status.event,
                   with(with(status.body, "\"state\": \"success\"", "\"state\": \"pending\""), "\"id\": 55", "\"id\": 54")});
    day.push_back({"gitea", status.event, with(status.body, "ci/build", "ci/lint")});
    for (const std::string name : {"issue-created", "issue-renamed", "issue-started", "issue-approved", "issue_comment"}) {
        const auto s = sample("plane", name);
        day.push_back({"plane", s.event, s.body});
    }
    return day;
}

TEST_F(IntakeTest, R18AnyOrderAndAnyRepetitionComesToTheSameFacts) {
    std::mt19937 chance(7);  // NOLINT(cert-msc51-cpp): the same orders in every run
    std::string expected;
    for (int round = 0; round < 60; ++round) {
        auto day = a_day();
        if (round > 0) {
            const auto once = day;
            for (const auto& d : once)
                for (auto more = chance() % 3; more > 0; --more) day.push_back(d);
            std::shuffle(day.begin(), day.end(), chance);
        }
        const auto path = scene.folder / ("round-" + std::to_string(round) + ".db");
        store::Db db = must(store::Db::open(path, {.mode = store::Mode::create}));
        auto house = over(db);
        engine::Intake here(house, tracker, forge);
        int n = 0;
        for (const auto& d : day) {
            const store::NewDelivery delivery{.source = d.source,
                                              .dedup_key = std::to_string(n++),
                                              .body_hash = "h",
                                              .event = d.event,
                                              .body = d.body,
                                              .received_at = scene.now.utc_ms};
            (void)must(db.write([&](store::Tx& tx) { return store::add_deliveries(tx, std::span(&delivery, 1)); }));
            if (chance() % 2 == 0) (void)must(here.pass(100));
        }
        (void)must(here.pass(1000));
        ASSERT_EQ(must(store::count_deliveries(db)).pending, 0);
        if (round == 0) expected = facts(db);
        ASSERT_EQ(facts(db), expected) << "round " << round;
    }
    EXPECT_NE(expected.find("task HELLO-1 analysis"), std::string::npos) << expected;
    EXPECT_NE(expected.find("merged"), std::string::npos) << expected;
    EXPECT_NE(expected.find("ci/build green"), std::string::npos) << expected;
}

}  // namespace
}  // namespace orchd::support
