#include "sim/chance.h"

namespace orchd::sim {
namespace {

// splitmix64: the same numbers on every machine.
std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) { return mixed(mixed(a) ^ b); }
double unit(std::uint64_t x) { return static_cast<double>(x >> 11) * 0x1.0p-53; }

std::uint64_t number_of(std::string_view text) {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return h;
}

struct Rate {
    std::string_view name;
    double often, never;  // per decision at most; how likely a seed knows none of it
};
constexpr std::array<Rate, strokes> rates{{{"turn", 0.25, 0.0},   {"crash", 0.01, 0.3},    {"pause", 0.004, 0.3},
                                           {"forge", 0.03, 0.4},  {"in-flight", 0.5, 0.3}, {"outcome", 0.2, 0.3},
                                           {"slow", 0.1, 0.3},    {"stubborn", 0.3, 0.3},  {"unreadable", 0.01, 0.6},
                                           {"refuse", 0.03, 0.6}, {"lost-wake", 0.3, 0.4}, {"power-cut", 0.02, 0.6},
                                           {"reload", 0.05, 0.4}, {"operate", 0.3, 0.3},   {"push", 0.1, 0.3},
                                           {"tell", 0.5, 0.4},    {"clock", 0.05, 0.5},    {"outage", 0.03, 0.5},
                                           {"away", 0.02, 0.5},   {"odd", 0.3, 0.5},       {"day", 0.5, 0.9}}};

}  // namespace

std::string to_text(StrokeId id) {
    return std::string(rates[static_cast<std::size_t>(id.stroke)].name) + '#' + std::to_string(id.number);
}

Chance::Chance(std::uint64_t seed, std::set<StrokeId> without) : seed_(mixed(seed)), without_(std::move(without)) {
    for (std::size_t i = 0; i < strokes; ++i) {
        const std::string name(rates[i].name);
        if (has(name + " is known", 1 - rates[i].never))
            rates_[i] = rates[i].often * unit(mixed(seed_, number_of(name + " is frequent")));
    }
}

bool Chance::strikes(Stroke stroke) {
    const auto kind = static_cast<std::size_t>(stroke);
    if (calm_ || respite_ || rates_[kind] == 0) return false;
    const StrokeId id{stroke, decisions_[kind]++};
    const auto h = mixed(mixed(seed_, kind + 1), id.number);
    if (unit(h) >= rates_[kind] || without_.contains(id)) return false;
    struck_.push_back(id);
    details_ = h;
    return true;
}

std::uint64_t Chance::detail(std::uint64_t n) {
    details_ = mixed(details_);
    return details_ % n;
}

std::uint64_t Chance::property(std::string_view name, std::uint64_t n) const { return mixed(seed_, number_of(name)) % n; }

bool Chance::has(std::string_view property, double probability) const {
    return unit(mixed(seed_, number_of(property))) < probability;
}

double Chance::next() { return unit(mixed(seed_ ^ 0x5eed, ++drawn_)); }

}  // namespace orchd::sim
