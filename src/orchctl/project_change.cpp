#include "orchctl/project_change.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "core/names.h"
#include "core/text.h"
#include "orchctl/answers.h"
#include "orchctl/client.h"
#include "orchctl/host_config.h"
#include "orchctl/project_check.h"
#include "orchctl/project_edit.h"
#include "orchctl/project_file.h"
#include "orchctl/reason.h"
#include "orchctl/sight.h"

namespace orchd::orchctl {
namespace {

const std::string& dir() {
    static const std::string folder(names::projects_dir);
    return folder;
}

// Puts the text in place, and says what is left to do.
Status put(Session& session, const ProjectText& project, const std::string& text, std::string done) {
    const auto host = host_settings();
    if (!host) return fail(host.error());
    if (auto replaced = replace_project_text(project, text, host->settings); !replaced) return replaced;
    if (const auto now = settings::load_project(project.file(), host->settings)) {
        for (const auto& problem : host_problems(*now)) done += "\nStill to do: " + problem;
        for (const auto& problem : unseen_by_units(*now)) done += "\nStill to do: " + problem;
    }
    say_done(session, done);
    return {};
}

struct Edit {
    std::string name;
    std::vector<std::string> set, unset;
};

Status set_keys(Session& session, const Edit& given, const ProjectText& project) {
    std::string text = project.text;
    for (const auto& assignment : given.set) {
        const auto equals = assignment.find('=');
        if (equals == std::string::npos)
            return fail(Errc::invalid_argument,
                        "--set takes KEY=VALUE, such as project.target=main, not '" + assignment + "'.");
        auto changed = with_key(text, assignment.substr(0, equals), assignment.substr(equals + 1));
        if (!changed) return fail(changed.error());
        text = std::move(*changed);
    }
    for (const auto& key : given.unset) {
        auto changed = with_key(text, key, std::nullopt);
        if (!changed) return fail(changed.error());
        text = std::move(*changed);
    }
    return put(session, project, text, "Changed " + project.file() + ".");
}

// $VISUAL, $EDITOR or the host's editor, by a shell, since people write options into them.
Status run_editor(const std::string& file) {
    const char* editor = std::getenv("VISUAL");
    if (editor == nullptr || *editor == '\0') editor = std::getenv("EDITOR");
    if (editor == nullptr || *editor == '\0') editor = "editor";
    const std::string command = std::string(editor) + " \"$1\"";
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl("/bin/sh", "sh", "-c", command.c_str(), "sh", file.c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fail(Errc::unavailable,
                std::string("The editor '") + editor + "' failed: nothing was changed. Set EDITOR, or use --set.");
}

Result<std::string> read_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in) return fail(Errc::io, file + " cannot be read.");
    return text;
}

// On a copy, which is kept where what was written cannot be taken.
Status edit_copy(Session& session, const ProjectText& project) {
    const char* folder = std::getenv("TMPDIR");
    std::string copy =
        std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/" + project.name + "-XXXXXX.toml";
    const int fd = ::mkostemps(copy.data(), 5, O_CLOEXEC);
    if (fd < 0) return fail(Errc::io, copy + ": " + std::strerror(errno) + ".");
    const auto written = ::write(fd, project.text.data(), project.text.size());
    ::close(fd);
    if (written != static_cast<ssize_t>(project.text.size())) return fail(Errc::io, copy + " cannot be written.");
    auto edited = run_editor(copy).and_then([&] { return read_file(copy); });
    if (!edited) {
        ::unlink(copy.c_str());
        return fail(edited.error());
    }
    if (*edited == project.text) {
        ::unlink(copy.c_str());
        say_done(session, "Nothing was changed.");
        return {};
    }
    auto done = put(session, project, *edited, "Changed " + project.file() + ".");
    if (done) {
        ::unlink(copy.c_str());
        return {};
    }
    return fail(done.error().code, done.error().text + "\nThe project is as it was; what you wrote is in " + copy + ".");
}

Status edit(Session& session, const Edit& given) {
    const auto project = read_project_text(dir(), given.name);
    if (!project) return fail(project.error());
    if (!given.set.empty() || !given.unset.empty()) return set_keys(session, given, *project);
    return edit_copy(session, *project);
}

// Tasks that have not ended: without their project's file they stand still. Who cannot be asked has not said that there are
// none.
Result<std::vector<std::string>> open_tasks(const std::string& name) {
    auto client = Client::connect();
    if (!client) return fail(client.error());
    const auto tasks = client->list("ListTasks", {Options{{"project", name}, {"open", true}}}, task_fields());
    if (!tasks) return fail(tasks.error());
    std::vector<std::string> items;
    for (const auto& task : *tasks) items.push_back(task.text("work_item"));
    return items;
}

struct Remove {
    std::string name;
    bool with_open_tasks = false;
};

Status remove(Session& session, const Remove& given) {
    const auto project = read_project_text(dir(), given.name);
    if (!project) return fail(project.error());
    std::string open;
    if (auto tasks = open_tasks(given.name); tasks) {
        open = joined(*tasks, ", ");
        if (!open.empty() && !given.with_open_tasks)
            return fail(Errc::conflict, counted(tasks->size(), "task") + " of " + given.name + " would stand still: " + open +
                                            ". Wait for them, cancel them, or say --with-open-tasks.");
    } else if (!given.with_open_tasks) {
        return fail(tasks.error().code,
                    tasks.error().text + " Whether tasks are open cannot be told; --with-open-tasks does not ask.");
    }
    const auto kept = remove_project_text(*project);
    if (!kept) return fail(kept.error());
    say_done(session, "Removed " + given.name + ". Its tasks and its repository stay, and its file is kept as " + *kept + "." +
                          (open.empty() ? "" : "\nThese stand still until it is back: " + open + "."));
    return {};
}

Status disable(Session& session, const std::string& name, const Reason& reason) {
    const auto project = read_project_text(dir(), name);
    if (!project) return fail(project.error());
    const auto why = said(reason, Wanted::no);
    if (!why) return fail(why.error());
    const auto text = with_key(project->text, "project.disabled", toml_text(*why));
    if (!text) return fail(text.error());
    return put(session, *project, *text, "Disabled " + name + ": nothing new is started for it. Runs under way go on.");
}

Status enable(Session& session, const std::string& name) {
    const auto project = read_project_text(dir(), name);
    if (!project) return fail(project.error());
    const auto text = with_key(project->text, "project.disabled", std::nullopt);
    if (!text) return fail(text.error());
    return put(session, *project, *text, "Enabled " + name + ".");
}

}  // namespace

void add_project_changes(Command project, Session& session) {
    const auto edits = std::make_shared<Edit>();
    const auto editing = project.add("edit", "Edit a project's file: a copy, which is put in place when it is in order (root)");
    editing.option("NAME", edits->name, "The project").required();
    editing.option("--set", edits->set, "Without an editor: KEY=VALUE, such as project.target=main; again for more").one_each();
    editing.option("--unset", edits->unset, "Take a key out").one_each();
    editing.does([&session, edits] { return edit(session, *edits); });

    const auto removal = std::make_shared<Remove>();
    const auto removing = project.add("remove", "Take a project's file away; its tasks stay (root)");
    removing.option("NAME", removal->name, "The project").required();
    removing.flag("--with-open-tasks", removal->with_open_tasks,
                  "Also where tasks of it have not ended, which then stand still");
    removing.does([&session, removal] { return remove(session, *removal); });

    struct Disable {
        std::string name;
        Reason reason;
    };
    const auto given = std::make_shared<Disable>();
    const auto disabling = project.add("disable", "Start nothing new for a project, as its file then says (root)");
    disabling.option("NAME", given->name, "The project").required();
    take_reason(disabling, given->reason, "Why, for those who find it disabled");
    disabling.does([&session, given] { return disable(session, given->name, given->reason); });
    const auto enabling = project.add("enable", "Take that back (root)");
    enabling.option("NAME", given->name, "The project").required();
    enabling.does([&session, given] { return enable(session, given->name); });
}

}  // namespace orchd::orchctl
