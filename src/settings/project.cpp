#include "settings/project.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <limits>

#include "core/shapes.h"
#include "core/text.h"
#include "core/work_item.h"
#include "settings/budgets.h"
#include "settings/project_reader.h"

namespace orchd::settings {
namespace {

namespace fs = std::filesystem;

constexpr Range concurrency{1, 1000};
constexpr Range seconds{1, 86400};
// The deploy unit's own ceiling is an hour, and the hook's `status` is asked within it.
constexpr Range deploy_seconds{1, 3000};
constexpr Range tasks{1, 1'000'000};
constexpr Range percent{1, 100'000};
constexpr Range memory{std::int64_t{1} << 20, std::int64_t{1} << 50};

// Agents without which a task could not go its way; testing is worked by [test] or by a tester.
constexpr std::array needed_agents{Role::analyst, Role::architect, Role::developer, Role::reviewer};
constexpr std::array checks{Role::ci, Role::test, Role::staging, Role::build};

bool climbs(const fs::path& path) {
    return std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

bool absolute(const std::string& path) { return path.starts_with('/') && !climbs(path); }

// A branch that git allows, that no task has for its own, and that needs no quotes where people type it.
bool usable_target(const std::string& name) {
    return is_branch_name(name) && name.find_first_of("\"'$`") == std::string::npos && !name.starts_with(task_branches);
}

bool same_text(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// "OWNER/NAME", as a forge writes it.
bool repository_name(const std::string& text) {
    const auto slash = text.find('/');
    return slash != 0 && slash != std::string::npos && slash + 1 < text.size() && slash == text.rfind('/') &&
           std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '/' || c == '-' || c == '_' || c == '.'; });
}

// Whether what a file names must be there.
enum class Look { file_alone, host_too };

class Parser {
public:
    Parser(const std::string& file, std::vector<Entry> entries, const Settings& settings, Look look)
        : in_(file, std::move(entries)), settings_(settings), look_(look) {
        project_.file = file;
    }

    Project parse() {
        identity();
        places();
        for (const auto role : {Role::analyst, Role::architect, Role::developer, Role::reviewer, Role::tester}) agent(role);
        for (const auto role : checks) check(role);
        const auto test = project_.workers.find(Role::test);
        if (test != project_.workers.end()) project_.workers[Role::retest] = test->second;
        deploy();
        return project_;
    }
    std::vector<std::string> problems() { return in_.problems(); }

private:
    void identity() {
        if (!in_.table("project")) in_.refuse("project", "missing; a project file begins with the table [project]");
        project_.name = in_.text("project.name", Need::required);
        const std::string stem = fs::path(in_.file()).stem().string();
        if (!project_.name.empty() && !valid_project_name(project_.name)) {
            in_.refuse("project.name", "\"" + project_.name +
                                           "\" is not allowed; it takes [a-z][a-z0-9-]{0,30} without a dash at "
                                           "the end");
        } else if (!project_.name.empty() && project_.name != stem) {
            in_.refuse("project.name", "\"" + project_.name +
                                           "\" is not the name of its file; name one as the other: " + project_.name + ".toml");
        }
        project_.prefix = in_.text("project.prefix", Need::required);
        if (!project_.prefix.empty() && !valid_prefix(project_.prefix)) {
            in_.refuse("project.prefix", "\"" + project_.prefix + "\" is not allowed; it takes [A-Z][A-Z0-9]{0,13}");
        }
        project_.target = in_.text("project.target", Need::optional, project_.target);
        if (!usable_target(project_.target)) {
            in_.refuse("project.target",
                       "\"" + project_.target + "\" is not allowed; it takes the name of a branch outside task/");
        }
        project_.max_concurrency = static_cast<int>(in_.number("project.max_concurrency", concurrency, 0));
        project_.self = in_.flag("project.self");
        project_.disabled = in_.text("project.disabled", Need::optional);
    }

    void places() {
        (void)in_.table("forge");
        project_.forge_kind = in_.text("forge.kind", Need::optional, project_.forge_kind);
        if (project_.forge_kind != "local")
            in_.refuse("forge.kind", "\"" + project_.forge_kind + "\" is unknown; it takes \"local\"");
        project_.forge_path = in_.text("forge.path", Need::required);
        if (!project_.forge_path.empty() && !absolute(project_.forge_path)) {
            in_.refuse("forge.path",
                       "\"" + project_.forge_path + "\" is not allowed; it takes the absolute path of a bare repository");
        }
        project_.forge_accept_history = in_.flag("forge.accept_history");
        project_.forge_repository = in_.text("forge.repository", Need::optional);
        if (!project_.forge_repository.empty() && !repository_name(project_.forge_repository)) {
            in_.refuse("forge.repository", "\"" + project_.forge_repository +
                                               "\" is not allowed; it takes OWNER/NAME, as the forge calls the repository");
        }
        tracker();
        (void)in_.table("roles");
    }

    void tracker() {
        (void)in_.table("tracker");
        project_.tracker_kind = in_.text("tracker.kind", Need::optional, project_.tracker_kind);
        if (project_.tracker_kind == "local") return;
        if (project_.tracker_kind != "plane") {
            in_.refuse("tracker.kind", "\"" + project_.tracker_kind + "\" is unknown; it takes \"local\" or \"plane\"");
            return;
        }
        project_.tracker_project = in_.text("tracker.project", Need::required);
        if (!project_.tracker_project.empty() && !is_uuid(project_.tracker_project)) {
            in_.refuse("tracker.project",
                       "\"" + project_.tracker_project +
                           "\" is not allowed; it takes the UUID that stands in the project's address in Plane");
        }
        std::ranges::transform(project_.tracker_project, project_.tracker_project.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        (void)in_.table("tracker.states");
        auto& states = project_.tracker_states;
        states.to_analyse = in_.text("tracker.states.to_analyse", Need::optional, states.to_analyse);
        states.approved = in_.text("tracker.states.approved", Need::optional, states.approved);
        states.rejected = in_.text("tracker.states.rejected", Need::optional, states.rejected);
        if (states.to_analyse == states.approved || states.to_analyse == states.rejected || states.approved == states.rejected)
            in_.refuse("tracker.states", "two of to_analyse, approved and rejected are the same state");
    }

    void agent(Role role) {
        const std::string table = "roles." + std::string(to_text(role));
        if (!in_.table(table)) {
            const bool needed = std::find(needed_agents.begin(), needed_agents.end(), role) != needed_agents.end();
            if (needed) in_.refuse(table, "missing; its stage would wait for ever without [" + table + "] and a command");
            return;
        }
        Worker worker = common(table);
        worker.network = in_.flag(table + ".network");
        const std::string prompt = in_.text(table + ".prompt", Need::optional);
        if (!prompt.empty()) worker.prompt_file = prompt_file(table + ".prompt", prompt);
        project_.workers[role] = worker;
    }

    void check(Role role) {
        const std::string table(to_text(role));
        if (in_.table(table)) project_.workers[role] = common(table);
    }

    Worker common(const std::string& table) {
        Worker worker;
        worker.command = in_.list(table + ".command", Need::required);
        if (!worker.command.empty()) {
            const std::string& program = worker.command.front();
            const bool inside_clone = program.starts_with("./") && program.size() > 2 && !climbs(program);
            if (!inside_clone && !absolute(program)) {
                in_.refuse(table + ".command",
                           "\"" + program +
                               "\" is not allowed first; it takes an absolute path, or one inside the clone "
                               "that begins with ./");
            }
        }
        worker.timeout_s = timeout(table + ".timeout_s", seconds, 0);
        worker.memory_bytes = static_cast<std::uint64_t>(in_.size(table + ".memory", memory));
        worker.tasks_max = in_.number(table + ".tasks_max", tasks, 0);
        worker.cpu_percent = in_.number(table + ".cpu_percent", percent, 0);
        worker.max_concurrency = static_cast<int>(in_.number(table + ".max_concurrency", concurrency, 0));
        return worker;
    }

    // A run's limit must end, with git before and after it, before the ceiling stops the run (R17).
    std::int64_t timeout(const std::string& key, Range range, std::int64_t fallback) {
        const auto limit = in_.number(key, range, fallback);
        const auto git = settings_.git_timeout_s;
        if (limit + git_times_around_a_run * git > settings_.reaper_max_running_s) {
            in_.refuse(key, std::to_string(limit) + " + " + std::to_string(git_times_around_a_run) + " x git_timeout_s (" +
                                std::to_string(git) + ") does not fit into reaper_max_running_s (" +
                                std::to_string(settings_.reaper_max_running_s) + ") of orchd.toml");
        }
        return limit;
    }

    std::string prompt_file(const std::string& key, const std::string& name) {
        const fs::path path = absolute(name) ? fs::path(name) : fs::path(in_.file()).parent_path() / name;
        if (!absolute(name) && name.find('/') != std::string::npos) {
            in_.refuse(key,
                       "\"" + name + "\" is not allowed; it takes the name of a file beside this one, or an absolute path");
            return {};
        }
        std::error_code error;
        if (look_ == Look::host_too && !fs::is_regular_file(path, error))
            in_.refuse(key, path.string() + " is not there, or no regular file");
        return path.string();
    }

    void deploy() {
        if (!in_.table("deploy")) return;
        if (!project_.workers.contains(Role::build)) in_.refuse("deploy", "needs the table [build], whose release it deploys");
        if (project_.self)
            in_.refuse("deploy",
                       "a project that is marked self has none: its own pipeline would restart what runs it, and "
                       "there is no guard for that yet; deploy by hand, and take [deploy] out");
        Project::Deploy deploy;
        deploy.hook = in_.text("deploy.hook", Need::required);
        deploy.config = in_.text("deploy.config", Need::optional);
        deploy.timeout_s = timeout("deploy.timeout_s", deploy_seconds, deploy.timeout_s);
        for (const auto& [key, path] : {std::pair{"deploy.hook", deploy.hook}, std::pair{"deploy.config", deploy.config}}) {
            if (!path.empty() && !absolute(path)) in_.refuse(key, "\"" + path + "\" is not allowed; it takes an absolute path");
        }
        project_.deploy = deploy;
    }

    ProjectReader in_;
    const Settings& settings_;
    Look look_;
    Project project_;
};

Result<Project> judge(const std::string& file, std::vector<Entry> entries, const Settings& settings,
                      Look look = Look::host_too) {
    Parser parser(file, std::move(entries), settings, look);
    Project project = parser.parse();
    const auto problems = parser.problems();
    if (problems.empty()) return project;
    return fail(Errc::invalid_argument, joined(problems, "\n"));
}

// What another project has, and two cannot: whose work item, whose webhook would it be?
std::optional<std::string> taken_already(const Projects& projects, const Project& project) {
    struct Own {
        const char* key;
        const std::string& value;
        const Project* owner;
    };
    for (const Own& own :
         {Own{"project.prefix", project.prefix, owner_of(projects, project.prefix)},
          Own{"forge.repository", project.forge_repository, project_of_repository(projects, project.forge_repository)},
          Own{"tracker.project", project.tracker_project, project_of_tracker(projects, project.tracker_project)}}) {
        if (own.owner == nullptr) continue;
        return problem(project.file, 0, own.key,
                       "\"" + own.value + "\" belongs to " + own.owner->name + " (" + own.owner->file + ")");
    }
    return std::nullopt;
}

// A file that was right once, whatever the host has become meanwhile.
Result<Project> project_as_it_was(const ProjectText& last) {
    auto entries = parse_document(last.text, last.file);
    if (!entries) return fail(entries.error());
    Settings roomy;
    roomy.reaper_max_running_s = std::numeric_limits<std::int64_t>::max();
    return judge(last.file, std::move(*entries), roomy, Look::file_alone);
}

void keep(const ProjectText& last, Projects& projects) {
    if (std::ranges::find(projects.texts, last.file, &ProjectText::file) != projects.texts.end()) return;
    auto kept = project_as_it_was(last);
    if (!kept) return;
    projects.kept.push_back(std::move(*kept));
    projects.texts.push_back(last);
}

// A folder that cannot be read is a problem of its own; one that is not there has no projects.
std::vector<fs::path> project_files(const std::string& dir, Projects& projects) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(dir, error), end; !error && entry != end; entry.increment(error)) {
        const bool hidden = entry->path().filename().string().starts_with('.');
        if (!hidden && entry->path().extension() == ".toml") files.push_back(entry->path());
    }
    if (error && error != std::errc::no_such_file_or_directory)
        projects.problems.push_back({dir, dir + ": " + error.message()});
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

Result<Project> load_project(const std::string& file, const Settings& settings) {
    auto entries = read_document(file);
    if (!entries) return fail(entries.error());
    return judge(file, std::move(*entries), settings);
}

Result<Project> parse_project(std::string_view text, const std::string& file, const Settings& settings) {
    auto entries = parse_document(text, file);
    if (!entries) return fail(entries.error());
    return judge(file, std::move(*entries), settings);
}

Status check_own(const Projects& others, const Project& project) {
    if (const auto taken = taken_already(others, project)) return fail(Errc::conflict, *taken);
    return {};
}

Projects load_projects(const std::string& dir, const Settings& settings, const std::vector<ProjectText>& last_good) {
    Projects projects;
    const auto files = project_files(dir, projects);
    const bool unseen = !projects.problems.empty();
    for (const auto& path : files) {
        const auto file = path.string();
        auto text = read_text(file);
        auto project = text ? parse_project(*text, file, settings) : Result<Project>(fail(text.error()));
        auto problem = project ? taken_already(projects, *project).value_or("") : project.error().text;
        if (problem.empty()) {
            projects.good.push_back(std::move(*project));
            projects.texts.push_back({file, std::move(*text)});
            continue;
        }
        projects.problems.push_back({file, std::move(problem)});
        const auto last = std::ranges::find(last_good, file, &ProjectText::file);
        if (last != last_good.end()) keep(*last, projects);
    }
    if (unseen)
        for (const auto& last : last_good) keep(last, projects);
    return projects;
}

bool covers(const std::vector<std::string>& list, const Project& project) {
    if (list.empty()) return project.self;
    return std::any_of(list.begin(), list.end(), [&](const auto& entry) { return entry == "*" || entry == project.name; });
}

const Project* owner_of(const Projects& projects, std::string_view prefix) {
    const auto found =
        std::find_if(projects.good.begin(), projects.good.end(), [&](const auto& p) { return p.prefix == prefix; });
    return found == projects.good.end() ? nullptr : &*found;
}

const Project* find(const Projects& projects, std::string_view name) {
    const auto found = std::find_if(projects.good.begin(), projects.good.end(), [&](const auto& p) { return p.name == name; });
    return found == projects.good.end() ? nullptr : &*found;
}

const Project* project_of_repository(const Projects& projects, std::string_view repository) {
    const auto found = std::find_if(projects.good.begin(), projects.good.end(), [&](const auto& p) {
        return !p.forge_repository.empty() && same_text(p.forge_repository, repository);
    });
    return found == projects.good.end() ? nullptr : &*found;
}

const Project* project_of_tracker(const Projects& projects, std::string_view uuid) {
    const auto found = std::find_if(projects.good.begin(), projects.good.end(), [&](const auto& p) {
        return !p.tracker_project.empty() && same_text(p.tracker_project, uuid);
    });
    return found == projects.good.end() ? nullptr : &*found;
}

}  // namespace orchd::settings
