#pragma once

#include <fstream>
#include <string>

#include "core/error.h"

namespace orchd::git {

// A file of a repository that is only just being made: nobody reads it yet.
[[nodiscard]] inline Status write_file(const std::string& path, const std::string& text,
                                       std::ios::openmode mode = std::ios::out) {
    std::ofstream file(path, mode | std::ios::binary);
    file << text;
    return file.flush() ? Status{} : Status(fail(Errc::io, "cannot write " + path));
}

}  // namespace orchd::git
