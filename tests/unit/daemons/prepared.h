// A run as prepare leaves it: a spec, a prompt and a mirror, beside an empty state directory.
#pragma once

#include "daemons/launch.h"
#include "git/git.h"
#include "git/scene.h"

namespace orchd::daemons {

class Prepared : public testing::Test {
protected:
    Prepared() {
        paths.run_dir = folder / "run";
        paths.mirror = folder / "m.git";
        paths.state_dir = folder / "state";
        std::filesystem::create_directory(paths.state_dir);
        auto mirror = git::open_mirror(paths.mirror, {.timeout_s = 60});
        EXPECT_TRUE(mirror && (*mirror)->fetch(forge.path));
        spec.run_id = 7;
        spec.work_item = "HELLO-1";
        spec.project = "hello";
        spec.stage = "development";
        spec.branch = "task/HELLO-1";
        spec.commit = spec.base = forge.at("main");
        spec.timeout_s = 60;
    }
    // The exit status (or minus the signal) of a run of this script.
    int launch(const std::string& script) {
        spec.command = {"/bin/sh", "-ec", script};
        return launch();
    }
    int launch() {
        lay();
        const int status = spec.kind == JobKind::deploy ? launch_deploy(paths) : launch_run(paths);
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    }
    void lay() { scene::write(paths.run_dir + "/spec.json", engine::to_json(spec)); }
    [[nodiscard]] std::string left(const std::string& name) const { return scene::read(paths.state_dir + '/' + name); }

    scene::Folder folder;
    scene::Forge forge{folder};
    LaunchPaths paths;
    engine::Spec spec;
};

}  // namespace orchd::daemons
