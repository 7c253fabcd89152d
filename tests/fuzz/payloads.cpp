// A webhook: its event's name up to the first line end, then the body. FUZZ_GITEA or FUZZ_PLANE says whose.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#ifdef FUZZ_GITEA
#include "forge/gitea_events.h"
#else
#include "tracker/plane_events.h"
#endif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto end = input.find('\n');
    const auto event = input.substr(0, end);
    const auto body = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
#ifdef FUZZ_GITEA
    const auto told = orchd::forge::read_gitea_event(event, body);
#else
    const auto told = orchd::tracker::read_plane_event(event, body);
#endif
    // Refused with a reason, or understood.
    if (!told && (told.error().code != orchd::Errc::invalid_argument || told.error().text.empty())) std::abort();
    return 0;
}
