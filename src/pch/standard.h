// What most units include of the standard library, read once for each library (Meson's cpp_pch). Only for speed: every file
// still includes what it uses, and the builds with sanitizers go without.
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
