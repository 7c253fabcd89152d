// R34, R40: what each webhook of Plane tells, of every version, and that none that is odd tells more.
#include "tracker/plane_events.h"

#include <gtest/gtest.h>

#include "support/corpus.h"

namespace orchd::tracker {
namespace {

using support::sample;
using support::with;

Event read(const std::string& event, const std::string& body) {
    auto told = read_plane_event(event, body);
    if (!told) throw std::runtime_error(told.error().text);
    return *told;
}
Event read(const std::string& name) {
    const auto s = sample("plane", name);
    return read(s.event, s.body);
}
std::string refusal(const std::string& event, const std::string& body) {
    const auto told = read_plane_event(event, body);
    return told ? "" : told.error().text;
}

TEST(PlaneEvents, VersionOneTellsTheWholeItem) {
    const auto event = read("issue-approved");
    EXPECT_EQ(event.project, "4af68566-94a4-4eb3-94aa-50dc9427067b");
    const auto told = std::get<ItemTold>(event.what);
    EXPECT_EQ(told.item.id, "8f4c2b1e-0c6a-4d5b-9a57-0242ac120002");
    EXPECT_EQ(told.item.project, event.project);
    EXPECT_EQ(told.item.number, 1);
    EXPECT_EQ(told.item.title, "Fix login");
    EXPECT_EQ(told.item.description, "Nobody can log in & out.\n- try it");
    EXPECT_EQ(told.item.state.name, "Approved");
    EXPECT_EQ(told.item.state.group, "started");
    EXPECT_EQ(told.item.at, 1'782'900'600'123);
    EXPECT_EQ(told.by, "ada");
    EXPECT_TRUE(told.state_changed) << "the web app's field is state_id";
}

TEST(PlaneEvents, TellsAChangeOfTheStateFromAnother) {
    EXPECT_TRUE(std::get<ItemTold>(read("issue-created").what).state_changed);
    EXPECT_TRUE(std::get<ItemTold>(read("issue-rejected").what).state_changed);
    EXPECT_FALSE(std::get<ItemTold>(read("issue-renamed").what).state_changed);
    EXPECT_TRUE(std::get<ItemTold>(read("issue-before-0.20").what).state_changed) << "it did not say of what";
}

TEST(PlaneEvents, VersionTwoTellsIdsAlone) {
    const auto created = std::get<ItemTold>(read("v2-created").what);
    EXPECT_EQ(created.item.state.id, "11111111-94a4-4eb3-94aa-50dc94270001");
    EXPECT_EQ(created.item.state.name, "");
    EXPECT_TRUE(created.state_changed);
    EXPECT_EQ(created.item.number, 1);
    const auto updated = std::get<ItemTold>(read("v2-updated").what);
    EXPECT_TRUE(updated.state_changed);
    EXPECT_EQ(updated.item.at, 0) << "null as the text None";
    EXPECT_EQ(updated.by, "somebody");
}

TEST(PlaneEvents, AStateMayBeItsIdAlone) {
    const auto s = sample("plane", "issue-approved");
    const auto at = s.body.find("\"state\": {");
    auto bare = s.body;
    bare.replace(at, s.body.find('}', at) + 1 - at, "\"state\": \"11111111-94A4-4eb3-94aa-50dc94270003\"");
    EXPECT_EQ(std::get<ItemTold>(read(s.event, bare).what).item.state.id, "11111111-94a4-4eb3-94aa-50dc94270003");
}

TEST(PlaneEvents, WhatNothingDependsOnSaysSo) {
    for (const std::string name : {"issue-deleted", "issue_comment", "v2-deleted"})
        EXPECT_FALSE(std::get<Nothing>(read(name).what).why.empty()) << name;
    for (const std::string event : {"project", "cycle", "module", "", "workitem.relation.created", "x\x1b"})
        EXPECT_TRUE(std::holds_alternative<Nothing>(read(event, "{}").what)) << event;
    const auto s = sample("plane", "issue-created");
    EXPECT_TRUE(std::holds_alternative<Nothing>(read(s.event, with(s.body, "\"is_draft\": false", "\"is_draft\": true")).what));
    EXPECT_TRUE(std::holds_alternative<Nothing>(
        read(s.event, with(s.body, "\"archived_at\": null", "\"archived_at\": \"2026-07-01\"")).what));
    EXPECT_TRUE(std::holds_alternative<ItemTold>(read("", s.body).what)) << "without a header the body's own word";
}

TEST(PlaneEvents, WhatIsDoneToAPartOfTheItemIsNotDoneToTheItem) {
    const auto s = sample("plane", "issue-created");
    const auto told = [&](const std::string& action, const std::string& field) {
        return read(s.event, with(with(s.body, "\"action\": \"created\"", "\"action\": \"" + action + "\""), "\"field\": null",
                                  "\"field\": " + field))
            .what;
    };
    EXPECT_TRUE(std::get<ItemTold>(told("created", "null")).state_changed);
    EXPECT_TRUE(std::get<ItemTold>(told("updated", "\"state\"")).state_changed);
    for (const std::string action : {"created", "updated", "removed"})  // a link, an estimate: versions 0.20 to 0.25
        EXPECT_FALSE(std::get<ItemTold>(told(action, "\"link\"")).state_changed) << action;
    const auto why = [&](const std::string& field) { return std::get<Nothing>(told("deleted", field)).why; };
    EXPECT_EQ(why("\"attachment\""), "something of the work item was deleted");
    EXPECT_EQ(why("\"issue\""), why("null"));
    EXPECT_NE(why("\"issue\""), why("\"link\""));
}

TEST(PlaneEvents, AnItemMayStandInNoState) {
    const auto s = sample("plane", "issue-created");
    const auto at = s.body.find("\"state\": {");
    auto none = s.body;
    none.replace(at, s.body.find('}', at) + 1 - at, "\"state\": null");
    EXPECT_EQ(std::get<Nothing>(read(s.event, none).what).why, "the work item stands in no state");
}

TEST(PlaneEvents, WhatMattersAndIsWrongIsRefusedByItsField_R40) {
    const auto s = sample("plane", "issue-created");
    const auto refused = [&](const std::string& from, const std::string& to) {
        return refusal(s.event, with(s.body, from, to));
    };
    EXPECT_EQ(refused("\"sequence_id\": 1", "\"sequence_id\": \"1\""), "data.sequence_id is a text, not a number");
    EXPECT_EQ(refused("\"sequence_id\": 1", "\"sequence_id\": null"), "data.sequence_id is missing");
    EXPECT_EQ(refused("\"action\": \"created\"", "\"action\": 7"), "action is a number, not a text");
    EXPECT_EQ(refused("\"group\": \"unstarted\"", "\"group\": \"misc\""), "data.state.group is no group of states");
    EXPECT_EQ(refused("\"id\": \"8f4c2b1e-0c6a-4d5b-9a57-0242ac120002\"", "\"id\": \"../x\""), "data.id is no UUID");
    EXPECT_EQ(refusal("issue", "{}"), "action is missing");
}

TEST(PlaneEvents, TitlesOfStrangersAreOneLine) {
    const auto s = sample("plane", "issue-created");
    const auto told = read(s.event, with(s.body, "\"Fix login\"", "\"Fix\\u001b[1m\\nlogin" + std::string(600, 'x') + "\""));
    EXPECT_EQ(std::get<ItemTold>(told.what).item.title.substr(0, 13), "Fix [1m login");
    EXPECT_EQ(std::get<ItemTold>(told.what).item.title.size(), 500U);
}

TEST(PlaneEvents, HtmlBecomesText) {
    EXPECT_EQ(text_of_html("<p>a</p><P>b<br/>c</P>"), "a\nb\nc");
    EXPECT_EQ(text_of_html("1 &lt; 2 &amp;&amp; &quot;x&#39;"), "1 < 2 && \"x'");
    EXPECT_EQ(text_of_html("<ul><li>one</li><li>two</li></ul>"), "- one\n- two");
    EXPECT_EQ(text_of_html("<script>x"), "x");
    EXPECT_EQ(text_of_html("open <tag"), "open");
    EXPECT_EQ(text_of_html(""), "");
}

}  // namespace
}  // namespace orchd::tracker
