// The last good settings and project files of this boot, as the worker writes them down (names::last_good) for whoever finds
// what stands in /etc to be wrong. In a folder of the worker's that agents neither see nor write; gone with the boot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "settings/project.h"

namespace orchd::settings {

struct LastGood {
    std::int64_t generation = 0;  // one more with each change
    std::string boot_id;
    std::int64_t at = 0;                // UTC ms: written down then
    std::string settings;               // every key, as lines of a settings file
    std::vector<ProjectText> projects;  // by file
    [[nodiscard]] bool says_the_same_as(const LastGood& other) const {
        return boot_id == other.boot_id && settings == other.settings && projects == other.projects;
    }
};
// Errc::no_such where this boot has none, not_permitted for a file that others than its owner may write, corrupt for what is
// none of ours.
[[nodiscard]] Result<LastGood> read_last_good(const std::string& file, const std::string& boot_id);
// Whole or not at all. For the owner and the group of the folder.
[[nodiscard]] Status write_last_good(const std::string& file, const LastGood& last);

// Every key with its value, and back: what a later version does not know any more, or does not allow, is its default then.
[[nodiscard]] std::string settings_text(const Settings& settings);
[[nodiscard]] Settings settings_of_text(const std::string& text);

}  // namespace orchd::settings
