// Bytes as hexadecimal digits and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace orchd::net {

[[nodiscard]] constexpr int digit_of_hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
[[nodiscard]] constexpr std::optional<std::uint8_t> byte_of_hex(char high, char low) {
    const int h = digit_of_hex(high);
    const int l = digit_of_hex(low);
    if (h < 0 || l < 0) return std::nullopt;
    return static_cast<std::uint8_t>(h << 4 | l);
}
// Lowercase.
[[nodiscard]] inline std::string hex_of(std::span<const std::uint8_t> bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) (text += digits[byte >> 4]) += digits[byte & 15];
    return text;
}

}  // namespace orchd::net
