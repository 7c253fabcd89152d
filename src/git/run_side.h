// The side of the run: what a run leaves in its clone, gathered by the launcher as the run's own user.
//
// A clone that a command had in its hands is whatever the command made of it. So nothing of its configuration counts here: its
// references are read as files, and git works in a bench, a repository of the launcher's own that borrows the clone's objects.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "git/git.h"

namespace orchd::git {

// A file right after the checkout, by all that changes when anybody writes it.
struct Stamp {
    std::uint64_t inode = 0, size = 0;
    std::uint32_t mode = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
};
using Snapshot = std::map<std::string, Stamp>;  // by path in the clone
// Returns once a file written from now on has another stamp than here.
[[nodiscard]] Result<Snapshot> take_snapshot(const std::string& clone);

struct Gathering {
    CloneSpec clone;
    std::string base = {};       // where the branch left the target; empty: `commit`
    std::string bench = {};      // a folder for the launcher's own repository; made anew
    std::string artefacts = {};  // of the work item, taken in though the project ignores them
    std::string author = {}, message = {};
    bool product_is_a_patch = false;  // then commits that are left beside are a reason, otherwise they are told
};
struct Gathered {
    std::string head = {};                  // what the branch came to: a descendant of the commit that was checked out, or it
    std::vector<std::string> reasons = {};  // work that could not be brought in, and why: one sentence each, printable
    std::vector<std::string> told = {};     // what is worth a word and no reason
};
// Chooses the commits that the run is to be known by, and commits on top of them exactly what differs from the checkout.
// Without a snapshot (the launcher was killed) only the commits. No process may be at work in the clone any more.
[[nodiscard]] Result<Gathered> gather(const Gathering& what, const Snapshot* checkout);
// Writes COMMIT..head as a bundle of the branch, at once in full; false (and no file) if there is nothing new.
[[nodiscard]] Result<bool> write_bundle(const Gathering& what, const std::string& head, const std::string& file);

}  // namespace orchd::git
