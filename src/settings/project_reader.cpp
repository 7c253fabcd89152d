#include "settings/project_reader.h"

#include <algorithm>

#include "settings/nearest.h"

namespace orchd::settings {

const Entry* ProjectReader::find(const std::string& key) {
    known_.push_back(key);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
    return found == entries_.end() ? nullptr : &*found;
}

void ProjectReader::wrong(const Entry& entry, const std::string& allowed) {
    refuse(entry.key, shown(entry.value) + " is not allowed; it takes " + allowed);
}

void ProjectReader::refuse(const std::string& key, const std::string& text) {
    const auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
    const int line = at == entries_.end() ? 0 : at->line;
    found_.push_back({line, problem(file_, line, key, text)});
}

bool ProjectReader::table(const std::string& name) {
    const auto* entry = find(name);
    if (entry == nullptr) return false;
    if (!std::holds_alternative<Table>(entry->value)) {
        wrong(*entry, "a table, written [" + name + "]");
        return false;
    }
    return true;
}

std::string ProjectReader::text(const std::string& key, Need need, const std::string& fallback) {
    const auto* entry = find(key);
    if (entry == nullptr) {
        if (need == Need::required) refuse(key, "missing; it takes a text");
        return fallback;
    }
    const auto* value = std::get_if<std::string>(&entry->value);
    if (value == nullptr || value->empty() || value->find('\0') != std::string::npos) {
        wrong(*entry, "a text that is not empty");
        return fallback;
    }
    return *value;
}

std::int64_t ProjectReader::number(const std::string& key, Range range, std::int64_t fallback) {
    const auto* entry = find(key);
    if (entry == nullptr) return fallback;
    const auto* value = std::get_if<std::int64_t>(&entry->value);
    if (value != nullptr && *value >= range.least && *value <= range.most) return *value;
    wrong(*entry, "an integer from " + std::to_string(range.least) + " to " + std::to_string(range.most));
    return fallback;
}

std::int64_t ProjectReader::size(const std::string& key, Range range) {
    const auto* entry = find(key);
    if (entry == nullptr) return 0;
    std::optional<std::int64_t> bytes;
    if (const auto* number = std::get_if<std::int64_t>(&entry->value)) bytes = *number;
    if (const auto* text = std::get_if<std::string>(&entry->value)) {
        if (const auto size = parse_size(*text)) bytes = *size;
    }
    if (bytes && *bytes >= range.least && *bytes <= range.most) return *bytes;
    wrong(*entry, "a size from " + size_text(range.least) + " to " + size_text(range.most) + ", such as \"2G\"");
    return 0;
}

bool ProjectReader::flag(const std::string& key) {
    const auto* entry = find(key);
    if (entry == nullptr) return false;
    if (const auto* value = std::get_if<bool>(&entry->value)) return *value;
    wrong(*entry, "true or false");
    return false;
}

std::vector<std::string> ProjectReader::list(const std::string& key, Need need) {
    const std::string allowed = "a list of texts, such as [\"./test\", \"--all\"]";
    const auto* entry = find(key);
    if (entry == nullptr) {
        if (need == Need::required) refuse(key, "missing; it takes " + allowed);
        return {};
    }
    const auto* value = std::get_if<std::vector<std::string>>(&entry->value);
    const auto unusable = [](const std::string& word) { return word.find('\0') != std::string::npos; };
    if (value == nullptr || value->empty() || value->front().empty() || std::any_of(value->begin(), value->end(), unusable)) {
        wrong(*entry, allowed);
        return {};
    }
    return *value;
}

std::vector<std::string> ProjectReader::problems() {
    std::vector<std::string> unknown_tables;
    for (const auto& entry : entries_) {
        if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
        // What is inside an unknown table is not worth a line of its own.
        const bool inside = std::any_of(unknown_tables.begin(), unknown_tables.end(),
                                        [&](const std::string& table) { return entry.key.starts_with(table + '.'); });
        if (inside) continue;
        const bool is_table = std::holds_alternative<Table>(entry.value);
        if (is_table) unknown_tables.push_back(entry.key);
        const std::string what = is_table ? "unknown table" : "unknown key";
        found_.push_back({entry.line, problem(file_, entry.line, entry.key, what + did_you_mean(entry.key, known_))});
    }
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.line < b.line; });
    std::vector<std::string> texts;
    for (const auto& one : found_) texts.push_back(one.text);
    return texts;
}

}  // namespace orchd::settings
