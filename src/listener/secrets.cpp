#include "listener/secrets.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace orchd::listener {
namespace {

constexpr std::string_view prefix = "webhooks_";  // of the credentials that LoadCredential=webhooks:DIRECTORY makes
constexpr std::size_t most_secrets = 2;

std::vector<net::Hmac> read_file(const std::filesystem::path& path, std::vector<std::string>& problems) {
    std::vector<net::Hmac> secrets;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
        if (line.empty()) continue;
        if (secrets.size() == most_secrets) {
            problems.push_back(path.filename().string() + " holds more than two secrets: the first two count");
            break;
        }
        secrets.emplace_back(line);
    }
    if (secrets.empty()) problems.push_back(path.filename().string() + " holds no secret");
    return secrets;
}

}  // namespace

Secrets Secrets::read(const std::string& directory, std::vector<std::string>& problems) {
    Secrets secrets;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
        auto name = entry->path().filename().string();
        if (!name.starts_with(prefix)) continue;
        auto found = read_file(entry->path(), problems);
        if (found.empty()) continue;
        name.erase(0, prefix.size());
        if (const auto dot = name.find('.'); dot != std::string::npos) name[dot] = '/';
        secrets.by_source_.emplace(std::move(name), std::move(found));
    }
    if (error && !directory.empty()) problems.push_back(directory + ": " + error.message());
    return secrets;
}

const std::vector<net::Hmac>* Secrets::of(std::string_view source) const {
    auto found = by_source_.find(source);
    if (found == by_source_.end()) found = by_source_.find(source.substr(0, source.find('/')));
    return found == by_source_.end() ? nullptr : &found->second;
}

}  // namespace orchd::listener
