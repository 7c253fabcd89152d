// A house with a database of its own, as the views see it.
#pragma once

#include "unit/store/store_fixture.h"
#include "views/views.h"

namespace orchd::views {

using store::must;
using store::Tx;

class ViewsTest : public store::StoreTest {
protected:
    ViewsTest() {
        settings::Project project;
        project.name = "hello";
        project.prefix = "HELLO";
        projects.good.push_back(project);
        projects.problems.push_back({"/etc/orchd/projects.d/broken.toml", "line 3: unknown key"});
    }
    [[nodiscard]] WorldView view() { return {db, settings, projects, now, 1 << 20}; }

    settings::Settings settings;
    settings::Projects projects;
};

}  // namespace orchd::views
