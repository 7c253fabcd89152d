#include "settings/last_good.h"

#include <sys/stat.h>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "settings/document.h"
#include "settings/settings.h"
#include "settings/table.h"

namespace orchd::settings {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr int version = 1;  // of the document

json::object document(const LastGood& last) {
    json::array projects;
    for (const auto& project : last.projects) projects.push_back({{"file", project.file}, {"text", project.text}});
    return {{"version", version}, {"generation", last.generation}, {"boot_id", last.boot_id},
            {"at", last.at},      {"settings", last.settings},     {"projects", std::move(projects)}};
}

// Throws what Boost.JSON throws where it is no such document.
LastGood last_good_of(const json::value& value) {
    const auto text = [](const json::value& in, const char* key) { return std::string(in.at(key).as_string()); };
    LastGood last{.generation = value.at("generation").to_number<std::int64_t>(),
                  .boot_id = text(value, "boot_id"),
                  .at = value.at("at").to_number<std::int64_t>(),
                  .settings = text(value, "settings"),
                  .projects = {}};
    for (const auto& project : value.at("projects").as_array())
        last.projects.push_back({text(project, "file"), text(project, "text")});
    return last;
}

}  // namespace

Result<LastGood> read_last_good(const std::string& file, const std::string& boot_id) {
    struct stat seen {};
    std::ifstream in(file, std::ios::binary);
    if (!in || ::stat(file.c_str(), &seen) != 0) {
        const int reason = errno;
        return fail(reason == ENOENT ? Errc::no_such : Errc::io, file + ": " + std::strerror(reason));
    }
    if (!S_ISREG(seen.st_mode) || (seen.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail(Errc::not_permitted, file + " may be written by others than its owner: it is not believed");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    try {
        auto last = last_good_of(json::parse(text));
        if (last.boot_id != boot_id) return fail(Errc::no_such, file + " is of another boot");
        return last;
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, file + ": " + thrown.what());
    }
}

Status write_last_good(const std::string& file, const LastGood& last) {
    const auto draft = file + ".new";
    std::error_code failed;
    fs::remove(draft, failed);
    std::ofstream out(draft, std::ios::binary);
    constexpr auto owner_and_group = fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read;
    if (out) fs::permissions(draft, owner_and_group, failed);
    if (!out || failed || !(out << json::serialize(document(last)) << std::flush))
        return fail(Errc::io, draft + " cannot be written: " + (failed ? failed.message() : std::strerror(errno)));
    out.close();
    fs::rename(draft, file, failed);
    if (failed) return fail(Errc::io, file + ": " + failed.message());
    return {};
}

std::string settings_text(const Settings& settings) {
    std::string text;
    for (const auto& key : keys()) text += std::string(key.name) + " = " + value_text(key, settings) + "\n";
    return text;
}

Settings settings_of_text(const std::string& text) {
    Settings settings;
    const auto entries = parse_document(text, "the last good settings");
    if (!entries) return settings;
    for (const auto& entry : *entries)
        if (const auto* key = find_key(entry.key)) (void)set_value(*key, entry.value, settings);
    return settings;
}

}  // namespace orchd::settings
