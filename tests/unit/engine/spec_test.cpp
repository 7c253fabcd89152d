#include <gtest/gtest.h>

#include "engine/spec.h"

namespace orchd::engine {
namespace {

Spec sample() {
    return {.run_id = 7,
            .work_item = "HELLO-1",
            .project = "hello",
            .stage = "deploy-staging",
            .role = Role::staging,
            .kind = JobKind::check,
            .branch = "task/HELLO-1",
            .commit = "c0ffee",
            .base = "beef",
            .command = {"./stage", "--with \"quotes\"", "\n"},
            .timeout_s = 900,
            .release = "/run/orchd/releases/hello/c0ffee.tar",
            .config = "/etc/orchd/deploy.d/hello.conf"};
}

TEST(SpecTest, IsReadAsItWasWritten) {
    const auto spec = spec_from_json(to_json(sample())).value();
    EXPECT_EQ(to_json(spec), to_json(sample()));
    EXPECT_EQ(spec.command, sample().command);
    EXPECT_EQ(spec.role, Role::staging);
    EXPECT_EQ(spec.timeout_s, 900);
}

TEST(SpecTest, SaysWhatIsWrongWithIt) {
    EXPECT_FALSE(spec_from_json(""));
    EXPECT_FALSE(spec_from_json("[]"));
    auto text = to_json(sample());
    text.replace(text.find("\"staging\""), 9, "\"wizard\"");
    EXPECT_NE(spec_from_json(text).error().text.find("\"role\""), std::string::npos);
    text = to_json(sample());
    text.replace(text.find("900"), 3, "\"9\"");
    EXPECT_NE(spec_from_json(text).error().text.find("\"timeout_s\""), std::string::npos);
    EXPECT_EQ(spec_from_json("{}").error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace orchd::engine
