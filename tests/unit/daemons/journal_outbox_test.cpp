#include "daemons/journal_outbox.h"

#include <gtest/gtest.h>
#include <cstdlib>
#include <filesystem>

#include "host/host.h"
#include "store/facts.h"

namespace orchd::daemons {
namespace {

// Standard error stands for the journal, as in every process that is no unit.
class JournalOutboxTest : public testing::Test {
protected:
    JournalOutboxTest()
        : db_(open()),
          world_{.db = db_,
                 .now = host::now,
                 .settings = settings_,
                 .projects = projects_,
                 .paths = {},
                 .actor = "worker",
                 .open_mirror = {},
                 .open_forge = {},
                 .random = host::random_unit} {
        unsetenv("JOURNAL_STREAM");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void post(const std::string& channel, const std::string& key, const std::string& body) {
        const auto posted = db_.write([&](store::Tx& tx) { return store::post(tx, channel, key, body, host::now()); });
        ASSERT_TRUE(posted.has_value() && *posted);
    }
    // What came out, and whether there may be more.
    std::string delivered(bool& more) {
        testing::internal::CaptureStderr();
        const auto result = deliver_to_journal(world_);
        auto out = testing::internal::GetCapturedStderr();
        more = result.value_or(false);
        return result ? out : result.error().text;
    }

private:
    store::Db open() {
        std::string pattern = (std::filesystem::temp_directory_path() / "orchd-outbox-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        store::OpenOptions options;
        options.mode = store::Mode::create;
        return std::move(*store::Db::open(folder_ + "/orchd.db", options));
    }
    std::string folder_;
    store::Db db_;
    settings::Settings settings_;
    settings::Projects projects_;
    engine::World world_;
};

TEST_F(JournalOutboxTest, WritesEachRecordOnceAndLeavesOtherChannelsAlone) {
    post("journal", "one",
         R"({"message_id":"6d0c0b7c5b0a4e0e9a1f4a8f2f6b1a02","text":"approve A-1","task":"A-1","project":"a"})");
    post("messenger", "two", R"({"text":"not for the journal"})");
    bool more = true;
    EXPECT_EQ(delivered(more), "<5>approve A-1\n");
    EXPECT_FALSE(more);
    EXPECT_EQ(delivered(more), "");
}

TEST_F(JournalOutboxTest, WarnsOfWhatIsUrgent) {
    post("journal", "one", R"({"message_id":"6d0c0b7c5b0a4e0e9a1f4a8f2f6b1a07","text":"look","task":"A-1","project":"a"})");
    bool more = false;
    EXPECT_EQ(delivered(more), "<4>look\n");
}

TEST_F(JournalOutboxTest, GoesOnAfterARowThatCannotBeRead) {
    post("journal", "one", R"(["no object"])");
    post("journal", "two", R"({"text":"fine"})");
    bool more = false;
    EXPECT_NE(delivered(more).find("<5>fine\n"), std::string::npos);
    EXPECT_EQ(delivered(more), "");
}

TEST_F(JournalOutboxTest, SaysWhenThereMayBeMore) {
    for (int i = 0; i < 33; ++i) post("journal", std::to_string(i), R"({"text":"x"})");
    bool more = false;
    (void)delivered(more);
    EXPECT_TRUE(more);
    EXPECT_EQ(delivered(more), "<5>x\n");
    EXPECT_FALSE(more);
}

}  // namespace
}  // namespace orchd::daemons
