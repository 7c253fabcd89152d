#include "forge/gitea_events.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/payload.h"
#include "core/shapes.h"

namespace orchd::forge {
namespace {

constexpr std::size_t max_name = 4096;  // of a repository, a branch, a context, a person: git lets names grow as long as paths
constexpr std::size_t max_description = 1000;
constexpr std::string_view branches = "refs/heads/";

using What = decltype(GiteaEvent::what);

std::string short_enough(Payload& in, std::string_view path, std::string found) {
    if (found.size() > max_name) in.refuse(path, "is longer than " + std::to_string(max_name) + " bytes");
    return found;
}

// A name that goes into rows and onto terminals.
std::string name(Payload& in, std::string_view path) {
    auto found = short_enough(in, path, in.text(path));
    if (one_line(found, max_name) != found) in.refuse(path, "holds control characters");
    return found;
}

// All zeros, of either length, stand for "nothing there".
bool no_commit(std::string_view id) {
    return !id.empty() && std::ranges::all_of(id, [](char c) { return c == '0'; });
}

// Empty where it is not told either: Gitea leaves it so where the branch has gone meanwhile.
std::string commit(Payload& in, std::string_view path) {
    auto found = in.text_if_any(path);
    if (!found.empty() && !is_commit_id(found)) in.refuse(path, "is no commit id");
    return no_commit(found) ? std::string() : found;
}

What push(Payload& in) {
    auto ref = name(in, "ref");
    if (!ref.starts_with(branches)) return Nothing{"it is no branch that was pushed"};
    return BranchMoved{ref.substr(branches.size()), commit(in, "after"), true, no_commit(in.text_if_any("after"))};
}

// Gitea, and hooks of its type, shorten the name; hooks of type forgejo do not.
What created_or_deleted(Payload& in, bool created) {
    if (in.text("ref_type") != "branch") return Nothing{"it is no branch"};
    auto ref = name(in, "ref");
    if (ref.starts_with(branches)) ref.erase(0, branches.size());
    return BranchMoved{std::move(ref), created ? commit(in, "sha") : std::string(), true, !created};
}
What created(Payload& in) { return created_or_deleted(in, true); }
What deleted(Payload& in) { return created_or_deleted(in, false); }

// The forge takes any word from whoever reports; only what surely means success is green.
Colour colour_of(std::string_view word) {
    if (word == "success" || word == "skipped") return Colour::green;
    if (word == "failure" || word == "error" || word == "warning") return Colour::red;
    return Colour::undecided;
}

// The one who reports may have named the commit by a short id; the commit's own object has the whole.
std::string status_commit(Payload& in) {
    auto told = in.text("sha");
    if (is_commit_id(told)) return told;
    auto whole = in.text_if_any("commit.id");
    if (told.empty() || !is_commit_id(whole) || !whole.starts_with(told)) in.refuse("sha", "is no commit id");
    return whole;
}

// What whoever reports may leave empty.
std::string told_or_empty(Payload& in, std::string_view path) {
    if (!in.has(path)) in.refuse(path, "is missing");
    return in.text_if_any(path);
}

// It may be of many lines, as the name of a job of Gitea's CI may.
std::string status_context(Payload& in) {
    auto told = one_line(short_enough(in, "context", told_or_empty(in, "context")), max_name);
    return told.empty() ? "default" : told;
}

What status(Payload& in) {
    StatusTold told;
    told.commit = status_commit(in);
    told.context = status_context(in);
    told.description = one_line(in.text_if_any("description"), max_description);
    const auto word = told_or_empty(in, "state");
    told.state = colour_of(word);
    if (told.state == Colour::undecided && word != "pending")
        told.description = "state \"" + one_line(word, 50) + "\": " + told.description;
    told.seq = in.number_if_any("id");
    told.at = in.time_if_any("updated_at");
    if (told.at == 0) told.at = in.time_if_any("created_at");
    return told;
}

PullRequest pull_of(Payload& in) {
    PullRequest pull;
    pull.id = in.number_if_any("pull_request.id");
    if (pull.id < 0) in.refuse("pull_request.id", "is no id");
    pull.number = in.number("pull_request.number");
    if (pull.number <= 0) in.refuse("pull_request.number", "is no number of a pull request");
    pull.branch = name(in, "pull_request.head.label");  // .ref is refs/pull/N/head once the branch is gone
    pull.head = commit(in, "pull_request.head.sha");
    pull.target = name(in, "pull_request.base.ref");
    const auto state = in.text("pull_request.state");
    if (state != "open" && state != "closed") in.refuse("pull_request.state", "is neither open nor closed");
    pull.state = in.flag_if_any("pull_request.merged") ? PullState::merged
                 : state == "closed"                   ? PullState::closed
                                                       : PullState::open;
    pull.at = in.time_if_any("pull_request.updated_at");
    return pull;
}

// Anybody may open one from a copy of the repository, with a branch of any name. Where the copy is gone, its id is -1: of that
// no more can be told than that it is not ours, whose id is the one of the base.
bool from_elsewhere(Payload& in) {
    const auto id_of = [&](const std::string& side) -> std::optional<std::int64_t> {
        for (const auto& path : {side + ".repo_id", side + ".repo.id"})
            if (in.has(path)) return in.number_if_any(path);
        return std::nullopt;
    };
    const auto head = id_of("pull_request.head");
    auto base = id_of("pull_request.base");
    if (!head) return base.has_value();  // the copy's repository is gone; where neither is named, it is an old form
    if (!base && in.has("repository.id")) base = in.number_if_any("repository.id");
    return *head <= 0 || head != base;
}
// One that was pushed to refs/for/ (AGit) has the label of no branch.
bool from_no_branch(Payload& in) {
    return in.is_text("pull_request.head.label") && in.text_if_any("pull_request.head.label").empty();
}
// Why none of our branches can be meant, if so.
std::optional<Nothing> not_ours(Payload& in) {
    if (from_elsewhere(in)) return Nothing{"it comes from another repository"};
    if (from_no_branch(in)) return Nothing{"it comes from no branch"};
    return std::nullopt;
}

What pull_request(Payload& in) {
    if (auto nothing = not_ours(in)) return *nothing;
    return pull_of(in);
}

What review(Payload& in, ReviewState state) {
    if (auto nothing = not_ours(in)) return *nothing;
    ReviewTold told{pull_of(in), {}, state};
    told.reviewer = name(in, "sender.login");
    return told;
}
What approved(Payload& in) { return review(in, ReviewState::approved); }
What rejected(Payload& in) { return review(in, ReviewState::rejected); }
What commented(Payload& in) { return review(in, ReviewState::commented); }

What ci_run(Payload& in, const std::string& object) {
    // A pull request's, or a tag's.
    if (in.has(object) && in.text_if_any(object + ".head_branch").empty())
        return Nothing{"a run of the forge's CI for no branch"};
    return BranchMoved{name(in, object + ".head_branch"), commit(in, object + ".head_sha"), false};
}
What workflow_run(Payload& in) { return ci_run(in, "workflow_run"); }
What workflow_job(Payload& in) { return ci_run(in, "workflow_job"); }

What issue(Payload&) { return Nothing{"issues of a forge make no work here"}; }
What comment(Payload&) { return Nothing{"comments decide nothing here"}; }
// By this name X-Gitea-Event calls the review as well.
What comment_or_review(Payload& in) { return in.is_object("review") ? commented(in) : comment(in); }
What other(Payload&) { return Nothing{"nothing here depends on it"}; }

struct Kind {
    std::string_view event;
    What (*read)(Payload&);
};
constexpr std::array kinds{
    Kind{"push", push},
    Kind{"create", created},
    Kind{"delete", deleted},
    Kind{"status", status},
    Kind{"pull_request", pull_request},
    Kind{"pull_request_assign", pull_request},
    Kind{"pull_request_label", pull_request},
    Kind{"pull_request_milestone", pull_request},
    Kind{"pull_request_sync", pull_request},
    Kind{"pull_request_review_request", pull_request},
    Kind{"pull_request_review_approved", approved},
    Kind{"pull_request_review_rejected", rejected},
    Kind{"pull_request_review_comment", commented},
    Kind{"pull_request_approved", approved},  // the words of X-Gitea-Event, for where it is the only one
    Kind{"pull_request_rejected", rejected},
    Kind{"pull_request_comment", comment_or_review},
    Kind{"issue_comment", comment},
    Kind{"issues", issue},
    Kind{"issue_assign", issue},
    Kind{"issue_label", issue},
    Kind{"issue_milestone", issue},
    Kind{"workflow_run", workflow_run},
    Kind{"workflow_job", workflow_job},
    Kind{"release", other},
    Kind{"repository", other},
    Kind{"fork", other},
    Kind{"wiki", other},
    Kind{"package", other},
};

}  // namespace

Result<GiteaEvent> read_gitea_event(std::string_view event, std::string_view body) {
    auto in = Payload::parse(body);
    if (!in) return fail(in.error());
    const auto* kind = std::ranges::find(kinds, event, &Kind::event);
    if (kind == kinds.end()) {
        const auto named = event.empty() ? "an event without a name" : "unknown event \"" + one_line(event, 100) + "\"";
        return GiteaEvent{.repository = {}, .what = Nothing{named}};
    }
    GiteaEvent told;
    told.what = kind->read(*in);
    if (!std::holds_alternative<Nothing>(told.what)) {
        told.repository = name(*in, "repository.full_name");
        told.repository_id = in->number_if_any("repository.id");
        if (told.repository_id < 0) in->refuse("repository.id", "is no id");
    }
    if (auto good = in->problem(); !good) return fail(good.error());
    return told;
}

}  // namespace orchd::forge
