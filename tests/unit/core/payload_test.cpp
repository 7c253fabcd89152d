// R40: what a stranger sent is read or refused with the field that is wrong; it never ends a process.
#include "core/payload.h"

#include <gtest/gtest.h>

namespace orchd {
namespace {

Payload payload(std::string_view body) {
    auto parsed = Payload::parse(body);
    if (!parsed) throw std::runtime_error(parsed.error().text);
    return std::move(*parsed);
}
std::string problem(const Payload& p) { return p.problem() ? "" : p.problem().error().text; }

TEST(Payload, ReadsFieldsByTheirPath) {
    auto p = payload(R"({"a":{"b":{"t":"x","n":7,"f":true,"at":"2026-07-01T10:00:00Z"}},"nul":null})");
    EXPECT_EQ(p.text("a.b.t"), "x");
    EXPECT_EQ(p.number("a.b.n"), 7);
    EXPECT_TRUE(p.flag_if_any("a.b.f"));
    EXPECT_EQ(p.time_if_any("a.b.at"), 1'782'900'000'000);
    EXPECT_FALSE(p.has("nul"));
    EXPECT_FALSE(p.has("nul.inside"));
    EXPECT_FALSE(p.has("a.b.t.inside"));
    EXPECT_TRUE(p.is_object("a.b"));
    EXPECT_TRUE(p.is_text("a.b.t"));
    EXPECT_EQ(p.text_if_any("nowhere"), "");
    EXPECT_EQ(p.number_if_any("nowhere"), 0);
    EXPECT_EQ(problem(p), "");
}

TEST(Payload, KeepsTheFirstThingThatIsWrong) {
    auto p = payload(R"({"n":"7","t":7,"big":1e300,"half":0.5,"f":"yes","at":"yesterday","list":[]})");
    EXPECT_EQ(p.number("n"), 0);
    EXPECT_EQ(p.text("t"), "");
    EXPECT_EQ(problem(p), "n is a text, not a number");
    const auto alone = [](std::string_view body, auto read) {
        auto q = payload(body);
        (void)read(q);
        return problem(q);
    };
    EXPECT_EQ(alone(R"({"t":[]})", [](Payload& q) { return q.text("t"); }), "t is a list, not a text");
    EXPECT_EQ(alone(R"({})", [](Payload& q) { return q.text("a.b"); }), "a.b is missing");
    EXPECT_EQ(alone(R"({"a":7})", [](Payload& q) { return q.text("a.b"); }), "a.b is missing");
    EXPECT_EQ(alone(R"({"n":1e300})", [](Payload& q) { return q.number("n"); }), "n is no whole number");
    EXPECT_EQ(alone(R"({"n":0.5})", [](Payload& q) { return q.number("n"); }), "n is no whole number");
    EXPECT_EQ(alone(R"({"f":"yes"})", [](Payload& q) { return q.flag_if_any("f"); }), "f is a text, not true or false");
    EXPECT_EQ(alone(R"({"t":"a\u0000b"})", [](Payload& q) { return q.text("t"); }), "t has a NUL character");
    EXPECT_EQ(alone(R"({"at":"yesterday"})", [](Payload& q) { return q.time_if_any("at"); }), "at is no time");
}

TEST(Payload, ATimeThatWasNeverSetIsNotTold) {
    auto p = payload(R"({"go":"0001-01-01T00:00:00Z","none":null})");
    EXPECT_EQ(p.time_if_any("go"), 0);
    EXPECT_EQ(p.time_if_any("none"), 0);
    EXPECT_EQ(problem(p), "");
}

TEST(Payload, RefusesWhatIsNoBoundedJsonObject) {
    const std::string deep(Payload::max_depth + 2, '['), bomb(1'000'000, '[');
    for (const auto& body : {std::string(), std::string("{"), std::string("[]"), std::string("7"), std::string("null"),
                             std::string("{\"a\":\"\xff\"}"), std::string("{} {}"), std::string("{'a':1}"), "{\"a\":" + deep,
                             "{\"a\":" + bomb, std::string("\xef\xbb\xbf{}")})
        EXPECT_FALSE(Payload::parse(body)) << body.substr(0, 40);
    std::string just = "{\"a\":";
    for (int i = 1; i < Payload::max_depth; ++i) just += '[';
    for (int i = 1; i < Payload::max_depth; ++i) just += ']';
    EXPECT_TRUE(Payload::parse(just + '}'));
}

TEST(Payload, TimesOfEveryShapeAreUtcMilliseconds) {
    EXPECT_EQ(parse_time("1970-01-01T00:00:00Z"), 0);
    EXPECT_EQ(parse_time("2026-07-01T10:00:00.123456Z"), 1'782'900'000'123);
    EXPECT_EQ(parse_time("2026-07-01T12:00:00.5+02:00"), 1'782'900'000'500);
    EXPECT_EQ(parse_time("2026-07-01T08:30:00-01:30"), 1'782'900'000'000);
    EXPECT_EQ(parse_time("2024-02-29T00:00:00Z"), 1'709'164'800'000);
    for (const auto* odd : {"", "2026-07-01", "2026-07-01T10:00:00", "2026-13-01T10:00:00Z", "2023-02-29T00:00:00Z",
                            "2026-07-01T24:00:00Z", "0001-01-01T00:00:00Z", "2026-07-01T10:00:00.Z", "2026-07-01 10:00:00Z",
                            "2026-07-01T10:00:00+2:00", "1970-01-01T00:00:00+01:00", "2026-07-01T10:00:00Zx"})
        EXPECT_EQ(parse_time(odd), std::nullopt) << odd;
}

TEST(Payload, TextOfStrangersIsFitForATerminal) {
    EXPECT_EQ(one_line("a\x1b[1m\r\nb", 100), "a [1m  b");
    EXPECT_EQ(many_lines("a\x1b\n\tb", 100), "a \n\tb");
    EXPECT_EQ(one_line("tomorrow\r\n", 100), "tomorrow");
    EXPECT_EQ(one_line("gr\xc3\xbc\xc3\x9f", 3), "gr") << "never half a character";
    EXPECT_EQ(one_line("gr\xc3\xbc\xc3\x9f", 4), "gr\xc3\xbc");
    EXPECT_EQ(one_line("\x80\x80\x80", 2), "");
}

}  // namespace
}  // namespace orchd
