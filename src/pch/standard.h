// What most units of a library include of the standard library, read once (src/meson.build). For speed alone: every file still
// includes what it uses, which CI's build of the programs shows, that goes without.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>
