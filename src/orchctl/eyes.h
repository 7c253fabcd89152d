// How a unit of ours sees this host: as its user, with the groups of that, in its sandbox. What root sees says nothing about
// it: so whoever checks for a unit asks with its eyes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace orchd::orchctl {

struct Eyes {
    std::string unit;                      // as it is named to people: "orchd-agent@.service"
    std::string user = {};                 // empty: a dynamic user, who owns nothing and is in no group
    std::string group = {};                // empty: the user's own
    std::vector<std::string> hidden = {};  // folders that its sandbox hides, …
    std::vector<std::string> shown = {};   // … and what is put back into them
    std::string hidden_by = {};            // "ProtectHome=, PrivateTmp=, …"
};
// As PID 1 has the unit, drop-ins included; as it ships where PID 1 cannot be asked. `unit` is a template's or another's name.
[[nodiscard]] Eyes eyes_of(const std::string& unit);
// Those that `systemctl show` describes: KEY=VALUE lines.
[[nodiscard]] Eyes eyes_from(const std::string& unit, const std::string& shown);

// What `look` returns where it is run by the unit's user, in a child process. Only root can be somebody else:
// Errc::not_permitted for any other caller, no_such where there is no such user.
[[nodiscard]] Result<std::string> seen_by(const Eyes& eyes, const std::function<std::string()>& look);

// Why the unit cannot use the path, as a sentence without a full stop; nothing where it can, as far as the caller may
// look: whether the user may use it, only root can ask. `mode` as for access(2).
[[nodiscard]] std::optional<std::string> unusable(const Eyes& eyes, const std::string& path, int mode);
// The same of a program, with the interpreter that its first line names.
[[nodiscard]] std::optional<std::string> unusable_program(const Eyes& eyes, const std::string& path);

}  // namespace orchd::orchctl
