// Deliveries of a forge that lead to no project: mostly a repository that was renamed or transferred, whose project still
// names it as it was called.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings/project.h"
#include "store/astray.h"

namespace orchd::engine {

// Whose a delivery is: the project that its address names, or whose file names the repository. Errc::no_such, with the reason.
[[nodiscard]] Result<const settings::Project*> project_of_delivery(const settings::Projects& projects, std::string_view named,
                                                                   const std::string& repository);

// "gitea/hello" -> {"gitea", "hello"}; without a project "gitea" -> {"gitea", ""}.
[[nodiscard]] std::pair<std::string_view, std::string_view> parts_of_source(std::string_view source);

struct AstrayStory {
    std::string project = {};  // whose they seem to be: a person must look. Empty where nothing says that they are anybody's
    std::string repository = {}, text = {};  // text: one sentence, with what to do where there is something
    std::int64_t n = 0, first_at = 0, last_at = 0;
};
// What is known of one, as the projects' files are now; nothing where it leads to a project by now.
[[nodiscard]] Result<std::optional<AstrayStory>> astray_story(store::Db& db, const settings::Projects& projects,
                                                              const store::Astray& astray);
// Of all, those that need a person first.
[[nodiscard]] Result<std::vector<AstrayStory>> astray_stories(store::Db& db, const settings::Projects& projects);

}  // namespace orchd::engine
