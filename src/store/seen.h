// What was last seen of objects outside: a forge's repositories, pull requests and reviews, a tracker's work items. Each row is
// the newest of all that was told, in whatever order and however often it was told. Stamps of a forge count in seconds: what
// was told in more than one way of one moment is not known, and marked so, until the object is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/db.h"

namespace orchd::store {

// Notes that the forge's repository of this id was seen under this name, and tells which id the name has now, as far as is
// known: the greatest that was last seen under it, since a repository that is deleted and made again has another. `id` > 0.
[[nodiscard]] Result<std::int64_t> see_repository(Tx& tx, const std::string& project, std::int64_t id, const std::string& name,
                                                  std::int64_t at);
struct ForgeRepository {
    std::int64_t id = 0;
    std::string name = {};
    std::int64_t first_at = 0, last_at = 0;  // when it was told of, by our clock
};
// The newest id first.
[[nodiscard]] Result<std::vector<ForgeRepository>> repositories_of(Db& db, const std::string& project);

struct PullRequestSeen {
    std::string project = {};     // its name
    std::int64_t repository = 0;  // the forge's ids, which are never given twice; 0 and the number where they were not told
    std::int64_t pull = 0;
    std::int64_t number = 0;
    std::string branch = {}, head = {}, target = {};
    std::string state = {};  // "open", "closed", "merged"; merged is for ever. "unknown" where it is tied
    std::int64_t at = 0;     // of its last change, by the forge's clock
    bool looked = false;     // the forge itself was asked, which goes before what was told of the same moment
    bool tied = false;       // more than one thing was told of that moment: what differs is unknown, or empty
};
struct PullRequestPut {
    bool news = false;         // what is on record changed
    PullRequestSeen now = {};  // what is on record
};
[[nodiscard]] Result<PullRequestPut> put_pull_request(Tx& tx, const PullRequestSeen& seen);
struct PullRequestKey {
    std::int64_t repository = 0, pull = 0;
};
[[nodiscard]] Result<std::optional<PullRequestSeen>> find_pull_request(Db& db, const std::string& project,
                                                                       const PullRequestKey& key);

struct ReviewSeen {
    std::string project = {};
    std::int64_t repository = 0, pull = 0;  // as of the pull request
    std::string reviewer = {};              // one row each: the last verdict, which no comment takes away
    std::string state = {};                 // "commented", "approved", "rejected"; "unknown" where it is tied
    std::string head = {};                  // of the pull request then
    std::int64_t at = 0;
    bool tied = false;
};
struct ReviewPut {
    bool news = false;
    ReviewSeen now = {};
};
[[nodiscard]] Result<ReviewPut> put_review(Tx& tx, const ReviewSeen& seen);
// By name of the reviewer.
[[nodiscard]] Result<std::vector<ReviewSeen>> reviews_of(Db& db, const std::string& project, const PullRequestKey& key);

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
