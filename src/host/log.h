// Logging: spdlog with a sink of ours on sd_journal_sendv that adds the fields of the scope (ORCHD_TASK=, ORCHD_JOB=,
// ORCHD_RUN=, ORCHD_PROJECT=) and MESSAGE_ID=. A process that is no unit (standard error is not the journal's) writes to
// standard error, with <N> prefixes. Never fails. Nothing secret is passed here.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace orchd::host {

enum class Level { debug, info, notice, warning, error };
using Field = std::pair<std::string_view, std::string>;

void log(Level level, std::string_view text, std::initializer_list<Field> fields = {});

// Fields added to every record of this thread while it lives.
class LogScope {
public:
    explicit LogScope(std::initializer_list<Field> fields);
    LogScope(const LogScope&) = delete;
    ~LogScope();

private:
    std::size_t count_;
};

}  // namespace orchd::host
