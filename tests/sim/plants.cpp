#include "sim/plants.h"

#include <array>
#include <string>

#include "core/planted.h"

namespace orchd {
namespace {

std::string in_force;

}  // namespace

bool planted(std::string_view bug) { return in_force == bug; }

namespace sim {
namespace {

constexpr std::array all{
    Plant{"no_fence", "a turn writes without asking whether its fence is the newest"},
};

}  // namespace

std::span<const Plant> plants() { return all; }
void plant(std::string_view name) { in_force = name; }

}  // namespace sim
}  // namespace orchd
