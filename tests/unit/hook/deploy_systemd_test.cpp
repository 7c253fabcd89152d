// R30: the shipped deploy hook, with a stand-in for systemctl that "runs" a release by noting where ROOT/current led at its
// restart. The files of a release say how it behaves: good (healthy), broken (does not start), deadly (kills the hook),
// flapping (is another invocation at each look).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <csignal>
#include <thread>

#include "git/scene.h"
#include "host/fd.h"

namespace orchd {
namespace {

namespace fs = std::filesystem;
using scene::sh;

class DeployHook : public testing::Test {
protected:
    DeployHook() {
        script("bin/systemctl", R"(
to=$(readlink -f $S/root/current)
case "$*" in
"--no-ask-password restart demo.service")
    [ ! -e $S/refuse ] || { echo "Access denied" >&2; exit 1; }
    echo $(($(cat $S/invocation) + 1)) >$S/invocation
    [ ! -e $to/deadly ] || { rm $to/deadly; kill -KILL $PPID; }
    [ ! -e $to/broken ] || { echo failed >$S/state; exit 1; }
    basename $to >$S/running; echo active >$S/state ;;
"--no-ask-password stop demo.service") rm -f $S/running; echo inactive >$S/state ;;
"--no-ask-password reset-failed demo.service") ;;
"show --property=LoadState,ActiveState,InvocationID,TriggeredBy demo.service")
    [ ! -e $to/flapping ] || echo $(($(cat $S/invocation) + 1)) >$S/invocation
    echo InvocationID=$(cat $S/invocation); echo ActiveState=$(cat $S/state); echo LoadState=$(cat $S/load) ;;
*) echo "systemctl: unexpected $*" >&2; exit 64 ;;
esac)");
        script("healthy", "test -e $S/root/releases/$(cat $S/running)/good");
        configure(health());
        scene::write(folder / "invocation", "0\n");
        scene::write(folder / "state", "inactive\n");
        scene::write(folder / "load", "loaded\n");
    }
    [[nodiscard]] std::string health(int answers = 1) const {
        return "HEALTH_COMMAND=" + folder / "healthy" + "\nHEALTH_TIMEOUT_S=1\nHEALTH_ANSWERS=" + std::to_string(answers) +
               '\n';
    }
    void script(const std::string& name, const std::string& text) {
        scene::write(folder / name, "#!/bin/bash\nS=" + folder.path() + '\n' + text + '\n');
        sh(folder.path(), "chmod +x " + name);
    }
    void configure(const std::string& rest) {
        scene::write(folder / "demo.conf", "# demo\nROOT=" + folder / "root" + "\nUNIT=demo.service\n\n" + rest);
    }
    struct Said {
        int status;  // minus the signal
        std::string out, err;
    };
    Said hook(const std::string& verb, char commit = 'a', const std::string& more = "X=") {
        const auto ended = host::run(
            {.argv = {ORCHD_HOOK, verb},
             .environment = {"PATH=" + folder / "bin" + ":/usr/bin:/bin", "ORCHD_PROJECT=demo", "ORCHD_COMMIT=" + id(commit),
                             "ORCHD_RELEASE=" + folder / "release.tar", "ORCHD_DEPLOY_CONFIG=" + folder / "demo.conf", more},
             .timeout_ms = 60'000});
        EXPECT_TRUE(ended);
        return {WIFSIGNALED(ended->status) ? -WTERMSIG(ended->status) : WEXITSTATUS(ended->status), ended->out, ended->err};
    }
    void build(const std::string& files) {
        sh(folder.path(),
           "rm -rf content && mkdir content && cd content && touch " + files + " && tar -cf ../release.tar " + files);
    }
    // Deploys a release of these files.
    Said deploy(char commit, const std::string& files) {
        build(files);
        return hook("deploy", commit);
    }
    static std::string id(char commit) { return std::string(40, commit); }
    std::string live() { return hook("status").out; }
    std::string running() { return fs::exists(folder / "running") ? scene::read(folder / "running") : "nothing\n"; }
    int restarts() { return std::stoi(scene::read(folder / "invocation")); }
    bool kept(char commit) { return fs::exists(folder / "root/releases/" + id(commit)); }

    scene::Folder folder;
};

TEST_F(DeployHook, MakesAReleaseLiveOnce) {
    EXPECT_EQ(live(), "");
    EXPECT_FALSE(fs::exists(folder / "root")) << "status changes nothing";
    EXPECT_EQ(deploy('a', "good").status, 0);
    EXPECT_EQ(live(), id('a') + '\n');
    EXPECT_EQ(running(), id('a') + '\n');
    EXPECT_EQ(deploy('b', "good").status, 0);
    EXPECT_EQ(deploy('b', "good").status, 0);
    EXPECT_EQ(live(), id('b') + '\n');
    EXPECT_EQ(restarts(), 2) << "the same commit again restarts nothing";
}

TEST_F(DeployHook, GoesBackFromAReleaseThatNeverBecomesHealthy) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    for (const auto* files : {"bad", "broken", "good flapping"}) {
        const auto said = deploy('b', files);
        EXPECT_EQ(said.status, 1) << said.out;
        EXPECT_EQ(live(), id('a') + '\n');
        EXPECT_EQ(running(), id('a') + '\n');
        EXPECT_FALSE(kept('b'));
    }
    EXPECT_EQ(deploy('b', "good").status, 0) << "and takes a better build of it";
}

TEST_F(DeployHook, SaysWhenTheWayBackFailsToo) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    fs::remove(folder / "root/releases/" + id('a') + "/good");
    EXPECT_EQ(deploy('b', "bad").status, 2);
}

TEST_F(DeployHook, StopsAFirstReleaseThatIsNotHealthy) {
    EXPECT_EQ(deploy('a', "bad").status, 1);
    EXPECT_EQ(live(), "");
    EXPECT_EQ(running(), "nothing\n");
}

TEST_F(DeployHook, KilledOnItsWayIsNotLiveAndIsDeployedByTheNextCall) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    ASSERT_EQ(deploy('b', "good deadly").status, -SIGKILL);
    const auto status = hook("status");
    EXPECT_EQ(status.status, 0);
    EXPECT_EQ(status.out, "");
    EXPECT_NE(status.err.find("interrupted"), std::string::npos);
    EXPECT_EQ(deploy('b', "good").status, 0);
    EXPECT_EQ(live(), id('b') + '\n');
}

TEST_F(DeployHook, KilledOnItsWayGivesWayToAnotherCommit) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    ASSERT_EQ(deploy('b', "good deadly").status, -SIGKILL);
    EXPECT_EQ(deploy('a', "good").status, 0) << "what was live is made live again, not believed to be";
    EXPECT_EQ(running(), id('a') + '\n');
    ASSERT_EQ(deploy('d', "good deadly").status, -SIGKILL);
    EXPECT_EQ(deploy('c', "bad").status, 1);
    EXPECT_EQ(live(), id('a') + '\n') << "back to what was live for sure";
}

TEST_F(DeployHook, ChangesNothingWhereTheManagerRefuses) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    scene::write(folder / "refuse", "");
    const auto said = deploy('b', "good");
    EXPECT_EQ(said.status, 1);
    EXPECT_NE(said.err.find("grant-deploy demo"), std::string::npos);
    EXPECT_EQ(live(), id('a') + '\n');
    EXPECT_EQ(running(), id('a') + '\n');
}

TEST_F(DeployHook, ChangesNothingForAReleaseThatCannotBeUnpacked) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    scene::write(folder / "release.tar", "no tar");
    EXPECT_EQ(hook("deploy", 'b').status, 1);
    fs::remove(folder / "release.tar");
    EXPECT_EQ(hook("deploy", 'b').status, 1);
    EXPECT_EQ(live(), id('a') + '\n');
    EXPECT_EQ(restarts(), 1);
    EXPECT_FALSE(fs::exists(folder / "root/releases/" + id('b') + ".new"));
}

// As a service that runs as another user leaves files in its release. Root could remove them, but for a mount.
TEST_F(DeployHook, WhatIsLeftOfAReleaseIsToldAndNeverTakenForOne) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount";
    ASSERT_EQ(deploy('a', "good").status, 0);
    ASSERT_EQ(deploy('b', "good").status, 0);
    const auto before = folder / "root/releases/" + id('a');
    fs::create_directory(before + "/cache");
    scene::write(before + "/whole", "");
    ASSERT_EQ(::mount("none", (before + "/cache").c_str(), "tmpfs", 0, nullptr), 0);
    const auto said = deploy('a', "good new");
    EXPECT_EQ(said.status, 0);
    const auto left = sh(folder / "root/releases", "ls | grep gone");
    sh(folder / "root/releases", "umount *.gone-*/cache");
    EXPECT_NE(said.out.find(left + " cannot be removed"), std::string::npos) << said.out;
    EXPECT_EQ(sh(folder / "root/releases", "ls -A " + id('a')), "good\nnew");
    ASSERT_EQ(deploy('c', "good").status, 0);
    EXPECT_EQ(sh(folder / "root/releases", "ls"), id('a') + '\n' + id('b') + '\n' + id('c')) << "and removed when it can be";
}

TEST_F(DeployHook, AReleaseThatIsThereAlreadyIsUnpackedAnew) {
    ASSERT_EQ(deploy('a', "good whole").status, 0);
    ASSERT_EQ(deploy('b', "good").status, 0);
    fs::remove(folder / "root/releases/" + id('a') + "/whole");
    scene::write(folder / "root/releases/" + id('a') + "/written", "by the service");
    ASSERT_EQ(deploy('a', "good whole").status, 0);
    EXPECT_EQ(sh(folder / "root/releases", "ls -A " + id('a')), "good\nwhole");
}

TEST_F(DeployHook, RefusesBeforeItTouchesAnything) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    const auto untouched = [&](const std::string& because) {
        const auto before = sh(folder.path(), "ls -lR root; cat invocation");
        for (const auto* verb : {"deploy", "rollback"}) {
            build("good");
            const auto said = hook(verb, 'b');
            EXPECT_EQ(said.status, 1) << because;
            EXPECT_NE(said.err.find(because), std::string::npos) << said.err;
        }
        EXPECT_EQ(sh(folder.path(), "ls -lR root; cat invocation"), before) << because;
        EXPECT_EQ(running(), id('a') + '\n');
    };
    scene::write(folder / "load", "not-found\n");
    untouched("it is not-found");
    scene::write(folder / "load", "loaded\n");
    sh(folder.path(), "mv root/current root/was && mkdir root/current && touch root/current/serve");
    untouched("current is no link");
    sh(folder.path(), "rm -r root/current && ln -s /srv/mine root/current");
    untouched("which is no release of ours");
    sh(folder.path(), "mv -T root/was root/current && echo what >root/previous");
    untouched("previous names no commit");
}

TEST_F(DeployHook, AUnitThatDoesNotRunIsNotLive) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    scene::write(folder / "state", "failed\n");
    EXPECT_EQ(live(), "");
    EXPECT_EQ(deploy('a', "good").status, 0);
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(live(), id('a') + '\n');
}

TEST_F(DeployHook, OneAnswerIsNoHealth) {
    script("healthy", "echo >>$S/asked; test $(wc -l <$S/asked) != 2 -a -e $S/root/releases/$(cat $S/running)/good");
    configure("HEALTH_TIMEOUT_S=10\nHEALTH_COMMAND=" + folder / "healthy" + "\n");
    ASSERT_EQ(deploy('a', "good").status, 0);
    EXPECT_EQ(sh(folder.path(), "wc -l <asked"), "5") << "one, one that is bad, and three in a row";
}

// The hook is killed before each command that changes something, in a run that goes well, one that goes back, and a rollback.
TEST_F(DeployHook, KilledAnywhereNothingFalseIsSaidAndTheNextCallSetsItRight) {
    scene::write(folder / "killer",
                 "set -T\n"
                 "trap 'case $BASH_COMMAND in mv*|rm*|ln*|mkdir*|tar*|systemctl\\ --no*)\n"
                 "echo >>$S/steps; [ $(wc -l <$S/steps) != $KILL_AT ] || kill -KILL $$ ;; esac' DEBUG\n");
    ASSERT_EQ(deploy('0', "good whole").status, 0);
    ASSERT_EQ(deploy('a', "good whole").status, 0);
    sh(folder.path(), "mkdir kept && cp -a root invocation state running kept");
    for (const auto& [verb, files] :
         {std::pair("deploy", "good whole"), {"deploy", "broken whole"}, {"rollback", "good whole"}}) {
        int at = 1;
        for (bool killed = true; killed; ++at) {
            sh(folder.path(), "rm -rf root steps && cp -a kept/. .");
            build(files);
            script("bash-env", "KILL_AT=" + std::to_string(at) + "\n. $S/killer");
            killed = hook(verb, 'b', "BASH_ENV=" + folder / "bash-env").status == -SIGKILL;
            sh(folder.path(), "flock root/lock true");  // what the killed one had begun has ended, too
            const auto where = std::string(verb) + " of " + files + " killed at step " + std::to_string(at);
            const auto said = live();
            EXPECT_TRUE(said.empty() || said == running()) << where << ": " << said << running();
            EXPECT_EQ(deploy('c', at % 2 == 0 ? "good whole" : "broken whole").status, at % 2) << where;
            EXPECT_EQ(live(), running()) << where;
            EXPECT_EQ(live().empty(), false) << where;
            EXPECT_EQ(sh(folder / "root/releases", "for r in *; do [ -e $r/whole ] || echo $r; done"), "") << where;
            EXPECT_EQ(sh(folder / "root", "ls"), "current\nlive\nlock\norder\nprevious\nreleases") << where;
        }
        EXPECT_GT(at, 10) << "so many steps were tried";
    }
}

TEST_F(DeployHook, LetsTheServiceIntoARelease) {
    sh(folder.path(),
       "mkdir -p content/locked && touch content/good && chmod 555 content/locked && chmod 700 content && "
       "tar -C content -cf release.tar .");
    ASSERT_EQ(hook("deploy").status, 0);
    EXPECT_EQ(sh(folder / "root/releases", "stat -c %a " + id('a') + " " + id('a') + "/locked"), "755\n755");
}

TEST_F(DeployHook, UnpacksNothingOutsideOfTheReleaseDirectory) {
    sh(folder.path(), "mkdir -p content/sub && cd content && touch good evil && ln -s " + folder.path() +
                          " out && mkdir o && touch o/evil2 && "
                          "tar -cf ../release.tar -P --transform 's|^evil$|../../../evil|' good evil && "
                          "tar -rf ../release.tar -P --transform 's|^evil$|" +
                          folder / "evil" +
                          "|' evil && tar -rf ../release.tar out && "
                          "tar -rf ../release.tar --transform 's|^o/|out/|' o/evil2");
    ASSERT_EQ(sh(folder.path(), "tar -tPf release.tar"), "good\n../../../evil\n" + folder / "evil" + "\nout\nout/evil2")
        << "what it tries";
    hook("deploy");
    EXPECT_FALSE(fs::exists(folder / "evil"));
    EXPECT_FALSE(fs::exists(folder / "evil2"));
}

TEST_F(DeployHook, LetsNobodyElseInWhileItWorks) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    const host::Fd lock(::open((folder / "root/lock").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
    EXPECT_EQ(deploy('b', "good").status, 75);
    EXPECT_EQ(hook("status").status, 75);
    ::flock(lock.get(), LOCK_UN);
    EXPECT_EQ(live(), id('a') + '\n');
}

TEST_F(DeployHook, RollsBackToTheReleaseBeforeAndNoFurther) {
    EXPECT_EQ(hook("rollback").status, 1);
    ASSERT_EQ(deploy('a', "good").status, 0);
    ASSERT_EQ(deploy('b', "good").status, 0);
    EXPECT_EQ(hook("rollback").status, 0);
    EXPECT_EQ(live(), id('a') + '\n');
    EXPECT_EQ(running(), id('a') + '\n');
    EXPECT_EQ(hook("rollback").status, 1);
}

TEST_F(DeployHook, ARollbackWhoseTargetDoesNotStartGoesBackToWhatWasLive) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    ASSERT_EQ(deploy('b', "good").status, 0);
    fs::remove(folder / "root/releases/" + id('a') + "/good");
    EXPECT_EQ(hook("rollback").status, 1);
    EXPECT_EQ(live(), id('b') + '\n');
    EXPECT_EQ(running(), id('b') + '\n');
    EXPECT_TRUE(kept('a')) << "a rollback throws nothing away";
    fs::remove(folder / "root/releases/" + id('b') + "/good");
    EXPECT_EQ(hook("rollback").status, 2);
    EXPECT_EQ(live(), "");
}

TEST_F(DeployHook, ARollbackGoesBackFromADeployThatWasKilled) {
    ASSERT_EQ(deploy('a', "good").status, 0);
    ASSERT_EQ(deploy('b', "good").status, 0);
    ASSERT_EQ(deploy('c', "good deadly").status, -SIGKILL);
    EXPECT_EQ(hook("rollback").status, 0);
    EXPECT_EQ(live(), id('b') + '\n');
    EXPECT_EQ(hook("rollback").status, 0);
    EXPECT_EQ(live(), id('a') + '\n');
}

TEST_F(DeployHook, KeepsWhatWasLiveLastWhateverTheTimesOfTheFiles) {
    configure("KEEP=1\n" + health());
    for (const char commit : {'a', 'b', 'c', 'd'}) {
        ASSERT_EQ(deploy(commit, "good").status, 0);
        sh(folder.path(), "touch -d @" + std::to_string(1'700'000'000 - commit) + " root/releases/" + id(commit));
    }
    ASSERT_EQ(deploy('f', "bad").status, 1);
    ASSERT_EQ(deploy('e', "good").status, 0);
    EXPECT_TRUE(kept('e') && kept('d') && kept('c')) << "live, previous, and one more";
    EXPECT_FALSE(kept('a') || kept('b'));
}

TEST_F(DeployHook, KeepsAsManyReleasesAsItIsTold) {
    configure("KEEP=1\n" + health());
    for (const char commit : {'a', 'b', 'c', 'd'}) {
        ASSERT_EQ(deploy(commit, "good").status, 0);
        // Releases of one instant are kept in no order.
        sh(folder.path(), "touch -d @" + std::to_string(1'700'000'000 + commit) + " root/releases/" + id(commit));
    }
    ASSERT_EQ(deploy('e', "good").status, 0);
    EXPECT_TRUE(kept('e') && kept('d') && kept('c')) << "live, previous, and one more";
    EXPECT_FALSE(kept('a') || kept('b'));
}

TEST_F(DeployHook, SaysWhatIsWrongWithItsConfiguration) {
    const std::vector<std::pair<std::string, std::string>> mistakes{
        {"HEALTH_URI=http://x/\n", "unknown key HEALTH_URI"},
        {"what\n", "is not KEY=value"},
        {"", "HEALTH_URL or HEALTH_COMMAND"},
        {"HEALTH_URL=https://localhost/\n", "HEALTH_URL is http://"},
        {"HEALTH_COMMAND=x\nKEEP=many\n", "are numbers"},
        {"HEALTH_COMMAND=x\nHEALTH_ANSWERS=0\n", "are numbers"},
        {"HEALTH_COMMAND=x\nROOT=/\n", "ROOT is the absolute path"},
        {"HEALTH_COMMAND=x\nUNIT=-H x.service\n", "UNIT is the name"}};
    for (const auto& [text, why] : mistakes) {
        configure(text);
        const auto said = hook("status");
        EXPECT_EQ(said.status, 1) << text;
        EXPECT_NE(said.err.find(why), std::string::npos) << said.err;
    }
    EXPECT_EQ(hook("destroy").status, 1);
}

// Answers each request with the status line that is set.
class Server {
public:
    explicit Server(std::string answer)
        : answer_(std::move(answer)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(socket_.get(), 8), 0);
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
        port = ::ntohs(address.sin_port);
        thread_ = std::thread([this] {
            for (host::Fd peer; (peer.reset(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)), peer.open());) {
                char request[1024];
                (void)!::read(peer.get(), request, sizeof request);
                (void)!::write(peer.get(), answer_.data(), answer_.size());
            }
        });
    }
    Server(const Server&) = delete;
    ~Server() {
        ::shutdown(socket_.get(), SHUT_RDWR);
        thread_.join();
    }
    int port = 0;

private:
    std::string answer_;
    host::Fd socket_;
    std::thread thread_;
};

TEST_F(DeployHook, BelievesAnAnswerOf2xxAndNoOther) {
    scene::write(folder / "state", "active\n");
    const Server well("HTTP/1.1 204 No Content\r\n\r\n");
    configure("HEALTH_TIMEOUT_S=5\nHEALTH_URL=http://127.0.0.1:" + std::to_string(well.port) + "/health?deep=1\n");
    EXPECT_EQ(deploy('a', "x").status, 0);
    const Server ill("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    configure("HEALTH_TIMEOUT_S=1\nHEALTH_URL=http://localhost:" + std::to_string(ill.port) + "\n");
    EXPECT_EQ(deploy('b', "x").status, 2);
}

TEST_F(DeployHook, WhatAnotherProcessAnswersIsNotTheUnits) {
    const Server stray("HTTP/1.1 200 OK\r\n\r\n");
    configure("HEALTH_TIMEOUT_S=5\nHEALTH_URL=http://127.0.0.1:" + std::to_string(stray.port) + "/\n");
    scene::write(folder / "state", "active\n");
    for (const auto* files : {"broken", "flapping"}) {
        EXPECT_EQ(deploy('a', files).status, 1);
        EXPECT_EQ(live(), "");
    }
    scene::write(folder / "state", "inactive\n");
    const auto said = deploy('a', "good");
    EXPECT_EQ(said.status, 1);
    EXPECT_NE(said.err.find("another process answers"), std::string::npos) << said.err;
    EXPECT_FALSE(kept('a'));
}

}  // namespace
}  // namespace orchd
