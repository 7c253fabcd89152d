// A folder that goes away with the test, and repositories in it that are written by plain git, as people and agents do.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "host/host.h"

namespace orchd::scene {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "orchd-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "mkdtemp failed";
        path_ = name;
    }
    Folder(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }

private:
    std::string path_;
};

// While it lives, who is root is nobody, whom modes bind, and the folder is nobody's.
class AsNobody {
public:
    explicit AsNobody(const Folder& folder) : was_root_(::geteuid() == 0) {
        if (!was_root_) return;
        constexpr unsigned nobody = 65534;
        bool given = ::lchown(folder.path().c_str(), nobody, nobody) == 0;
        for (const auto& at : std::filesystem::recursive_directory_iterator(folder.path()))
            given = ::lchown(at.path().c_str(), nobody, nobody) == 0 && given;
        if (!given || ::setresgid(nobody, nobody, 0) != 0 || ::setresuid(nobody, nobody, 0) != 0)
            ADD_FAILURE() << "cannot become nobody";
    }
    AsNobody(const AsNobody&) = delete;
    ~AsNobody() {
        if (was_root_ && (::setresuid(0, 0, 0) != 0 || ::setresgid(0, 0, 0) != 0)) ADD_FAILURE() << "cannot become root again";
    }

private:
    bool was_root_;
};

inline std::string read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
inline void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

// Output of a shell script in `folder`, without its last line break; a failure fails the test with what was said.
inline std::string sh(const std::string& folder, const std::string& script) {
    const auto ended = host::run(
        {.argv = {"/bin/sh", "-ec", script},
         .environment = {"PATH=/usr/bin:/bin", "HOME=" + folder, "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ann",
                         "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_AUTHOR_DATE=1700000000 +0100", "GIT_COMMITTER_NAME=Carl",
                         "GIT_COMMITTER_EMAIL=carl@example.org", "GIT_COMMITTER_DATE=1700000100 +0200"},
         .directory = folder,
         .timeout_ms = 60'000});
    if (!ended) {
        ADD_FAILURE() << ended.error().text;
        return {};
    }
    EXPECT_EQ(ended->status, 0) << script << '\n' << ended->out << ended->err;
    auto out = ended->out;
    if (out.ends_with('\n')) out.pop_back();
    return out;
}

// A bare forge and a person's clone of it, with one commit on main.
class Forge {
public:
    explicit Forge(const Folder& folder) : path(folder / "forge.git"), person(folder / "person") {
        sh(folder.path(),
           "git init -q --bare -b main forge.git; git init -q -b main person; cd person; "
           "git remote add origin ../forge.git; printf 'one\\ntwo\\nthree\\n' >file; git add .; "
           "git commit -qm first; git push -q origin main");
    }
    // Runs the script in the person's clone and says what HEAD is then.
    std::string commit(const std::string& script) const { return sh(person, script + "\ngit rev-parse HEAD"); }
    std::string at(const std::string& revision) const { return sh(path, "git rev-parse --verify " + revision); }

    const std::string path, person;
};

}  // namespace orchd::scene
