#include <filesystem>

#include "forge/forge.h"

namespace orchd::forge {

std::string repository_of(const settings::Project& project) {
    std::error_code unreadable;
    auto path = std::filesystem::canonical(project.forge_path, unreadable);
    if (unreadable) path = (std::filesystem::path(project.forge_path) / "").lexically_normal().parent_path();
    return project.forge_kind + ':' + path.string();
}

}  // namespace orchd::forge
