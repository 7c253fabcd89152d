// R03: the machine verdict is the front-matter key; whatever is missing, unknown, doubled or contradictory is never green.
#include "core/front_matter.h"

#include <gtest/gtest.h>

namespace orchd {
namespace {

using Keys = std::map<std::string, std::string>;

std::string file(const std::string& yaml) { return "---\n" + yaml + "---\n\n# Prose\n"; }

void expect_refused(const std::string& text, const std::string& because) {
    const auto keys = front_matter(text);
    ASSERT_FALSE(keys) << text;
    EXPECT_EQ(keys.error().code, Errc::invalid_argument);
    EXPECT_NE(keys.error().text.find(because), std::string::npos) << keys.error().text;
}

TEST(FrontMatter, R03_GivesTheScalarsOfTheTopLevel) {
    const auto keys =
        front_matter(file("verdict: APPROVED\nby: \"a: b\"\nn: 3\nempty:\ntilde: ~\nlist: [1, 2]\nmap: {a: 1}\nlast: x\n"));
    ASSERT_TRUE(keys);
    EXPECT_EQ(*keys, (Keys{{"verdict", "APPROVED"}, {"by", "a: b"}, {"n", "3"}, {"empty", ""}, {"tilde", ""}, {"last", "x"}}));
}

TEST(FrontMatter, R03_ReadsCarriageReturnsAndAByteOrderMark) {
    EXPECT_EQ(*front_matter("---\r\nverdict: APPROVED\r\n---\r\nText\r\n"), (Keys{{"verdict", "APPROVED"}}));
    EXPECT_EQ(*front_matter("\xEF\xBB\xBF---\nverdict: APPROVED\n---\n"), (Keys{{"verdict", "APPROVED"}}));
    EXPECT_EQ(*front_matter("--- \t\nverdict: APPROVED\n---"), (Keys{{"verdict", "APPROVED"}}));
}

TEST(FrontMatter, R03_DoesNotReadTheProse) {
    EXPECT_EQ(*front_matter("---\nresult: FAIL\n---\nresult: PASS\n---\nresult: PASS\n---\n"), (Keys{{"result", "FAIL"}}));
}

TEST(FrontMatter, R03_RefusesAFileWithoutOne) {
    expect_refused("", "no front matter");
    expect_refused("verdict: APPROVED\n", "no front matter");
    expect_refused("\n---\nverdict: APPROVED\n---\n", "no front matter");
    expect_refused(" ---\nverdict: APPROVED\n---\n", "no front matter");
    expect_refused("----\nverdict: APPROVED\n----\n", "no front matter");
    expect_refused("\xFF\xFE---\nverdict: APPROVED\n---\n", "no front matter");
}

TEST(FrontMatter, R03_RefusesOneWithoutAnEnd) {
    expect_refused("---", "no end");
    expect_refused("---\nverdict: APPROVED\n", "no end");
    expect_refused("---\nverdict: APPROVED\n ---\n", "no end");
}

TEST(FrontMatter, R03_RefusesAKeyThatStandsTwiceAtAnyLevel) {
    expect_refused(file("verdict: REQUEST_CHANGES\nverdict: APPROVED\n"), "\"verdict\" stands twice");
    expect_refused(file("verdict: APPROVED\n\"verdict\": APPROVED\n"), "stands twice");
    expect_refused(file("a: {b: 1, b: 2}\nverdict: APPROVED\n"), "\"b\" stands twice");
    expect_refused(file("a:\n  - {b: 1}\n  - c: 1\n    c: 2\n"), "\"c\" stands twice");
    EXPECT_TRUE(front_matter(file("a: {b: 1}\nb: {b: 1, c: {b: 2}}\nlist: [{b: 1}, {b: 2}]\n"))) << "not the same map";
}

TEST(FrontMatter, R03_RefusesAnchorsAliasesAndTags) {
    expect_refused(file("a: &x APPROVED\nverdict: b\n"), "anchor");
    expect_refused(file("a: &x {b: 1}\n"), "anchor");
    expect_refused(file("a: &x [b]\n"), "anchor");
    expect_refused(file("a: &x\n"), "anchor");
    expect_refused(file("&x a: b\nc: *x\n"), "anchor");
    expect_refused(file("c: *x\n"), "");
    expect_refused(file("verdict: !!str APPROVED\n"), "tag");
    expect_refused(file("verdict: !python/object:x {}\n"), "tag");
}

TEST(FrontMatter, R03_RefusesWhatDoesNotParse) {
    expect_refused(file("verdict: [APPROVED\n"), "does not parse");
    expect_refused(file("verdict: APPROVED\n  nested: x\n"), "does not parse");
    expect_refused(file("\"open\n"), "");
    expect_refused(file("verdict: a: b\n"), "does not parse");
}

TEST(FrontMatter, R03_RefusesWhatIsNoMapping) {
    expect_refused(file(""), "not a mapping");
    expect_refused(file("# only a comment\n"), "not a mapping");
    expect_refused(file("APPROVED\n"), "not a mapping");
    expect_refused(file("- verdict: APPROVED\n"), "not a mapping");
    expect_refused(file("? [a, b]\n: c\n"), "key");
    expect_refused(file("? {a: b}\n: c\n"), "key");
    expect_refused(file("~: c\n"), "key");
}

TEST(FrontMatter, R03_RefusesASecondDocument) {
    expect_refused(file("verdict: APPROVED\n...\nverdict: REQUEST_CHANGES\n"), "");
}

TEST(FrontMatter, R03_RefusesControlCharactersThatWouldEndTheReadingEarly) {
    expect_refused(file("verdict: APPROVED\n\x04\nverdict: REQUEST_CHANGES\n"), "control character");
    expect_refused(file(std::string("verdict: APPROVED\n\0\n", 20)), "control character");
    expect_refused(file("verdict: \x1b[2KAPPROVED\n"), "control character");
    expect_refused(file("verdict: APPROVED\x7f\n"), "control character");
}

TEST(FrontMatter, R03_RefusesANulHoweverItIsWritten) {
    for (const auto* text : {"verdict: \"APPROVED\\0\"\n", "verdict: \"APPROVED\\x00\"\n", "\"verdict\\0\": APPROVED\n"})
        expect_refused(file(text), "NUL character");
}

TEST(FrontMatter, R03_RefusesMoreThanSixtyFourKiB) {
    const std::string line = "verdict: APPROVED\n#";
    const auto of_size = [&](std::size_t size) { return file(line + std::string(size - line.size() - 1, 'x') + "\n"); };
    EXPECT_TRUE(front_matter(of_size(64u << 10)));
    expect_refused(of_size((64u << 10) + 1), "64 KiB");
    EXPECT_TRUE(front_matter("---\nverdict: APPROVED\n---\n" + std::string(1u << 20, 'x'))) << "the prose may be longer";
}

TEST(FrontMatter, R03_SurvivesDeepNesting) {
    for (const char open : {'[', '{'}) EXPECT_FALSE(front_matter(file("a: " + std::string(60'000, open) + "\n")));
    EXPECT_FALSE(front_matter(file(std::string(20'000, '-') + "\n")));
}

struct Case {
    Artefact artefact;
    const char* yaml;
    Colour colour;
    bool unusable;
};
class VerdictOf : public ::testing::TestWithParam<Case> {};
TEST_P(VerdictOf, R03_IsReadFromItsKeyAlone) {
    const auto& [artefact, yaml, colour, unusable] = GetParam();
    const auto found = verdict(artefact, file(yaml));
    EXPECT_EQ(found.colour, colour) << to_text(artefact) << '\n' << yaml << found.reason;
    EXPECT_EQ(found.unusable, unusable) << yaml;
    EXPECT_NE(found.reason.find(to_text(artefact)), std::string::npos) << found.reason;
}
using enum Artefact;
constexpr auto green = Colour::green;
constexpr auto red = Colour::red;
INSTANTIATE_TEST_SUITE_P(
    AllOf, VerdictOf,
    ::testing::Values(
        Case{analysis, "status: READY\n", green, false}, Case{analysis, "status: DRAFT\n", red, true},
        Case{analysis, "status: ready\n", red, true}, Case{analysis, "Status: READY\n", red, true},
        Case{analysis, "status:\n", red, true}, Case{analysis, "status: [READY]\n", red, true},
        Case{analysis, "a: {status: READY}\n", red, true}, Case{architecture, "status: READY\n", green, false},
        Case{architecture, "verdict: READY\n", red, true}, Case{review, "verdict: APPROVED\n", green, false},
        Case{review, "verdict: REQUEST_CHANGES\n", red, false}, Case{review, "verdict: LGTM\n", red, true},
        Case{review, "status: APPROVED\n", red, true}, Case{review, "verdict: REQUEST_CHANGES\nverdict: APPROVED\n", red, true},
        Case{test_report, "result: PASS\nstatus: PASS\nverdict: PASS\n", green, false},
        Case{test_report, "result: PASS\n", green, false},
        Case{test_report, "result: FAIL\nstatus: FAIL\nverdict: FAIL\n", red, false},
        Case{test_report, "result: FAIL\n", red, false}, Case{test_report, "result: PASS\nstatus: FAIL\n", red, true},
        Case{test_report, "result: PASS\nstatus: PASS\nverdict: FAIL\n", red, true},
        Case{test_report, "result: FAIL\nstatus: PASS\n", red, true},
        Case{test_report, "result: PASS\nverdict: APPROVED\n", red, true},
        Case{test_report, "status: PASS\nverdict: PASS\n", red, true},
        Case{deploy_log, "deploy_status: SUCCESS\n", green, false}, Case{deploy_log, "deploy_status: FAILED\n", red, false},
        Case{deploy_log, "deploy_status: PASS\n", red, true}, Case{staging_log, "staging_status: SUCCESS\n", green, false},
        Case{staging_log, "staging_status: FAILED\n", red, false},
        Case{post_deploy_log, "post_deploy_status: HEALTHY\n", green, false},
        Case{post_deploy_log, "post_deploy_status: DEGRADED\n", red, false},
        Case{post_deploy_log, "post_deploy_status: UNKNOWN\n", red, true}));

TEST(Verdict, R03_AMissingFileAndProseAloneAreUnusable) {
    for (const auto artefact : {analysis, architecture, review, test_report, deploy_log, staging_log, post_deploy_log}) {
        const auto missing = verdict(artefact, std::nullopt);
        EXPECT_EQ(missing.colour, Colour::red);
        EXPECT_TRUE(missing.unusable);
        const auto prose = verdict(artefact, "verdict: APPROVED, result: PASS, status: READY\n");
        EXPECT_EQ(prose.colour, Colour::red);
        EXPECT_TRUE(prose.unusable);
    }
}

TEST(Verdict, R03_AReasonNeverRepeatsALongTextOfAStranger) {
    const auto found = verdict(review, file("verdict: " + std::string(5000, 'x') + "\n"));
    EXPECT_EQ(found.colour, Colour::red);
    EXPECT_LT(found.reason.size(), 200u);
}

TEST(Artefacts, LieInTheFolderOfTheirWorkItem) {
    EXPECT_EQ(artefact_folder("ORCH-053"), "docs/work-items/ORCH-053");
    EXPECT_EQ(artefact_path("ORCH-053", review), "docs/work-items/ORCH-053/12-review.md");
}

}  // namespace
}  // namespace orchd
