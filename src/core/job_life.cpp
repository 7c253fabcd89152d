#include "core/job_life.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstring>

#include "core/names.h"
#include "core/payload.h"

namespace orchd {
namespace {

constexpr std::size_t statuses = enum_text<JobStatus>.size();
// legal_moves[from][to], both in the order of JobStatus.
constexpr std::array<std::array<bool, statuses>, statuses> legal_moves{{
    // queued running stopping done failed cancelled
    {false, true, false, false, false, true},    // queued
    {false, false, true, true, true, true},      // running
    {true, false, false, true, true, true},      // stopping
    {false, false, false, false, false, false},  // done
    {false, false, false, false, false, false},  // failed
    {false, false, false, false, false, false},  // cancelled
}};
static_assert(statuses == 6);

// systemd's own exit statuses, with which it failed to set a process up before its command ran.
constexpr int first_of_systemd = 200;
constexpr int last_of_systemd = 243;

Outcome of_exit_code(int code) {
    if (code == 0) return Outcome::look;
    if (code == names::exit_transient) return Outcome::transient;
    if (code == names::exit_timed_out) return Outcome::too_long;
    if (code == names::exit_not_executable || code == names::exit_not_found) return Outcome::cannot_run;
    if (code >= first_of_systemd && code <= last_of_systemd) return Outcome::infra;
    return Outcome::failed;
}

int number(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// "KILL" or "9"; 0 for what is no signal's name.
int signal_number(std::string_view text) {
    for (int n = 1; n < NSIG; ++n) {
        const char* name = ::sigabbrev_np(n);
        if (name != nullptr && text == name) return n;
    }
    return number(text);
}

}  // namespace

bool legal(JobStatus from, JobStatus to) { return legal_moves[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)]; }

Outcome outcome(Exit exit) {
    if (exit.kind == ExitKind::timeout) return Outcome::too_long;
    return exit.kind == ExitKind::exited ? of_exit_code(exit.status) : Outcome::infra;
}

Exit exit_from_monitor(std::string_view service_result, std::string_view exit_code, std::string_view exit_status) {
    if (exit_code != "exited" && exit_code != "killed" && exit_code != "dumped") return {ExitKind::lost};
    const int status = exit_code == "exited" ? number(exit_status) : signal_number(exit_status);
    if (service_result == "timeout" || service_result == "watchdog") return {ExitKind::timeout, status};
    // The command ended well and the unit did not: what runs after the command failed, so nobody knows what it left.
    if (service_result == "exit-code" && exit_code == "exited" && status == 0) return {ExitKind::lost};
    return {*from_text<ExitKind>(exit_code), status};
}

std::int64_t backoff_ms(int attempts, std::int64_t base_ms, std::int64_t cap_ms, double random) {
    const double doubled = std::ldexp(static_cast<double>(base_ms), std::max(attempts, 0));
    return static_cast<std::int64_t>(random * std::min(static_cast<double>(cap_ms), doubled));
}

std::int64_t growing_wait_ms(int times, std::int64_t base_ms, std::int64_t cap_ms, double random) {
    return backoff_ms(times, base_ms, cap_ms, (1 + random) / 2);
}

std::optional<std::int64_t> parse_retry_at(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == text.npos) return std::nullopt;
    text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
    if (std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
        constexpr std::int64_t year_10000_s = 253'402'300'800;
        std::int64_t seconds = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
        return read.ec == std::errc() && seconds < year_10000_s ? std::make_optional(seconds * 1000) : std::nullopt;
    }
    return parse_time(text);
}

}  // namespace orchd
