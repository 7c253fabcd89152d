// The local forge (R33): a bare repository on this host. It has no pull requests: the task's branch is the request, and merging
// is a compare-and-swap of one reference.
#include <filesystem>

#include "forge/forge.h"

namespace orchd::forge {
namespace {

class LocalForge final : public Forge {
public:
    LocalForge(std::string project, std::string path, const git::Options& options)
        : project_(std::move(project)), bare_(std::move(path), options) {}

    Status fetch(git::Mirror& mirror) override { return mirror.fetch(bare_.path()); }
    Result<std::optional<std::string>> head(const std::string& branch) override { return bare_.head(branch); }
    Status push(git::Mirror& mirror, const std::string& branch, const std::string& commit,
                const std::string& expected) override {
        return told(mirror.push(bare_.path(), branch, commit, expected));
    }
    Status remove(const std::string& branch, const std::string& expected) override {
        return told(bare_.remove(branch, expected));
    }
    // The objects are there already, with the task's branch.
    Status merge(git::Mirror&, const std::string& target, const std::string& commit, const std::string& from) override {
        return told(bare_.fast_forward(target, commit, from));
    }
    Result<bool> contains(git::Mirror&, const std::string& target, const std::string& commit) override {
        return bare_.contains(target, commit);
    }

private:
    // With where to look, in the case that the repository says no.
    [[nodiscard]] Status told(Status done) const {
        if (done || done.error().code != Errc::refused || done.error().text.find("project check") != std::string::npos)
            return done;
        return fail(Errc::refused, done.error().text + " ('orchctl project check " + project_ + "' says what it takes)");
    }

    std::string project_;
    git::Bare bare_;
};

}  // namespace

Result<std::unique_ptr<Forge>> open(const settings::Project& project, const git::Options& options) {
    if (project.forge_kind != "local")
        return fail(Errc::invalid_argument,
                    "project " + project.name + " asks for a forge of kind '" + project.forge_kind +
                        "', which this version does not know: set [forge] kind = \"local\" and its path");
    std::error_code ignored;
    if (!std::filesystem::exists(project.forge_path + "/HEAD", ignored))
        return fail(Errc::refused, project.forge_path +
                                       " is no bare repository that the user orchd can read: 'orchctl project check " +
                                       project.name + "' says what it takes");
    return std::make_unique<LocalForge>(project.name, project.forge_path, options);
}

}  // namespace orchd::forge
