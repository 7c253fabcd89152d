// A reason that a person gives: by its place, as words, or by --reason.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchctl/command.h"

namespace orchd::orchctl {

struct Reason {
    std::optional<std::string> by_option;
    std::vector<std::string> by_place;
};
// Adds both ways to the command, after what else stands by its place.
void take_reason(Command command, Reason& reason, const std::string& text);
// What was given; Errc::invalid_argument where that says nothing, or where it is wanted and was not given.
enum class Wanted { yes, no };
[[nodiscard]] Result<std::string> said(const Reason& reason, Wanted wanted);

}  // namespace orchd::orchctl
