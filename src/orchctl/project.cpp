#include <unistd.h>
#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <memory>
#include <optional>
#include <tuple>

#include "core/names.h"
#include "core/text.h"
#include "orchctl/answers.h"
#include "orchctl/commands.h"
#include "orchctl/grant_deploy.h"
#include "orchctl/host_config.h"
#include "orchctl/project_change.h"
#include "orchctl/project_check.h"
#include "orchctl/project_check_repository.h"
#include "orchctl/project_file.h"
#include "orchctl/repository.h"
#include "orchctl/sight.h"
#include "orchctl/try.h"

namespace orchd::orchctl {
namespace {

namespace json = boost::json;

struct AddOptions {
    NewProject project;
    std::string agent;
    std::optional<std::string> ci, test, staging, build;
    bool init = false;
};

Status add(Session& session, const AddOptions& given) {
    NewProject project = given.project;
    for (const auto& [option, text, words] : {std::tuple<const char*, std::optional<std::string>, std::vector<std::string>*>{
                                                  "--agent", given.agent, &project.agent},
                                              {"--ci", given.ci, &project.ci},
                                              {"--test", given.test, &project.test},
                                              {"--staging", given.staging, &project.staging},
                                              {"--build", given.build, &project.build}}) {
        if (!text) continue;
        auto split = words_of(*text, option);
        if (!split) return fail(split.error());
        *words = std::move(*split);
    }
    const auto host = host_settings();
    if (!host) return fail(host.error());
    const std::string dir(names::projects_dir);
    if (given.init) {
        if (auto checked = check_new_project(project, dir, host->settings); !checked) return checked;
        if (auto made = make_repository(project.repository, project.target); !made) return made;
    }
    if (auto written = write_project_file(project, dir, host->settings); !written) return written;
    std::string done = "Wrote " + dir + '/' + project.name + ".toml.";
    if (const auto added = settings::load_project(dir + '/' + project.name + ".toml", host->settings)) {
        for (const auto& problem : host_problems(*added)) done += "\nStill to do: " + problem;
        for (const auto& problem : unseen_by_units(*added)) done += "\nStill to do: " + problem;
    }
    say_done(session, done);
    return {};
}

Status list_projects(Session& session) {
    const auto projects = host_projects();
    if (!projects) return fail(projects.error());
    if (session.json) {
        json::array array;
        for (const auto& project : projects->good) {
            array.push_back({{"name", project.name},
                             {"prefix", project.prefix},
                             {"target", project.target},
                             {"forge", project.forge_kind + ":" + project.forge_path},
                             {"file", project.file},
                             {"disabled", project.disabled},
                             {"problem", ""}});
        }
        for (const auto& problem : projects->problems) array.push_back({{"file", problem.file}, {"problem", problem.text}});
        session.document(array);
        return {};
    }
    Table table({{"PROJECT"}, {"PREFIX"}, {"TARGET"}, {"FORGE"}, {"FILE"}, {"STATE"}});
    for (const auto& project : projects->good) {
        table.add({project.name, project.prefix, project.target, project.forge_kind + ":" + project.forge_path, project.file,
                   project.disabled.empty() ? "" : "disabled: " + project.disabled});
    }
    if (table.empty()) {
        session.line("No projects. 'orchctl project add' makes one.");
    } else {
        session.table(table);
    }
    if (projects->problems.empty()) return {};
    session.heading("Refused");
    for (const auto& problem : projects->problems) session.line(printable_lines(problem.text));
    return {};
}

struct Asked {
    std::string name, only;
    bool fix = false, tries = false;
};

// All projects, or the one of that name.
Status check(Session& session, const Asked& asked) {
    const auto& name = asked.name;
    const auto projects = host_projects();
    if (!projects) return fail(projects.error());
    const std::string file = std::string(names::projects_dir) + '/' + name + ".toml";
    std::vector<std::string> problems;
    bool found = name.empty();
    for (const auto& problem : projects->problems) {
        if (!name.empty() && problem.file != file) continue;
        found = true;
        for (auto& line : lines_of(problem.text)) problems.push_back(std::move(line));
    }
    for (const auto& project : projects->good) {
        if (!name.empty() && project.name != name) continue;
        found = true;
        if (asked.fix) {
            const auto mended = mend_repository(project);
            if (!mended) return fail(mended.error());
            if (!session.json) session.line(joined(*mended, "\n"));
        }
        auto seen = all_findings(project, History::checked);
        std::ranges::move(seen.problems, std::back_inserter(problems));
        if (!session.json)
            for (const auto& note : seen.notes) session.line(printable_lines(note));
        for (auto& problem : unseen_by_units(project)) problems.push_back(std::move(problem));
    }
    for (auto& problem : unreadable_files()) problems.push_back(std::move(problem));
    if (!found) return fail(Errc::no_such, "There is no project " + name + ": " + file + " is not there.");
    return report(session, problems, name.empty() ? in_order(*projects) : name + " is in order.");
}

Status grant(Session& session, const std::string& name) {
    if (::geteuid() != 0) return fail(Errc::not_permitted, "Only root can grant what a deploy needs: use sudo.");
    const auto projects = host_projects();
    if (!projects) return fail(projects.error());
    const auto* project = settings::find(*projects, name);
    if (project == nullptr)
        return fail(Errc::no_such, "There is no project " + name + " in order: 'orchctl project check' says what is wrong.");
    const auto granted = grant_deploy(*project);
    if (!granted) return fail(granted.error());
    say_done(session, granted->empty() ? "All of it was granted before." : joined(*granted, "\n"));
    return {};
}

// The project's own checks, as a run would make them.
Status try_project(Session& session, const std::string& name, const std::string& only) {
    if (name.empty()) return fail(Errc::invalid_argument, "--try takes one project: orchctl project check NAME --try.");
    const auto host = host_settings();
    if (!host) return fail(host.error());
    const auto projects = settings::load_projects(std::string(names::projects_dir), host->settings);
    const auto* project = settings::find(projects, name);
    if (project == nullptr)
        return fail(Errc::no_such, "There is no project " + name + " in order: 'orchctl project check' says what is wrong.");
    return try_checks(session, *project, host->settings, only);
}

void add_check(Command project, Session& session) {
    const auto asked = std::make_shared<Asked>();
    const auto command = project.add("check", "Check project files, and what they name on this host");
    const auto name = command.option("NAME", asked->name, "Only this project");
    const auto fix =
        command.flag("--fix", asked->fix, "Give its repository to the group, and let branches of tasks be rebased in it (root)")
            .needs(name);
    const auto tries = command.flag("--try", asked->tries, "Run its checks in the sandbox of a run, without a task (root)");
    tries.excludes(fix);
    command.option("--only", asked->only, "Of them only ci, test, staging or build").needs(tries);
    command.does(
        [&session, asked] { return asked->tries ? try_project(session, asked->name, asked->only) : check(session, *asked); });
}

void add_add(Command project, Session& session) {
    const auto given = std::make_shared<AddOptions>();
    const auto command =
        project.add("add", "Write a project's file, check it, and refuse a name or prefix that is taken (root)");
    command.option("NAME", given->project.name, "Its name, such as hello").required();
    command.option("--prefix", given->project.prefix, "The prefix of its work items, such as HELLO").required();
    command.option("--repo", given->project.repository, "The absolute path of its bare repository").required();
    command.flag("--init", given->init, "Make that repository, empty, for the user orchd and its group");
    command.option("--target", given->project.target, "The branch that is merged into; main where it is left out");
    command.option("--agent", given->agent, "The command of its agents; split as a shell would, without one").required();
    command.option("--ci", given->ci, "The command of its check after every change, such as ./test");
    command.option("--test", given->test, "The command of its tests before a merge");
    command.option("--staging", given->staging, "The command that builds, serves and probes it");
    const auto build = command.option("--build", given->build, "The command that leaves release.tar");
    const auto hook = command.option("--hook", given->project.hook, "The program that deploys a release").needs(build);
    command.option("--hook-config", given->project.hook_config, "The hook's own configuration").needs(hook);
    command.does([&session, given] { return add(session, *given); });
}

}  // namespace

void add_project(Command app, Session& session) {
    const auto project = app.family("project", "Projects of this host: their files in /etc/orchd/projects.d");
    add_add(project, session);
    project.add("list", "List projects").does([&session] { return list_projects(session); });
    const auto name = std::make_shared<std::string>();
    add_check(project, session);
    const auto granting = project.add(
        "grant-deploy", "Give the deploy unit the path and the one service that deploy-systemd needs for a project (root)");
    granting.option("NAME", *name, "The project, with [deploy] hook and config in its file").required();
    granting.does([&session, name] { return grant(session, *name); });
    add_project_changes(project, session);
}

}  // namespace orchd::orchctl
