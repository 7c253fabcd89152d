// Reads the tables of one project file key by key and gathers what is wrong with it. Which keys exist is told by what is asked
// for: whatever stands in the file and was never asked for is an unknown key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/document.h"

namespace orchd::settings {

enum class Need { optional, required };
struct Range {
    std::int64_t least, most;
};

class ProjectReader {
public:
    ProjectReader(std::string file, std::vector<Entry> entries) : file_(std::move(file)), entries_(std::move(entries)) {}

    [[nodiscard]] const std::string& file() const { return file_; }
    // Whether the file has the table [NAME].
    [[nodiscard]] bool table(const std::string& name);
    // Values of wrong types or out of range are problems and read as the fallback; so is a required key that is missing.
    [[nodiscard]] std::string text(const std::string& key, Need need, const std::string& fallback = "");
    [[nodiscard]] std::int64_t number(const std::string& key, Range range, std::int64_t fallback);
    [[nodiscard]] std::int64_t size(const std::string& key, Range range);  // 0 where the key is not there
    [[nodiscard]] bool flag(const std::string& key);
    [[nodiscard]] std::vector<std::string> list(const std::string& key, Need need);

    // A problem at the key's line (or at the file, where it is not in it).
    void refuse(const std::string& key, const std::string& text);
    // Adds every key that nobody asked for, each with the nearest one that somebody did; then all problems, by line.
    [[nodiscard]] std::vector<std::string> problems();

private:
    struct Found {
        int line;
        std::string text;
    };
    [[nodiscard]] const Entry* find(const std::string& key);
    void wrong(const Entry& entry, const std::string& allowed);
    std::string file_;
    std::vector<Entry> entries_;
    std::vector<std::string> known_;
    std::vector<Found> found_;
};

}  // namespace orchd::settings
