// Aligned tables, and texts made fit for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orchd::orchctl {

enum class Paint { none, red, green, yellow, dim, bold };

struct Cell {
    Cell(std::string t, Paint p = Paint::none) : text(std::move(t)), paint(p) {}
    Cell(const char* t) : text(t) {}
    std::string text;
    Paint paint = Paint::none;
};

enum class Align { left, right };
struct Column {
    std::string title;
    Align align = Align::left;
};

class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    // Lines no wider than `width` letters, by cutting the last column; 0 is no limit. Colours only where asked for.
    [[nodiscard]] std::string render(int width, bool colours) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

// Agents, trackers and repositories write some of what is shown: control characters become "?", line ends become blanks.
[[nodiscard]] std::string printable(std::string_view text);
// As printable, but line ends stay.
[[nodiscard]] std::string printable_lines(std::string_view text);
[[nodiscard]] std::string coloured(std::string_view text, Paint paint, bool colours);
// "5s", "3m", "2h", "4d" between two times in milliseconds; "-" where `then` is 0.
[[nodiscard]] std::string age(std::int64_t then_ms, std::int64_t now_ms);
// Local time to the second: "2026-11-21 22:53:50"; "-" for 0.
[[nodiscard]] std::string local_time(std::int64_t utc_ms);

}  // namespace orchd::orchctl
