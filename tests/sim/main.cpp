// simulation: lives through seeds of orchd's simulated world.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "sim/house.h"
#include "sim/plants.h"
#include "sim/shrink.h"

namespace orchd::sim {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::uint64_t first = 1, seeds = 10'000, one = 0;
    unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
    bool boundaries = false, plants = false, no_shrink = false, list_plants = false;
    std::string plant;
};

class Stage {  // a folder for the worlds of one process; goes with it
public:
    Stage() {
        auto pattern =
            (fs::exists("/dev/shm") ? std::string("/dev/shm") : fs::temp_directory_path().string()) + "/orchd-sim-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
        folder_ = pattern;
        databases_ = std::make_unique<Databases>(folder_);
    }
    Stage(const Stage&) = delete;
    ~Stage() {
        databases_.reset();
        fs::remove_all(folder_);
    }
    Outcome live(std::uint64_t seed, const std::set<StrokeId>& without = {}, bool trace = false) {
        House house(seed, without, *databases_, folder_);
        if (trace) house.keep_trace();
        return house.live();
    }

private:
    std::string folder_;
    std::unique_ptr<Databases> databases_;
};

struct Failure {
    std::uint64_t seed = 0;
    std::string invariant, what;
};
struct Sum {
    std::uint64_t seeds = 0, done = 0, crashes = 0, strokes = 0, simulated_s = 0;
    std::vector<Failure> failures;
    std::set<std::string> boundaries;
};

// One process's share; every hundredth seed is lived twice, and must be the same.
void live_share(const Options& options, unsigned share, std::FILE* out, std::atomic<std::uint64_t>* lowest) {
    Stage stage;
    Sum sum;
    for (auto seed = options.first + share; seed < options.first + options.seeds; seed += options.jobs) {
        if (lowest != nullptr && seed > *lowest) break;
        std::fprintf(out, "at %" PRIu64 "\n", seed);
        std::fflush(out);
        auto outcome = stage.live(seed);
        if (!outcome.violation && seed % 100 == 0 && stage.live(seed).hash != outcome.hash)
            outcome.violation = Violation{"the trace is a function of the seed", "lived twice it was another"};
        ++sum.seeds, sum.done += static_cast<std::uint64_t>(outcome.done), sum.strokes += outcome.strokes.size();
        sum.crashes += static_cast<std::uint64_t>(outcome.crashes);
        sum.simulated_s += static_cast<std::uint64_t>(outcome.simulated_ms / 1000);
        if (!outcome.violation) continue;
        std::fprintf(out, "failed %" PRIu64 " %s: %s\n", seed, outcome.violation->invariant.c_str(),
                     outcome.violation->what.c_str());
        if (lowest == nullptr) continue;
        if (seed < *lowest) *lowest = seed;
        break;
    }
    for (const auto& name : Witness::boundaries_passed()) std::fprintf(out, "boundary %s\n", name.c_str());
    std::fprintf(out, "sum %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", sum.seeds, sum.done, sum.crashes,
                 sum.strokes, sum.simulated_s);
}

// Tells on stderr how far all shares are, so that a long run can be followed, broken off and gone on with.
class Progress {
public:
    Progress(const Options& options, unsigned shares) : options_(options), at_(shares, options.first) {}
    void at(std::size_t share, std::uint64_t seed) {
        const std::lock_guard lock(mutex_);
        at_[share] = seed;
        const auto now = std::chrono::steady_clock::now();
        if (now - told_ < every) return;
        told_ = now;
        const auto next = *std::ranges::min_element(at_);
        std::fprintf(stderr,
                     "simulation: %" PRIu64 " of %" PRIu64 " seeds, %zu failed; to go on from here: --first %" PRIu64 "\n",
                     next - options_.first, options_.seeds, failed_, next);
    }
    void failed(const Failure& failure) {
        const std::lock_guard lock(mutex_);
        ++failed_;
        std::fprintf(stderr, "simulation: seed %" PRIu64 " violates: %s\n", failure.seed, failure.invariant.c_str());
    }

private:
    static constexpr std::chrono::seconds every{30};
    const Options& options_;
    std::mutex mutex_;
    std::vector<std::uint64_t> at_;  // the seed that each share lives now
    std::size_t failed_ = 0;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

void read_share(std::FILE* in, int child, Sum& sum, std::size_t share, Progress& progress) {
    char* line = nullptr;
    std::size_t size = 0;
    std::uint64_t at = 0;
    bool ended = false;
    while (::getline(&line, &size, in) > 0) {
        std::istringstream words(line);
        std::string what;
        words >> what;
        if (what == "at") {
            words >> at;
            progress.at(share, at);
        }
        if (what == "boundary") words >> what, sum.boundaries.insert(what);
        if (what == "failed") {
            Failure failure;
            words >> failure.seed >> std::ws;
            std::getline(words, failure.what);
            const auto colon = failure.what.find(": ");
            failure.invariant = failure.what.substr(0, colon);
            failure.what.erase(0, colon + 2);
            progress.failed(failure);
            sum.failures.push_back(std::move(failure));
        }
        if (what == "sum") {
            std::uint64_t seeds = 0, done = 0, crashes = 0, strokes = 0, simulated = 0;
            words >> seeds >> done >> crashes >> strokes >> simulated;
            sum.seeds += seeds, sum.done += done, sum.crashes += crashes, sum.strokes += strokes, sum.simulated_s += simulated;
            ended = true;
        }
    }
    std::free(line);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!ended || status != 0) sum.failures.push_back({at, "the simulation itself holds", "its process died in this seed"});
}

Sum live_all(const Options& options, bool first_only) {
    struct Child {
        pid_t pid;
        std::FILE* out;
    };
    // Of what is looked for once, nobody goes on beyond the lowest seed that was found.
    auto* lowest =
        new (::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
            std::atomic<std::uint64_t>(UINT64_MAX);
    std::vector<Child> children;
    for (unsigned share = 0; share < options.jobs; ++share) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("pipe");
        const auto pid = ::fork();
        if (pid == 0) {
            ::close(ends[0]);
            auto* out = ::fdopen(ends[1], "w");
            try {
                live_share(options, share, out, first_only ? lowest : nullptr);
            } catch (const std::exception& e) {
                std::fprintf(stderr, "simulation: %s\n", e.what());
                std::fflush(out);
                ::_exit(1);
            }
            std::fclose(out);
            ::_exit(0);
        }
        ::close(ends[1]);
        children.push_back({pid, ::fdopen(ends[0], "r")});
    }
    Sum sum;
    std::vector<Sum> sums(children.size());
    Progress progress(options, options.jobs);
    std::vector<std::thread> readers;
    for (std::size_t i = 0; i < children.size(); ++i)
        readers.emplace_back([&, i] { read_share(children[i].out, children[i].pid, sums[i], i, progress); });
    for (auto& reader : readers) reader.join();
    for (auto& part : sums) {
        sum.seeds += part.seeds, sum.done += part.done, sum.crashes += part.crashes;
        sum.strokes += part.strokes, sum.simulated_s += part.simulated_s;
        sum.failures.insert(sum.failures.end(), part.failures.begin(), part.failures.end());
        sum.boundaries.merge(part.boundaries);
    }
    std::ranges::sort(sum.failures, {}, &Failure::seed);
    return sum;
}

// One seed, to be read; shrunk if it fails.
int replay(const Options& options) {
    Stage stage;
    auto outcome = stage.live(options.one, {}, true);
    if (outcome.violation && !options.no_shrink) {
        const auto without = shrink([&](const auto& fewer) { return stage.live(options.one, fewer); }, outcome);
        const auto all = outcome.strokes.size();
        outcome = stage.live(options.one, without, true);
        std::printf("shrunk from %zu strokes to %zu:", all, outcome.strokes.size());
        for (const auto& stroke : outcome.strokes) std::printf(" %s", to_text(stroke).c_str());
        std::puts("");
    }
    for (const auto& line : outcome.trace) std::puts(line.c_str());
    std::printf("seed %" PRIu64 ": trace %016" PRIx64 ", %d done, %d cancelled, %zu strokes, %.1f s simulated\n", options.one,
                outcome.hash, outcome.done, outcome.cancelled, outcome.strokes.size(),
                static_cast<double>(outcome.simulated_ms) / 1000);
    if (!outcome.violation) return 0;
    std::printf("violated: %s: %s\n", outcome.violation->invariant.c_str(), outcome.violation->what.c_str());
    return 1;
}

// Each planted bug must be seen. The table of docs/reliability.md.
int show_plants(Options options) {
    int unseen = 0;
    options.seeds = std::min<std::uint64_t>(options.seeds, 1000);
    std::puts("| bug | seen in seed | by the invariant |\n|---|---|---|");
    for (const auto& bug : plants()) {
        if (!options.plant.empty() && options.plant != bug.name) continue;
        plant(bug.name);
        const auto sum = live_all(options, true);
        if (sum.failures.empty()) {
            ++unseen;
            std::printf("| %.*s | not in %" PRIu64 " | |\n", static_cast<int>(bug.what.size()), bug.what.data(), options.seeds);
        } else {
            const auto& first = sum.failures.front();
            std::printf("| %.*s | %" PRIu64 " | %s |\n", static_cast<int>(bug.what.size()), bug.what.data(), first.seed,
                        first.invariant.c_str());
        }
        std::fflush(stdout);
    }
    return unseen;
}

int run(const Options& options) {
    const auto began = std::chrono::steady_clock::now();
    const auto sum = live_all(options, false);
    if (options.boundaries) {
        for (const auto& name : sum.boundaries) std::puts(name.c_str());
        return sum.failures.empty() ? 0 : 1;
    }
    std::map<std::string, std::vector<Failure>> by_invariant;
    for (const auto& failure : sum.failures) by_invariant[failure.invariant].push_back(failure);
    for (const auto& [invariant, failures] : by_invariant) {
        std::printf("violated in %zu seeds: %s\n", failures.size(), invariant.c_str());
        for (const auto& failure : failures) std::printf("    seed %" PRIu64 ": %s\n", failure.seed, failure.what.c_str());
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf("%" PRIu64 " seeds, %zu failed; %" PRIu64 " tasks done, %" PRIu64 " crashes, %" PRIu64
                " strokes, %.0f hours simulated, in %.0f s on %u processors\n",
                sum.seeds, sum.failures.size(), sum.done, sum.crashes, sum.strokes, static_cast<double>(sum.simulated_s) / 3600,
                took.count(), options.jobs);
    return sum.failures.empty() ? 0 : 1;
}

}  // namespace
}  // namespace orchd::sim

int main(int argc, char** argv) {
    using namespace orchd::sim;
    Options options;
    CLI::App app(
        "Lives through seeds of orchd's simulated world: the real engine and store, simulated time, systemd, git and people.");
    app.add_option("--first", options.first, "The first seed")->capture_default_str();
    app.add_option("--seeds", options.seeds, "How many")->capture_default_str();
    app.add_option("--jobs", options.jobs, "Processes at once")->capture_default_str();
    app.add_option("--seed", options.one, "This seed alone, with its trace; shrunk if it fails");
    app.add_flag("--no-shrink", options.no_shrink, "The whole trace of a failing --seed");
    app.add_option("--plant", options.plant, "With this bug in");
    app.add_flag("--plants", options.plants, "Each planted bug by itself, until it is seen: the table");
    app.add_flag("--boundaries", options.boundaries, "Print the names of all boundaries that were passed");
    CLI11_PARSE(app, argc, argv);
    if (options.plants) return show_plants(options);
    plant(options.plant);
    return options.one != 0 ? replay(options) : run(options);
}
