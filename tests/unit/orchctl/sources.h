#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace orchd::orchctl {

inline const std::filesystem::path sources = ORCHD_ROOT;

inline std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

}  // namespace orchd::orchctl
