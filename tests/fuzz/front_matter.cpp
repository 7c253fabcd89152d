// An artefact as an agent may leave it: never green without the key that says so.
#include "core/front_matter.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view file(reinterpret_cast<const char*>(data), size);
    const auto keys = orchd::front_matter(file);
    if (!keys && keys.error().text.empty()) std::abort();
    for (const auto artefact : {orchd::Artefact::analysis, orchd::Artefact::review, orchd::Artefact::test_report}) {
        const auto verdict = orchd::verdict(artefact, file);
        if (verdict.colour == orchd::Colour::green && !keys) std::abort();
        if (verdict.colour != orchd::Colour::green && verdict.reason.empty()) std::abort();
    }
    return 0;
}
