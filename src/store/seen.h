// What was last seen of objects outside: a forge's pull requests and reviews, a tracker's work items. Each row is the newest of
// all that was told, in whatever order and however often it was told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace orchd::store {

struct PullRequestSeen {
    std::string project = {};  // its name
    std::int64_t number = 0;
    std::string branch = {}, head = {}, target = {};
    std::string state = {};  // "open", "closed", "merged"; merged is for ever
    std::int64_t at = 0;     // of its last change, by the forge's clock
};
// Whether it is newer than what is on record, and took its place.
[[nodiscard]] Result<bool> put_pull_request(Tx& tx, const PullRequestSeen& seen);
[[nodiscard]] Result<std::optional<PullRequestSeen>> find_pull_request(Db& db, const std::string& project, std::int64_t number);

struct ReviewSeen {
    std::string project = {};
    std::int64_t number = 0;    // of the pull request
    std::string reviewer = {};  // one row each: the last that was said
    std::string state = {};     // "commented", "approved", "rejected"
    std::string head = {};      // of the pull request then
    std::int64_t at = 0;
};
[[nodiscard]] Result<bool> put_review(Tx& tx, const ReviewSeen& seen);
// By name of the reviewer.
[[nodiscard]] Result<std::vector<ReviewSeen>> reviews_of(Db& db, const std::string& project, std::int64_t number);

struct TrackerItem {
    std::string project = {}, item = {};  // the project's name, the tracker's own id
    std::string work_item = {};
    std::string state = {};         // id of the state that it was last seen in
    std::int64_t seen_at = 0;       // of the item's last change that is known, by the tracker's clock
    std::string heeded_state = {};  // the last state that had its consequence here, if only that nothing was asked
    std::int64_t heeded_at = -1;    // and the item's last change then
};
[[nodiscard]] Result<std::optional<TrackerItem>> find_tracker_item(Db& db, const std::string& project, const std::string& item);
[[nodiscard]] Status put_tracker_item(Tx& tx, const TrackerItem& item);

struct TrackerState {
    std::string name = {}, group = {};
};
// As it was last read from the tracker; nothing where the project's states never were.
[[nodiscard]] Result<std::optional<TrackerState>> find_tracker_state(Db& db, const std::string& project, const std::string& id);

}  // namespace orchd::store
