#include "orchctl/project_edit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/work_item.h"
#include "host/fd.h"
#include "orchctl/draft.h"
#include "orchctl/host_config.h"
#include "orchctl/project_file.h"

namespace orchd::orchctl {
namespace {

Error by_hand(const std::string& key) {
    return {Errc::invalid_argument, key + " cannot be changed in this file without a person: use `orchctl project edit`"};
}

Result<toml::table> parsed(const std::string& text) {
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& error) {
        return fail(Errc::invalid_argument,
                    "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
    }
}

// Where a position of the parser's, which counts lines and code points from 1, is in the text.
std::size_t offset_of(const std::string& text, const toml::source_position& position) {
    std::size_t at = 0;
    for (toml::source_index line = 1; line < position.line && at < text.size(); ++line) {
        const auto end = text.find('\n', at);
        at = end == std::string::npos ? text.size() : end + 1;
    }
    for (toml::source_index column = 1; column < position.column && at < text.size(); ++column) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    }
    return at;
}

// "roles.developer" and "command"
struct Key {
    std::vector<std::string> tables;
    std::string name;
    [[nodiscard]] std::string table() const {
        std::string all;
        for (const auto& one : tables) all += (all.empty() ? "" : ".") + one;
        return all;
    }
};
Result<Key> key_of(const std::string& text) {
    Key key;
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, '.');) {
        const bool bare = !part.empty() && std::ranges::all_of(part, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        });
        if (!bare) return fail(Errc::invalid_argument, "'" + text + "' is no key of a project's file: one is project.target");
        key.tables.push_back(part);
    }
    if (key.tables.size() < 2 || text.ends_with('.'))
        return fail(Errc::invalid_argument, "'" + text + "' is no key of a project's file: one is project.target");
    key.name = key.tables.back();
    key.tables.pop_back();
    return key;
}

toml::table* table_of(toml::table& root, const Key& key) {
    toml::table* at = &root;
    for (const auto& name : key.tables) {
        at = at->get_as<toml::table>(name);
        if (at == nullptr) return nullptr;
    }
    return at;
}

// The value as it stands in a file.
Result<std::string> value_text(const Key& key, const std::string& value) {
    if (auto document = parsed("x = " + value + "\n"); document && document->size() == 1) return value;
    if (key.name != "command") return toml_text(value);
    auto words = words_of(value, key.table() + ".command");
    if (!words) return fail(words.error());
    return toml_text(*words);
}

std::string set_in(const std::string& text, const toml::node* old, const toml::table* table, const Key& key,
                   const std::string& value) {
    std::string out = text;
    if (old != nullptr) {
        const auto begin = offset_of(text, old->source().begin), end = offset_of(text, old->source().end);
        return out.replace(begin, end - begin, value);
    }
    const std::string line = key.name + " = " + value + "\n";
    if (table == nullptr) return out + (out.empty() || out.ends_with('\n') ? "" : "\n") + "\n[" + key.table() + "]\n" + line;
    const auto header = text.find('\n', offset_of(text, table->source().begin));
    if (header == std::string::npos) return out + "\n" + line;
    return out.insert(header + 1, line);
}

// Without the lines from one position to another.
std::string without(const std::string& text, const toml::source_position& first, const toml::source_position& last) {
    const auto begin = text.rfind('\n', offset_of(text, first));
    const auto end = text.find('\n', offset_of(text, last));
    const auto from = begin == std::string::npos ? 0 : begin + 1;
    return text.substr(0, from) + (end == std::string::npos ? "" : text.substr(end + 1));
}

// With its last key goes the header of a table: an empty [ci] is one without a command.
std::string take_out(const std::string& text, const toml::node& old, const toml::table& table) {
    auto out = without(text, old.source().begin, old.source().end);
    const auto& header = table.source().begin;
    return table.size() == 1 && text[offset_of(text, header)] == '[' ? without(out, header, header) : out;
}

// Nothing but the key is different: the way a file may be written is richer than what is understood here.
bool only_changed(toml::table before, toml::table after, const Key& key) {
    const Key up{.tables = {key.tables.begin(), key.tables.end() - 1}, .name = key.tables.back()};
    for (auto* document : {&before, &after}) {
        auto* table = table_of(*document, key);
        if (table == nullptr) continue;
        table->erase(key.name);
        auto* parent = table_of(*document, up);
        if (table->empty() && parent != nullptr) parent->erase(up.name);  // made for the key, or gone with it
    }
    return before == after;
}

Result<std::string> contents(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (!in) return fail(file_error(file));
    return text;
}

// One who changes files of the folder at a time.
Result<host::Fd> lock(const std::string& dir) {
    host::Fd folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.open() || ::flock(folder.get(), LOCK_EX) != 0) return fail(file_error(dir));
    return folder;
}

Status unchanged(const ProjectText& project) {
    const auto now = contents(project.file());
    if (!now) return fail(now.error());
    if (*now == project.text) return {};
    return fail(Errc::conflict, project.file() + " was changed by somebody else meanwhile: look again");
}

// Under the first name that nothing has: what was kept before stays.
Result<std::string> put_aside(const std::string& file) {
    constexpr int most = 1000;
    for (int n = 1; n <= most; ++n) {
        auto kept = file + ".removed" + (n == 1 ? "" : '.' + std::to_string(n));
        if (::renameat2(AT_FDCWD, file.c_str(), AT_FDCWD, kept.c_str(), RENAME_NOREPLACE) == 0) return kept;
        if (errno != EEXIST) break;
    }
    return fail(file_error(file));
}

}  // namespace

Result<std::string> with_key(const std::string& text, const std::string& name, const std::optional<std::string>& value) {
    const auto key = key_of(name);
    if (!key) return fail(key.error());
    auto document = parsed(text);
    if (!document) return fail(document.error());
    const auto* table = table_of(*document, *key);
    const auto* old = table == nullptr ? nullptr : table->get(key->name);
    if (old != nullptr && old->is_table()) return fail(Errc::invalid_argument, name + " is a table: name one of its keys");
    if (!value && old == nullptr) return text;
    std::string changed;
    if (value) {
        auto put = value_text(*key, *value);
        if (!put) return fail(put.error());
        changed = set_in(text, old, table, *key, *put);
    } else {
        changed = take_out(text, *old, *table);
    }
    auto after = parsed(changed);
    if (!after || !only_changed(*document, *after, *key)) return fail(by_hand(name));
    return changed;
}

Result<ProjectText> read_project_text(const std::string& dir, const std::string& name) {
    ProjectText project{.dir = dir, .name = name, .text = {}};
    struct stat seen {};
    if (!valid_project_name(name) || ::stat(project.file().c_str(), &seen) != 0)
        return fail(Errc::no_such, "There is no project " + name + ": 'orchctl project list' shows what there is.");
    auto text = contents(project.file());
    if (!text) return fail(text.error());
    project.text = std::move(*text);
    return project;
}

Status check_project_text(const ProjectText& project, const std::string& text, const settings::Settings& settings) {
    auto read = settings::parse_project(text, project.file(), settings);
    if (!read) return fail(read.error());
    auto others = settings::load_projects(project.dir, settings);
    std::erase_if(others.good, [&](const auto& other) { return other.name == project.name; });
    return settings::check_own(others, *read);
}

Status replace_project_text(const ProjectText& project, const std::string& text, const settings::Settings& settings) {
    if (auto checked = check_project_text(project, text, settings); !checked) return checked;
    const auto locked = lock(project.dir);
    if (!locked) return fail(locked.error());
    if (auto same = unchanged(project); !same) return same;
    struct stat seen {};
    if (::stat(project.file().c_str(), &seen) != 0) return fail(file_error(project.file()));
    auto draft = Draft::write(project.dir, project.name, text, &seen);
    if (!draft) return fail(draft.error());
    if (auto replaced = draft->replace(project.file()); !replaced) return replaced;
    return ::fsync(locked->get()) == 0 ? Status{} : fail(file_error(project.dir));
}

Result<std::string> remove_project_text(const ProjectText& project) {
    const auto locked = lock(project.dir);
    if (!locked) return fail(locked.error());
    if (auto same = unchanged(project); !same) return fail(same.error());
    auto kept = put_aside(project.file());
    if (!kept) return kept;
    if (::fsync(locked->get()) != 0) return fail(file_error(project.dir));
    return kept;
}

}  // namespace orchd::orchctl
