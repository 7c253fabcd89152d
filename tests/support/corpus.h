// Deliveries as a forge and a tracker send them, from tests/fuzz/corpus: in each file the event's name on the first line, then
// the body.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace orchd::support {

struct Sample {
    std::string name, event, body;
};

inline Sample sample(const std::string& folder, const std::string& name) {
    std::ifstream in(std::filesystem::path(ORCHD_CORPUS) / folder / name);
    if (!in) throw std::runtime_error("no sample " + folder + '/' + name);
    Sample s{.name = name, .event = {}, .body = {}};
    std::getline(in, s.event);
    s.body.assign(std::istreambuf_iterator<char>(in), {});
    return s;
}

inline std::vector<Sample> samples(const std::string& folder) {
    std::vector<Sample> all;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(ORCHD_CORPUS) / folder))
        all.push_back(sample(folder, entry.path().filename()));
    std::ranges::sort(all, {}, &Sample::name);
    return all;
}

// The body with every `from` in it replaced: a sample that tells of something else.
inline std::string with(std::string body, const std::string& from, const std::string& to) {
    if (body.find(from) == std::string::npos) throw std::runtime_error("nothing to replace: " + from);
    for (auto at = body.find(from); at != std::string::npos; at = body.find(from, at + to.size()))
        body.replace(at, from.size(), to);
    return body;
}

}  // namespace orchd::support
