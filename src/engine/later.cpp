#include "engine/later.h"

#include <algorithm>

#include "core/job_life.h"
#include "core/names.h"
#include "core/payload.h"
#include "core/utc_text.h"
#include "engine/files.h"
#include "engine/notes.h"

namespace orchd::engine {
namespace {

constexpr std::uint64_t max_size = 4096;
constexpr std::size_t max_shown = 80;

}  // namespace

Later read_later(const World& world, const Ended& ended) {
    Later later{.at = {}, .said = "the " + std::string(to_text(ended.job.role)) + "'s run asked to come later"};
    if (!took_its_spec(world, ended)) return later;
    const auto ignored = [&](const std::string& what) {
        later.said += "; its " + std::string(names::retry_at_file) + what + ", and is not heeded";
        return later;
    };
    auto text = read_result(world.paths.left_dir, std::string(names::retry_at_file), max_size);
    if (!text) return ignored(" cannot be read (" + text.error().text + ")");
    if (!*text) return later;
    const auto at = parse_retry_at(**text);
    if (!at) return ignored(" is no time (\"" + one_line(**text, max_shown) + "\")");
    if (*at <= world.now().utc_ms) return ignored(" is past (" + utc_text(*at) + ")");
    later.at = at;
    later.said += ", at " + utc_text(*at);
    return later;
}

PutOff put_off(const settings::Settings& settings, const store::Job& job, const Now& now, double random) {
    PutOff result;
    result.wait_ms = growing_wait_ms(job.deferrals, settings.backoff_base_s * 1000, settings.defer_cap_s * 1000, random);
    const auto since = job.deferred_since.value_or(now.utc_ms);
    const auto asked = std::max(now.utc_ms + result.wait_ms, job.retry_at.value_or(0));
    result.too_long = asked - since > settings.defer_limit_s * 1000;
    if (!result.too_long) result.wait_ms = asked - now.utc_ms;
    const auto times = job.deferrals + 1;
    result.why =
        job.error + " (" + (times == 1 ? "once" : std::to_string(times) + " times") + " since " + utc_text(since) + ")";
    if (result.too_long)
        result.why += "; a run is waited for so for " + span_text(settings.defer_limit_s * 1000) + " at most (defer_limit_s)";
    return result;
}

}  // namespace orchd::engine
