// What tests/bench/chain.test does on a throw-away host, each to be called there as root:
//
//     bench_chain wake COUNT              commit of a job -> its StartUnit on the bus, COUNT times one after another;
//                                         between them a bare synced commit of a like row on the same disk
//     bench_chain commits FOLDER COUNT    such bare commits alone, in that folder: for another disk, on any machine
//     bench_chain fill PROJECT PREFIX COUNT   COUNT more tasks of the project, each with its first job queued
//     bench_chain runs SECONDS            runs that ended a second, meanwhile
//     bench_chain bare AGENT FINISH COUNT AT_ONCE   chains of bare units a second: starts of AGENT@N.service, ends of
//     FINISH@N.service
#include <systemd/sd-bus.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bare.h"
#include "core/names.h"
#include "host/host.h"
#include "host/systemd.h"
#include "store/db.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace {

using namespace orchd;
using bench::must;
using Clock = std::chrono::steady_clock;

void must(int result) {
    if (result < 0) throw std::runtime_error(std::string("the bus: ") + std::to_string(result));
}

store::Db database() { return must(store::Db::open(std::string(names::database), {})); }

store::Task new_task(store::Tx& tx, const std::string& project, const std::string& work_item) {
    const auto row = must(store::ensure_project(tx, project));
    return must(store::create_task(tx, row.id, work_item, "task/" + work_item, "A benchmark", "", host::now()));
}

std::int64_t queue(store::Tx& tx, const store::Task& task, Role role) {
    const auto now = host::now();
    return must(store::enqueue(tx, {.task_id = task.id, .role = role, .due = due_now(now)}, now)).value();
}

// A connection that is told every StartUnit on the system bus.
host::Bus monitor() {
    sd_bus* raw = nullptr;
    must(sd_bus_new(&raw));
    host::Bus bus(raw);
    must(sd_bus_set_address(raw, "unix:path=/run/dbus/system_bus_socket"));
    must(sd_bus_set_bus_client(raw, 1));
    must(sd_bus_set_monitor(raw, 1));
    must(sd_bus_start(raw));
    must(sd_bus_call_method(raw, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Monitoring",
                            "BecomeMonitor", nullptr, nullptr, "asu", 1, "type='method_call',member='StartUnit'", 0));
    return bus;
}

void await_start(sd_bus& bus, const std::string& unit) {
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    while (Clock::now() < deadline) {
        sd_bus_message* raw = nullptr;
        const int processed = sd_bus_process(&bus, &raw);
        must(processed);
        const host::Message message(raw);
        const char* name = nullptr;
        if (raw != nullptr && sd_bus_message_is_method_call(raw, nullptr, "StartUnit") > 0 &&
            sd_bus_message_read(raw, "s", &name) > 0 && unit == name)
            return;
        if (processed == 0) must(sd_bus_wait(&bus, 1'000'000));
    }
    throw std::runtime_error("no start of " + unit);
}

double milliseconds_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void print(const char* what, std::vector<double> ms) {
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double part) { return ms[static_cast<std::size_t>(part * static_cast<double>(ms.size() - 1))]; };
    std::printf("%s, %zu times: p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n", what, ms.size(), at(0.5), at(0.99), ms.back());
}

// A bare loop's database on the disk that orchd's is on; gone with it.
class BareBeside {
public:
    BareBeside() { std::filesystem::create_directory(folder_); }
    BareBeside(const BareBeside&) = delete;
    BareBeside& operator=(const BareBeside&) = delete;
    ~BareBeside() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    [[nodiscard]] std::string path() const { return folder_ / "bare.db"; }

private:
    std::filesystem::path folder_ = std::filesystem::path(names::state_dir) / "bench";
};

// Advances of cancelled tasks: their steps look, find nothing to do and end.
void wake(int count) {
    auto db = database();
    const BareBeside beside;
    bench::Bare bare(beside.path(), 1000);
    std::vector<double> bare_ms;
    const auto bus = monitor();
    const auto have = must(store::list_tasks(db, {.project = "wake", .stage = {}, .limit = 1'000'000})).size();
    std::vector<double> ms;
    for (int i = 1; i <= count; ++i) {
        const auto work_item = "WAKE-" + std::to_string(have + static_cast<unsigned>(i));
        const auto task = must(db.write([&](store::Tx& tx) -> Result<store::Task> {
            auto made = new_task(tx, "wake", work_item);
            must(store::write_stage(tx, made.id, made.stage, made.stage_seq, Stage::cancelled, {}, "", 0, host::now()));
            return made;
        }));
        const auto job = must(db.write([&](store::Tx& tx) -> Result<std::int64_t> { return queue(tx, task, Role::step); }));
        const auto committed = Clock::now();
        host::poke(std::string(names::wake_socket));
        await_start(*bus, names::unit(names::step, work_item));
        ms.push_back(milliseconds_since(committed));
        while (live(must(store::find_job(db, job))->status)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const auto began = Clock::now();
        bare.step(1);
        bare_ms.push_back(milliseconds_since(began));
    }
    print("commit -> StartUnit seen on the bus", ms);
    print("bare synced commit of a like row on the same disk", bare_ms);
}

void commits(const std::string& folder, int count) {
    bench::Bare bare(folder + "/bare.db", 1000);
    std::vector<double> ms;
    for (int i = 0; i < count; ++i) {
        const auto began = Clock::now();
        bare.step(1);
        ms.push_back(milliseconds_since(began));
    }
    print("bare synced commit of a like row in that folder", ms);
}

void fill(const std::string& project, const std::string& prefix, int count) {
    auto db = database();
    const auto have = must(store::list_tasks(db, {.project = project, .stage = {}, .limit = 1'000'000})).size();
    for (int made = 0; made < count;) {
        must(db.write([&](store::Tx& tx) -> Status {
            for (int i = 0; i < 500 && made < count; ++i)
                queue(tx, new_task(tx, project, prefix + "-" + std::to_string(have + static_cast<unsigned>(++made))),
                      Role::analyst);
            return {};
        }));
    }
}

std::int64_t ended_runs(store::Db& db) {
    auto statement = must(db.prepare("SELECT count(*) FROM runs WHERE exit_kind IS NOT NULL AND unit LIKE 'orchd-agent@%'"));
    return must(statement.step())->integer(0);
}

void runs(int seconds) {
    auto db = database();
    const auto before = ended_runs(db);
    const auto began = Clock::now();
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    const auto ended = ended_runs(db) - before;
    const std::chrono::duration<double> took = Clock::now() - began;
    std::printf("%.1f\n", static_cast<double>(ended) / took.count());
}

void bare(const std::string& agent, const std::string& finish, int count, int at_once) {
    const auto bus = must(host::open_system_bus());
    int started = 0, ended = 0;
    struct State {
        sd_bus* bus;
        const std::string &agent, &finish;
        int count, &started, &ended;
        void start() const {
            if (started < count)
                must(sd_bus_call_method_async(bus, nullptr, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                              "org.freedesktop.systemd1.Manager", "StartUnit", nullptr, nullptr, "ss",
                                              (agent + "@BARE-" + std::to_string(++started) + ".service").c_str(), "fail"));
        }
    } state{bus.get(), agent, finish, count, started, ended};
    must(sd_bus_call_method(bus.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                            "org.freedesktop.systemd1.Manager", "Subscribe", nullptr, nullptr, nullptr));
    const auto removed = [](sd_bus_message* message, void* userdata, sd_bus_error*) {
        const auto& s = *static_cast<State*>(userdata);
        const char* unit = nullptr;
        if (sd_bus_message_read(message, "s", &unit) > 0 && std::string_view(unit).starts_with(s.finish + "@")) {
            ++s.ended;
            s.start();
        }
        return 0;
    };
    must(sd_bus_match_signal(bus.get(), nullptr, "org.freedesktop.systemd1", nullptr, "org.freedesktop.systemd1.Manager",
                             "UnitRemoved", removed, &state));
    const auto began = Clock::now();
    for (int i = 0; i < at_once; ++i) state.start();
    while (ended < count) {
        const int processed = sd_bus_process(bus.get(), nullptr);
        must(processed);
        if (processed == 0) must(sd_bus_wait(bus.get(), 1'000'000));
    }
    std::printf("%.1f\n", count / std::chrono::duration<double>(Clock::now() - began).count());
}

int act(const std::vector<std::string>& words) {
    const auto is = [&](std::string_view verb, std::size_t arguments) {
        return words.size() == arguments + 1 && words[0] == verb;
    };
    if (is("wake", 1))
        wake(std::stoi(words[1]));
    else if (is("commits", 2))
        commits(words[1], std::stoi(words[2]));
    else if (is("fill", 3))
        fill(words[1], words[2], std::stoi(words[3]));
    else if (is("runs", 1))
        runs(std::stoi(words[1]));
    else if (is("bare", 4))
        bare(words[1], words[2], std::stoi(words[3]), std::stoi(words[4]));
    else
        return 2;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return act({argv + 1, argv + argc});
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "bench_chain: %s\n", failed.what());
        return 1;
    }
}
