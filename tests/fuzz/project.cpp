// A project's file: refused with file and line, or good.
#include "settings/project.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const orchd::settings::Settings settings;
    const auto project = orchd::settings::parse_project({reinterpret_cast<const char*>(data), size},
                                                        "/etc/orchd/projects.d/hello.toml", settings);
    if (!project && !project.error().text.starts_with("/etc/orchd/projects.d/hello.toml")) std::abort();
    return 0;
}
