#include "core/utc_text.h"

#include <array>
#include <ctime>

namespace orchd {

std::string utc_text(std::int64_t utc_ms) {
    const std::time_t seconds = utc_ms / 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return {text.data(), length};
}

}  // namespace orchd
