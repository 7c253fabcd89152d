#include "orchctl/table.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace orchd::orchctl {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Letters, counted as code points.
int letters(std::string_view text) {
    return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string cut(const std::string& text, int most) {
    if (letters(text) <= most) return text;
    std::size_t end = 0;
    for (int seen = 0; end < text.size(); ++end) {
        if (!continues(text[end]) && ++seen >= most) break;
    }
    return text.substr(0, end) + "…";
}

std::string clean(std::string_view text, bool keep_lines) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        // C1 controls, U+0080 to U+009F, are two bytes of UTF-8.
        const bool c1 = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (c1) ++i;
        if (c == '\n' && keep_lines) {
            out += '\n';
        } else if (c == '\n' || c == '\t') {
            out += ' ';
        } else {
            out += c1 || c < 0x20 || c == 0x7f ? '?' : text[i];
        }
    }
    return out;
}

}  // namespace

std::string printable(std::string_view text) { return clean(text, false); }
std::string printable_lines(std::string_view text) { return clean(text, true); }

std::string coloured(std::string_view text, Paint paint, bool colours) {
    constexpr std::array<std::string_view, 6> codes{"", "31", "32", "33", "2", "1"};
    if (!colours || paint == Paint::none || text.empty()) return std::string(text);
    return "\x1b[" + std::string(codes[static_cast<std::size_t>(paint)]) + "m" + std::string(text) + "\x1b[0m";
}

std::string Table::render(int width, bool colours) const {
    std::vector<std::vector<Cell>> lines;
    lines.emplace_back();
    for (const auto& column : columns_) lines.back().emplace_back(column.title, Paint::bold);
    for (const auto& row : rows_) {
        lines.emplace_back();
        for (const auto& cell : row) lines.back().emplace_back(cell.text.empty() ? "-" : printable(cell.text), cell.paint);
    }
    std::vector<int> widths(columns_.size(), 0);
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], letters(line[i].text));
    }
    constexpr int gap = 2, least_last = 8;
    if (width > 0) {
        int before = 0;
        for (std::size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + gap;
        widths.back() = std::min(widths.back(), std::max(width - before, least_last));
    }
    std::string text;
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const bool last = i + 1 == widths.size();
            const std::string shown = last ? cut(line[i].text, widths[i]) : line[i].text;
            const std::string padding(static_cast<std::size_t>(widths[i] - letters(shown)), ' ');
            const bool right = columns_[i].align == Align::right;
            text += (right ? padding : "") + coloured(shown, line[i].paint, colours);
            if (!last) text += (right ? "" : padding) + std::string(gap, ' ');
        }
        text += '\n';
    }
    return text;
}

std::string age(std::int64_t then_ms, std::int64_t now_ms) {
    if (then_ms == 0) return "-";
    const auto seconds = std::max<std::int64_t>(0, now_ms - then_ms) / 1000;
    if (seconds < 120) return std::to_string(seconds) + "s";
    if (seconds < 2 * 3600) return std::to_string(seconds / 60) + "m";
    if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + "h";
    return std::to_string(seconds / 86400) + "d";
}

std::string local_time(std::int64_t utc_ms) {
    if (utc_ms == 0) return "-";
    const auto seconds = static_cast<std::time_t>(utc_ms / 1000);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return {text.data(), size};
}

}  // namespace orchd::orchctl
