// The history as server-sent events (R37).
#include "views/events.h"

#include <boost/json.hpp>

#include "fixture.h"

namespace orchd::views {
namespace {

namespace json = boost::json;

class EventsTest : public ViewsTest {
protected:
    std::int64_t append(const std::string& kind, const std::string& data = "{}", std::optional<std::int64_t> of = {}) {
        return write([&](Tx& tx) {
            return store::append_event(
                tx, {.at = now.utc_ms, .actor = "worker", .task_id = of, .job_id = {}, .kind = kind, .data = data});
        });
    }
};

TEST_F(EventsTest, EachEventIsOneMessageWithItsId) {
    const auto a = task("HELLO-1");
    const auto id = append("alert", R"({"text":"two\nlines"})", a);
    const auto page = must(events_after(db, 0, 64 << 10));
    EXPECT_EQ(page.last, id);
    const auto begin = "id: " + std::to_string(id) + "\ndata: ";
    ASSERT_TRUE(page.text.starts_with(begin)) << page.text;
    ASSERT_TRUE(page.text.ends_with("\n\n"));
    const auto body = page.text.substr(begin.size(), page.text.size() - begin.size() - 2);
    EXPECT_EQ(body.find('\n'), std::string::npos) << "a line feed would end the message";
    const auto event = json::parse(body).as_object();
    EXPECT_EQ(event.at("kind").as_string(), "alert");
    EXPECT_EQ(event.at("work_item").as_string(), "HELLO-1");
    EXPECT_EQ(event.at("data").as_object().at("text").as_string(), "two\nlines");
}

TEST_F(EventsTest, PagesFollowOneAnotherWithoutGapOrRepetition) {
    std::vector<std::int64_t> ids;
    for (int n = 0; n < 500; ++n) ids.push_back(append("k" + std::to_string(n)));
    std::vector<std::int64_t> seen;
    for (EventPage page{{}, 0};;) {
        page = must(events_after(db, page.last, 4096));
        if (page.text.empty()) break;
        EXPECT_LE(page.text.size(), 4096U);
        for (std::size_t at = 0; (at = page.text.find("id: ", at)) != std::string::npos; ++at)
            seen.push_back(std::stoll(page.text.substr(at + 4)));
    }
    EXPECT_EQ(seen, ids);
}

TEST_F(EventsTest, AnEventThatIsLargerThanAPageIsToldAlone) {
    const auto large = append("large", R"({"text":")" + std::string(10'000, 'x') + R"("})");
    const auto next = append("next");
    auto page = must(events_after(db, 0, 1024));
    EXPECT_EQ(page.last, large);
    page = must(events_after(db, page.last, 1024));
    EXPECT_EQ(page.last, next);
    EXPECT_EQ(must(events_after(db, next, 1024)).last, next);
}

}  // namespace
}  // namespace orchd::views
