#include "settings/settings.h"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string_view>

#include "core/names.h"
#include "core/text.h"
#include "settings/document.h"
#include "settings/env_file.h"
#include "settings/nearest.h"
#include "settings/table.h"

namespace orchd::settings {
namespace {

constexpr std::string_view env_prefix = "ORCH_";

// "a, b": what stands between commas, without blanks around it; nothing of an empty text.
std::vector<std::string> entries_of(const std::string& text) {
    std::vector<std::string> entries;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        auto entry = text.substr(at, end - at);
        entry.erase(entry.find_last_not_of(" \t") + 1);
        entry.erase(0, entry.find_first_not_of(" \t"));
        entries.push_back(std::move(entry));
        at = end + 1;
    }
    return entries;
}

// What an environment variable's text means for the key, as the value that a file would hold.
Value value_from_text(const Key& key, const std::string& text) {
    if (std::holds_alternative<bool Settings::*>(key.field)) {
        for (const auto* yes : {"true", "1", "yes", "on"})
            if (text == yes) return true;
        for (const auto* no : {"false", "0", "no", "off"})
            if (text == no) return false;
        return text;
    }
    if (std::holds_alternative<std::vector<std::string> Settings::*>(key.field)) return entries_of(text);
    if (const auto number = parse_integer(text)) return *number;
    return text;
}

class Reader {
public:
    void take_dropins(const std::string& dir) {
        std::vector<std::string> files;
        std::error_code error;
        for (std::filesystem::directory_iterator entry(dir, error), end; !error && entry != end; entry.increment(error)) {
            const bool hidden = entry->path().filename().string().starts_with('.');
            if (!hidden && entry->path().extension() == ".toml") files.push_back(entry->path().string());
        }
        if (error && error != std::errc::no_such_file_or_directory) problems_.push_back(dir + ": " + error.message());
        std::sort(files.begin(), files.end());
        for (const auto& file : files) take_file(file);
    }

    void take_file(const std::string& file) {
        const auto document = read_document(file);
        if (!document) {
            // A missing file is an empty one: every key has a default.
            if (document.error().code != Errc::no_such) problems_.push_back(document.error().text);
            return;
        }
        for (const auto& entry : *document) {
            // What is wrong about a table is told of each key in it.
            const auto inside = [&](const Entry& other) { return other.key.starts_with(entry.key + '.'); };
            if (std::holds_alternative<Table>(entry.value) && std::any_of(document->begin(), document->end(), inside)) continue;
            take_entry(file, entry);
        }
    }

    void take_variables(const std::vector<Variable>& variables) {
        for (const auto& variable : variables) {
            if (!variable.name.starts_with(env_prefix)) continue;
            const auto named =
                std::find_if(keys().begin(), keys().end(), [&](const Key& key) { return env_name(key) == variable.name; });
            if (named == keys().end()) {
                std::vector<std::string> known;
                for (const auto& key : keys()) known.push_back(env_name(key));
                warnings_.push_back(variable.where + ": " + variable.name + ": unknown setting" +
                                    did_you_mean(variable.name, known));
                continue;
            }
            set(*named, value_from_text(*named, variable.value), variable.where, variable.where + ": " + variable.name);
        }
    }

    void check_nestings() {
        for (const auto& nesting : nestings()) {
            std::int64_t sum = 0;
            std::string parts;
            for (const auto& part : nesting.inner) {
                sum += part.times * number(part.key);
                parts += (parts.empty() ? "" : " + ") + (part.times == 1 ? "" : std::to_string(part.times) + " x ") +
                         std::string(part.key) + " (" + std::to_string(number(part.key)) + ", " + where(part.key) + ")";
            }
            const auto outer = number(nesting.outer);
            if (sum <= outer) continue;
            problems_.push_back(parts + " does not fit into " + std::string(nesting.outer) + " (" + std::to_string(outer) +
                                ", " + where(nesting.outer) + "): " + std::string(nesting.why));
        }
    }

    Result<Loaded> done() {
        if (!problems_.empty()) {
            // Whoever has to mend anything is told all.
            problems_.insert(problems_.end(), warnings_.begin(), warnings_.end());
            return fail(Errc::invalid_argument, joined(problems_, "\n"));
        }
        Loaded loaded{settings_, {}, warnings_};
        for (const auto& key : keys()) {
            loaded.origins.push_back({std::string(key.name), value_text(key, settings_), env_name(key), where(key.name),
                                      std::string(key.text), std::string(unit_text(key.unit))});
        }
        return loaded;
    }

private:
    void take_entry(const std::string& file, const Entry& entry) {
        const auto* key = find_key(entry.key);
        if (key == nullptr) {
            problems_.push_back(problem(file, entry.line, entry.key, "unknown key" + did_you_mean(entry.key, key_names())));
            return;
        }
        const std::string from = file + ':' + std::to_string(entry.line);
        set(*key, entry.value, from, from + ": " + entry.key);
    }

    void set(const Key& key, const Value& value, const std::string& from, const std::string& label) {
        if (set_value(key, value, settings_))
            where_[key.name] = from;
        else
            refuse(key, offending(value), label);
    }

    // Of a list, the entry that is no project's name.
    static Value offending(const Value& value) {
        const auto* list = std::get_if<std::vector<std::string>>(&value);
        if (list == nullptr) return value;
        const auto odd = std::find_if_not(list->begin(), list->end(), listable);
        return odd == list->end() ? value : Value(*odd);
    }

    void refuse(const Key& key, const Value& value, const std::string& label) {
        problems_.push_back(label + ": " + shown(value) + " is not allowed; it takes " + allowed(key));
    }

    [[nodiscard]] std::int64_t number(std::string_view key) const {
        return settings_.*std::get<std::int64_t Settings::*>(find_key(key)->field);
    }
    [[nodiscard]] std::string where(std::string_view key) const {
        const auto found = where_.find(key);
        return found == where_.end() ? "default" : found->second;
    }

    Settings settings_;
    std::map<std::string_view, std::string> where_;  // only keys that something set
    std::vector<std::string> problems_;
    std::vector<std::string> warnings_;
};

std::vector<std::string> own_environment() {
    std::vector<std::string> all;
    for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) all.emplace_back(*variable);
    return all;
}

}  // namespace

Sources host_sources() {
    return {std::string(names::settings_file), std::string(names::settings_dir), std::string(names::defaults_file),
            own_environment()};
}

Sources unit_sources() {
    // As this process was started, which is when the manager read the file.
    static const auto from_file = [] {
        std::set<std::string> all;
        if (const auto variables = read_env_file(std::string(names::defaults_file)))
            for (const auto& variable : *variables) all.insert(variable.name);
        return all;
    }();
    auto sources = host_sources();
    // Where only the manager may read it, what it handed over is all there is.
    if (::access(sources.env_file.c_str(), R_OK) != 0 && errno == EACCES) {
        sources.env_file.clear();
        return sources;
    }
    std::erase_if(sources.environ, [&](const std::string& pair) { return from_file.contains(pair.substr(0, pair.find('='))); });
    return sources;
}

Result<Loaded> load(const Sources& sources) {
    Reader reader;
    reader.take_file(sources.file);
    reader.take_dropins(sources.dropin_dir);

    auto defaults = read_env_file(sources.env_file);
    if (!defaults) return fail(defaults.error());
    std::vector<Variable> environment;
    for (const auto& pair : sources.environ) {
        const auto equals = pair.find('=');
        if (equals != std::string::npos)
            environment.push_back({pair.substr(0, equals), pair.substr(equals + 1), "environment"});
    }
    reader.take_variables(*defaults);
    reader.take_variables(environment);
    reader.check_nestings();
    return reader.done();
}

}  // namespace orchd::settings
