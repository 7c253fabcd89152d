#include "engine/astray.h"

#include <algorithm>
#include <cctype>

#include "core/payload.h"
#include "core/utc_text.h"
#include "store/seen.h"

namespace orchd::engine {
namespace {

constexpr int most_told = 100;

std::string_view owner_of(std::string_view repository) { return repository.substr(0, repository.find('/')); }
std::string_view name_of(std::string_view repository) {
    return repository.substr(std::min(repository.find('/'), repository.size()));
}

// Names of a forge are told apart by more than their case.
bool same(std::string_view a, std::string_view b) {
    const auto lower = [](unsigned char c) { return std::tolower(c); };
    return std::ranges::equal(a, b, {}, lower, lower);
}

enum class Meant { surely, perhaps, not_at_all };

// Whether the repository is the project's under another name. Its id tells, where that is known; a rename keeps the owner and a
// transfer the name.
Result<Meant> meant(store::Db& db, const settings::Project& project, const store::Astray& astray) {
    auto known = store::repositories_of(db, project.name);
    if (!known) return fail(known.error());
    const auto own = std::ranges::find_if(*known, [&](const auto& r) { return same(r.name, project.forge_repository); });
    if (own != known->end() && astray.repository > 0) return own->id == astray.repository ? Meant::surely : Meant::not_at_all;
    const auto& configured = project.forge_repository;
    const bool alike = same(owner_of(configured), owner_of(astray.name)) || same(name_of(configured), name_of(astray.name));
    return alike ? Meant::perhaps : Meant::not_at_all;
}

struct Seems {
    Meant is = Meant::not_at_all;
    const settings::Project* project = nullptr;
};
// Whose it is, of all projects. Where only names speak, and for more than one, it is nobody's: one of them would be blamed.
Result<Seems> whose(store::Db& db, const settings::Projects& projects, const store::Astray& astray) {
    std::vector<const settings::Project*> perhaps;
    for (const auto& project : projects.good) {
        if (project.forge_repository.empty()) continue;
        const auto is = meant(db, project, astray);
        if (!is) return fail(is.error());
        if (*is == Meant::surely) return Seems{*is, &project};
        if (*is == Meant::perhaps) perhaps.push_back(&project);
    }
    if (perhaps.size() != 1) return Seems{};
    return Seems{Meant::perhaps, perhaps.front()};
}

std::string advice(const settings::Project& project, const std::string& repository) {
    return "put repository = \"" + repository + "\" under [forge] of " + project.file + " if that is where it is now";
}

std::string since(const store::Astray& astray) {
    return " (" + std::to_string(astray.n) + " since " + utc_text(astray.first_at) + ", the last at " +
           utc_text(astray.last_at) + ")";
}

}  // namespace

std::pair<std::string_view, std::string_view> parts_of_source(std::string_view source) {
    const auto slash = source.find('/');
    if (slash == std::string_view::npos) return {source, {}};
    return {source.substr(0, slash), source.substr(slash + 1)};
}

Result<const settings::Project*> project_of_delivery(const settings::Projects& projects, std::string_view named,
                                                     const std::string& repository) {
    const auto* owner = settings::project_of_repository(projects, repository);
    if (named.empty()) {
        if (owner == nullptr) return fail(Errc::no_such, "no project has [forge] repository = \"" + repository + "\"");
        return owner;
    }
    const auto* project = settings::find(projects, named);
    if (project == nullptr)
        return fail(Errc::no_such,
                    "there is no project " + one_line(named, 100) + " with a valid file, which the address names");
    if (!project->forge_repository.empty() && owner != project)
        return fail(Errc::no_such,
                    repository + " is not the repository of " + project->name + ", which is " + project->forge_repository);
    return project;
}

Result<std::optional<AstrayStory>> astray_story(store::Db& db, const settings::Projects& projects,
                                                const store::Astray& astray) {
    const auto named = parts_of_source(astray.source).second;
    const auto leads = project_of_delivery(projects, named, astray.name);
    if (leads) return std::nullopt;
    AstrayStory story{.repository = astray.name, .n = astray.n, .first_at = astray.first_at, .last_at = astray.last_at};
    story.text = "Deliveries of " + astray.name + " lead nowhere" + since(astray) + ": ";
    if (const auto* project = settings::find(projects, named); project != nullptr) {
        story.project = project->name;
        story.text += leads.error().text + "; " + advice(*project, astray.name) + ".";
        return story;
    }
    if (!named.empty()) {
        story.project = named;
        story.text += leads.error().text + "; put the project's file in order, or take the webhook away.";
        return story;
    }
    const auto seems = whose(db, projects, astray);
    if (!seems) return fail(seems.error());
    if (seems->project == nullptr) {
        story.text += leads.error().text + ".";
        return story;
    }
    const auto& project = *seems->project;
    story.project = project.name;
    story.text += seems->is == Meant::surely
                      ? "it is the repository of project " + project.name + ", which was called " + project.forge_repository +
                            " and was renamed or transferred; "
                      : "it may be the repository of project " + project.name + ", which its file calls " +
                            project.forge_repository + " and which has told nothing under that name; ";
    story.text += advice(project, astray.name) + ".";
    return story;
}

Result<std::vector<AstrayStory>> astray_stories(store::Db& db, const settings::Projects& projects) {
    const auto all = store::list_astray(db, most_told);
    if (!all) return fail(all.error());
    std::vector<AstrayStory> stories;
    for (const auto& astray : *all) {
        auto story = astray_story(db, projects, astray);
        if (!story) return fail(story.error());
        if (*story) stories.push_back(std::move(**story));
    }
    std::stable_partition(stories.begin(), stories.end(), [](const AstrayStory& s) { return !s.project.empty(); });
    return stories;
}

}  // namespace orchd::engine
