// What a webhook of Gitea or Forgejo tells, as small values. Nothing in it is the state of anything: an event says where to
// look again. Events come in any order, late, twice, or never.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/error.h"
#include "core/words.h"

namespace orchd::forge {

// A branch is elsewhere, new or gone; or a run of the forge's own CI for it has got on.
struct BranchMoved {
    std::string branch;
    std::string commit;   // empty where it is gone or not told
    bool pushed = false;  // it was pushed; otherwise CI has news of it
    bool deleted = false;
};

struct StatusTold {
    std::string commit, context, description;
    Colour state = Colour::undecided;
    std::int64_t at = 0;   // of its last change, UTC milliseconds by the forge's clock, which counts in seconds; 0: not told
    std::int64_t seq = 0;  // the forge's own number of it, which grows: the order of two in one second
};

enum class PullState { open, closed, merged };

struct PullRequest {
    std::int64_t id = 0;  // the forge's own, which no other ever has; 0: not told
    std::int64_t number = 0;
    std::string branch;  // also when the branch is gone by now
    std::string head;    // its commit
    std::string target;  // the branch it is to go to
    PullState state = PullState::open;
    std::int64_t at = 0;  // of its last change, as StatusTold::at
    bool looked = false;  // the forge was asked, and says so now: that goes before what was told of the same second
};

enum class ReviewState { commented, approved, rejected };

struct ReviewTold {
    PullRequest of;
    std::string reviewer;
    ReviewState state = ReviewState::commented;
};

struct Nothing {  // an event that nothing here depends on
    std::string why;
};

struct GiteaEvent {
    std::string repository;          // "acme/app"; empty for some events that come to nothing
    std::int64_t repository_id = 0;  // the forge's own, which no other ever has, whatever its name; 0: not told
    std::variant<Nothing, BranchMoved, StatusTold, PullRequest, ReviewTold> what;
};

// `event` is X-Gitea-Event-Type (or X-Forgejo-Event-Type), which tells apart what X-Gitea-Event calls by one name; `body` the
// JSON that was signed. Errc::invalid_argument with the field that is wrong where it is an event that matters and cannot be
// understood.
[[nodiscard]] Result<GiteaEvent> read_gitea_event(std::string_view event, std::string_view body);

}  // namespace orchd::forge

template <>
inline constexpr auto orchd::enum_text<orchd::forge::PullState> = std::to_array<std::string_view>({"open", "closed", "merged"});
template <>
inline constexpr auto orchd::enum_text<orchd::forge::ReviewState> = std::to_array<std::string_view>({"commented", "approved",
                                                                                                     "rejected"});
