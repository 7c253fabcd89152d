// Which records of the journal a person asks for: those of one task, or of one of its jobs, and never anybody else's. orchctl
// asks, orchd-logs answers those who may not read the journal themselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace orchd {

// Where orchd-logs is asked; systemd's socket, which the group orchd may write to.
inline constexpr std::string_view logs_socket = "/run/orchd/logs";

struct LogRequest {
    std::string work_item = {};
    std::int64_t job = 0;                       // 0: of the whole task
    std::vector<std::string> invocations = {};  // with `job`: of the units of its runs, whose output names no job
    std::string lines = {};                     // only so many of the newest, or "all"; empty: all, or 10 where it is followed
    bool follow = false;
};
// One line, without its end, and back. Errc::invalid_argument for what is no such line.
[[nodiscard]] std::string to_line(const LogRequest& request);
[[nodiscard]] Result<LogRequest> log_request(std::string_view line);

// The journalctl that answers it, with a JSON object for each record. Every match names the task, so that nothing else is told.
[[nodiscard]] std::vector<std::string> journal_command(const LogRequest& request);

}  // namespace orchd
