// Stored words and error faces: each has one text, and each text one meaning.
#include "core/words.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

#include "core/error.h"

namespace orchd {
namespace {

template <class E>
void expect_both_ways() {
    std::set<std::string_view> texts;
    for (std::size_t i = 0; i < enum_text<E>.size(); ++i) {
        const auto value = static_cast<E>(i);
        EXPECT_FALSE(to_text(value).empty());
        EXPECT_TRUE(texts.insert(to_text(value)).second) << to_text(value);
        EXPECT_EQ(from_text<E>(to_text(value)), value);
    }
    EXPECT_FALSE(from_text<E>("nonsense"));
    EXPECT_FALSE(from_text<E>(""));
}

TEST(Words, TurnToTextAndBack) {
    expect_both_ways<Stage>();
    expect_both_ways<Hold>();
    expect_both_ways<Role>();
    expect_both_ways<JobKind>();
    expect_both_ways<JobStatus>();
    expect_both_ways<ExitKind>();
    expect_both_ways<Colour>();
    expect_both_ways<Gate>();
    expect_both_ways<EffectState>();
}

TEST(Errors, HaveAFaceOfTheirOwnAtEachBorder) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Errc::internal); ++i) {
        const auto code = static_cast<Errc>(i);
        EXPECT_EQ(face(code).code, code);
        EXPECT_TRUE(names.insert(face(code).dbus_name).second);
        EXPECT_EQ(errc_from_dbus(face(code).dbus_name), code);
        EXPECT_GT(face(code).exit_status, 0);
        EXPECT_GE(face(code).http_status, 400);
    }
    EXPECT_EQ(errc_from_dbus("org.freedesktop.DBus.Error.NoReply"), Errc::internal);
}

}  // namespace
}  // namespace orchd
