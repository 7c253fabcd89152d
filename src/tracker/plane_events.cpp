#include "tracker/plane_events.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "core/payload.h"
#include "core/shapes.h"

namespace orchd::tracker {
namespace {

constexpr std::size_t max_name = 255, max_title = 500, max_description = 200 * 1024;

using What = decltype(Event::what);

// An id as Plane makes them: a UUID, taken in lower case.
std::string id(Payload& in, std::string_view path) {
    auto found = in.text(path);
    if (!is_uuid(found)) in.refuse(path, "is no UUID");
    std::ranges::transform(found, found.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return found;
}

// The documentation's samples of version 2 show null as the text "None".
std::string text_if_told(Payload& in, std::string_view path) {
    auto found = in.text_if_any(path);
    return found == "None" ? std::string() : found;
}

std::string by(Payload& in) {
    for (const auto* path :
         {"activity.actor.display_name", "activity.actor.email", "activity.actor.id", "data.updated_by", "data.created_by"})
        if (auto name = in.is_text(path) ? one_line(in.text(path), max_name) : std::string(); !name.empty()) return name;
    return "somebody";
}

void read_text(Payload& in, Item& item) {
    item.title = one_line(text_if_told(in, "data.name"), max_title);
    auto description = text_if_told(in, "data.description_stripped");
    if (description.empty()) description = text_of_html(text_if_told(in, "data.description_html"));
    item.description = many_lines(description, max_description);
}

// The groups that an unknown word is none of; the tracker's table has no others.
std::string group(Payload& in, std::string_view path) {
    auto word = in.text_if_any(path);
    constexpr std::array<std::string_view, 6> known{"backlog", "unstarted", "started", "completed", "cancelled", "triage"};
    if (!word.empty() && std::ranges::find(known, word) == known.end()) in.refuse(path, "is no group of states");
    return word;
}

// Of version 1: an object; where a version leaves it unexpanded, its id.
State state_of(Payload& in) {
    if (!in.is_object("data.state")) return {id(in, "data.state"), {}, {}};
    return {id(in, "data.state.id"), one_line(in.text_if_any("data.state.name"), max_name), group(in, "data.state.group")};
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
}

// Versions 0.20 to 0.25 call it "created", "removed" or "deleted" as well where that was done to a link, an attachment or the
// like, which the field then names. So of the action only as much is taken as concerns the item itself.
What issue_v1(Payload& payload, std::string& project) {
    const auto action = payload.text("action");
    const auto field = payload.is_text("activity.field") ? payload.text_if_any("activity.field") : std::string();
    const bool of_item = field.empty() || field == "issue";
    if (one_of(action, {"deleted", "delete"}))
        return Nothing{of_item ? "the work item was deleted: cancel its task where there is one"
                               : "something of the work item was deleted"};
    ItemTold told;
    told.item.id = id(payload, "data.id");
    project = told.item.project = id(payload, "data.project");
    told.item.number = payload.number("data.sequence_id");
    told.item.at = payload.time_if_any("data.updated_at");
    if (!payload.has("data.state")) return Nothing{"the work item stands in no state"};
    told.item.state = state_of(payload);
    read_text(payload, told.item);
    told.by = by(payload);
    // Before 0.20 an update did not say of what.
    told.state_changed =
        (of_item && one_of(action, {"created", "create"})) || one_of(field, {"state", "state_id"}) || !payload.has("activity");
    if (payload.flag_if_any("data.is_draft")) return Nothing{"the work item is a draft"};
    if (payload.has("data.archived_at")) return Nothing{"the work item is archived"};
    return told;
}

What workitem_v2(Payload& payload, std::string_view event, std::string& project) {
    if (one_of(event, {"workitem.deleted", "workitem.archived"}))
        return Nothing{"the work item is gone: cancel its task where there is one"};
    ItemTold told;
    told.item.id = id(payload, payload.has("entity_id") ? "entity_id" : "data.id");
    project = told.item.project = id(payload, payload.has("data.project_id") ? "data.project_id" : "data.project");
    told.item.number = payload.number("data.sequence_id");
    told.item.state = payload.has("data.state_id") ? State{id(payload, "data.state_id"), {}, {}} : state_of(payload);
    told.item.at = text_if_told(payload, "data.updated_at").empty() ? 0 : payload.time_if_any("data.updated_at");
    read_text(payload, told.item);
    told.by = by(payload);
    told.state_changed =
        event == "workitem.created" || payload.has("previous_attributes.state_id") || payload.has("previous_attributes.state");
    return told;
}

bool take(std::string_view& text, std::string_view prefix) {
    const bool there = text.size() >= prefix.size() &&
                       std::equal(prefix.begin(), prefix.end(), text.begin(),
                                  [](char wanted, unsigned char c) { return wanted == static_cast<char>(std::tolower(c)); });
    if (there) text.remove_prefix(prefix.size());
    return there;
}

}  // namespace

Result<Event> read_plane_event(std::string_view event, std::string_view body) {
    auto payload = Payload::parse(body);
    if (!payload) return fail(payload.error());
    const bool v2 = payload->is_text("version") && payload->text("version") == "v2";
    const auto named = event.empty() && payload->is_text("event") ? payload->text("event") : std::string(event);
    Event told;
    const auto known_v2 = one_of(named, {"workitem.created", "workitem.updated", "workitem.archived", "workitem.deleted"});
    if (named == "issue" && !v2)
        told.what = issue_v1(*payload, told.project);
    else if (known_v2)
        told.what = workitem_v2(*payload, named, told.project);
    else if (named == "issue_comment" || named.starts_with("workitem.comment"))
        told.what = Nothing{"comments decide nothing here"};
    else if (named.empty())
        told.what = Nothing{"an event without a name"};
    else
        told.what = Nothing{"nothing here depends on \"" + one_line(named, 100) + "\""};
    if (auto good = payload->problem(); !good) return fail(good.error());
    return told;
}

std::string text_of_html(std::string_view html) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> entities{
        {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&#x27;", "'"}, {"&nbsp;", " "}}};
    constexpr std::array<std::string_view, 10> new_lines{"</p",  "<br",   "</li",         "</h", "</div",
                                                         "</tr", "</pre", "</blockquote", "<ul", "<ol"};
    std::string text;
    while (!html.empty()) {
        if (html.front() == '<') {
            auto tag = html;
            if (std::ranges::any_of(new_lines, [&](auto start) { return take(tag, start); }) && !text.empty() &&
                text.back() != '\n')
                text += '\n';
            if (tag = html; take(tag, "<li")) text += "- ";
            const auto end = html.find('>');
            html.remove_prefix(end == std::string_view::npos ? html.size() : end + 1);
            continue;
        }
        const auto* entity = std::ranges::find_if(entities, [&](const auto& e) { return html.starts_with(e.first); });
        text += entity == entities.end() ? html.substr(0, 1) : entity->second;
        html.remove_prefix(entity == entities.end() ? 1 : entity->first.size());
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
}

}  // namespace orchd::tracker
