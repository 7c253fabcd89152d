#include "core/log_request.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/work_item.h"

namespace orchd {
namespace {

constexpr std::size_t most_invocations = 1000;

bool digits(std::string_view text) {
    return !text.empty() && text.size() < 19 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool invocation(std::string_view text) {
    return text.size() == 32 &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// One word behind the work item; false for one that is not known.
bool take(LogRequest& request, const std::string& word) {
    const auto value_of = [&](std::string_view key) { return word.starts_with(key) ? word.substr(key.size()) : std::string(); };
    if (word == "follow") return request.follow = true;
    if (const auto lines = value_of("lines="); lines == "all" || digits(lines)) {
        request.lines = lines;
        return true;
    }
    if (const auto job = value_of("job="); digits(job)) {
        std::from_chars(job.data(), job.data() + job.size(), request.job);
        return true;
    }
    const auto id = value_of("invocation=");
    if (!invocation(id) || request.invocations.size() == most_invocations) return false;
    request.invocations.push_back(id);
    return true;
}

}  // namespace

std::string to_line(const LogRequest& request) {
    std::string line = request.work_item;
    if (request.job != 0) line += " job=" + std::to_string(request.job);
    for (const auto& id : request.invocations) line += " invocation=" + id;
    if (!request.lines.empty()) line += " lines=" + request.lines;
    return request.follow ? line + " follow" : line;
}

Result<LogRequest> log_request(std::string_view line) {
    std::istringstream words{std::string(line)};
    LogRequest request;
    words >> request.work_item;
    if (auto item = WorkItem::parse(request.work_item); !item) return fail(item.error());
    for (std::string word; words >> word;)
        if (!take(request, word)) return fail(Errc::invalid_argument, "what is asked of the journal is not understood");
    if (request.job == 0 && !request.invocations.empty())
        return fail(Errc::invalid_argument, "invocations are asked for with the job that they are of");
    return request;
}

std::vector<std::string> journal_command(const LogRequest& request) {
    std::vector<std::string> words{"journalctl", "--quiet", "--output=json", "--all", "--no-pager"};
    if (request.follow) words.emplace_back("--follow");
    if (!request.lines.empty()) words.push_back("--lines=" + request.lines);
    const std::string task = "ORCHD_TASK=" + request.work_item;
    words.push_back(task);
    if (request.job == 0) return words;
    words.push_back("ORCHD_JOB=" + std::to_string(request.job));
    for (const auto& id : request.invocations) words.insert(words.end(), {"+", task, "_SYSTEMD_INVOCATION_ID=" + id});
    return words;
}

}  // namespace orchd
