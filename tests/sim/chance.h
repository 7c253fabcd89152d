// All that is left to chance in a seed's world. Without strokes of fate everything goes well and one process after the other;
// each stroke (somebody else's turn, a crash, a forge that fails, …) stands for itself under a name "KIND#NUMBER", so that a
// schedule is the list of its strokes and can be shrunk by leaving some out.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace orchd::sim {

enum class Stroke {
    turn,        // another process goes on here
    crash,       // the process is killed here
    pause,       // it is stopped here (SIGSTOP) for a while
    forge,       // the forge or git fails for now, before or after the deed
    in_flight,   // the process died, its request arrives all the same, later
    outcome,     // a run does not end well
    slow,        // a run takes long
    stubborn,    // a unit does not stop within a second
    unreadable,  // a cgroup cannot be read
    refuse,      // PID 1 does not take a start
    lost_wake,   // a wake-up is lost
    power_cut,
    reload,   // systemctl daemon-reload
    operate,  // a person does something
    push,     // a person pushes to the forge
    tell,     // forge or tracker tells of something by webhook
    clock,    // the wall clock jumps
    outage,   // a repository takes nothing for a while, or until a person mends it
    away,     // nobody starts the worker for a while
    odd,      // an agent leaves its work in the wrong place
    day       // one of many colleagues does something
};
inline constexpr std::size_t strokes = static_cast<std::size_t>(Stroke::day) + 1;

struct StrokeId {
    Stroke stroke;
    std::uint32_t number;  // how many decisions of this kind went before
    friend auto operator<=>(const StrokeId&, const StrokeId&) = default;
};
[[nodiscard]] std::string to_text(StrokeId id);

class Chance {
public:
    // `without`: strokes that do not happen, whatever the seed says.
    Chance(std::uint64_t seed, std::set<StrokeId> without);

    // Whether it happens here. Each call is one decision of its kind.
    [[nodiscard]] bool strikes(Stroke stroke);
    // Whether it can happen in this world at all.
    [[nodiscard]] bool knows(Stroke stroke) const { return rates_[static_cast<std::size_t>(stroke)] > 0; }
    // [0, n), a detail of the stroke that happened last: the same whatever else is left out.
    [[nodiscard]] std::uint64_t detail(std::uint64_t n);
    // [0, n), by a name: a property of the seed.
    [[nodiscard]] std::uint64_t property(std::string_view name, std::uint64_t n) const;
    [[nodiscard]] bool has(std::string_view property, double probability) const;
    // [0, 1), the next of a stream: what the engine draws for its jitter.
    [[nodiscard]] double next();

    void calm() { calm_ = true; }  // nothing strikes any more
    // Nothing strikes in its lifetime: for whoever only looks.
    class Respite {
    public:
        explicit Respite(Chance& chance) : chance_(chance) { chance_.respite_ = true; }
        Respite(const Respite&) = delete;
        ~Respite() { chance_.respite_ = false; }

    private:
        Chance& chance_;
    };
    [[nodiscard]] bool is_calm() const { return calm_; }
    [[nodiscard]] const std::vector<StrokeId>& struck() const { return struck_; }

private:
    std::uint64_t seed_;
    std::set<StrokeId> without_;
    std::array<double, strokes> rates_{};
    std::array<std::uint32_t, strokes> decisions_{};
    std::vector<StrokeId> struck_;
    std::uint64_t details_ = 0, drawn_ = 0;
    bool calm_ = false, respite_ = false;
};

}  // namespace orchd::sim
