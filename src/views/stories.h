// Rows of the store as JSON, as every answer tells them (docs/dbus.md).
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "settings/reading.h"
#include "store/jobs.h"
#include "store/records.h"
#include "store/stalls.h"

namespace orchd::views {

[[nodiscard]] boost::json::value or_null(const std::optional<std::int64_t>& value);
// JSON that somebody else wrote: as it is where it parses, else as a text; null for nothing.
[[nodiscard]] boost::json::value embedded(const std::string& text);
[[nodiscard]] boost::json::object pause_story(std::int64_t at, const std::string& by, const std::string& reason);
// Null: the settings are in force.
[[nodiscard]] boost::json::object settings_story(const settings::Condition* condition);
[[nodiscard]] boost::json::object story(const store::Run& run);
[[nodiscard]] boost::json::object story(const store::Job& job);
// The job with its task, project and unit.
[[nodiscard]] boost::json::object story(const store::Claim& claim);
// Why a run cannot begin or end, and when that is tried again.
[[nodiscard]] boost::json::object story(const store::Stall& stall);
[[nodiscard]] boost::json::object story(const store::TransitionLease& lease);
[[nodiscard]] boost::json::object story(const store::Event& event);

}  // namespace orchd::views
