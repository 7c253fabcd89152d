// Who keeps failing signatures. It only changes how a failure is answered: what is signed is never turned away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace orchd::listener {

class Failures {
public:
    static constexpr int burst = 60;                 // failures at once,
    static constexpr std::int64_t refill_ms = 1000;  // and one more each
    static constexpr std::size_t most_sources = 1024;

    // One more failure of `source` (net::Request::source). Whether it has had too many. `now_ms` never goes back.
    [[nodiscard]] bool one_more(const std::string& source, std::int64_t now_ms);

private:
    // The time at which a source that fails no more is as good as new: each failure moves it on by refill_ms.
    std::unordered_map<std::string, std::int64_t> clean_at_;
};

}  // namespace orchd::listener
