#include "core/front_matter.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace orchd {
namespace {

constexpr std::size_t max_bytes = 64u << 10;

// Text of a stranger, as far as it fits into a sentence.
std::string quoted(const std::string& text) { return text.size() > 60 ? "(a long text)" : '"' + text + '"'; }

struct Refused : std::runtime_error {
    using runtime_error::runtime_error;
};

// Takes the events of one document; throws Refused, which does not leave this file.
class TopLevelScalars : public YAML::EventHandler {
public:
    [[nodiscard]] std::map<std::string, std::string> take() && {
        if (!is_mapping_) throw Refused("the front matter is not a mapping");
        return std::move(scalars_);
    }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t anchor) override {
        if (expects_key()) throw Refused("a key of the front matter is not plain text");
        scalar({}, anchor, "");
    }
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override { throw Refused("the front matter uses an alias"); }
    void OnScalar(const YAML::Mark&, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
        scalar(tag, anchor, value);
    }
    void OnSequenceStart(const YAML::Mark&, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        enter(tag, anchor, false);
    }
    void OnSequenceEnd() override { leave(); }
    void OnMapStart(const YAML::Mark&, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
        if (levels_.empty()) is_mapping_ = true;
        enter(tag, anchor, true);
    }
    void OnMapEnd() override { leave(); }

private:
    struct Level {
        bool mapping = false;
        std::set<std::string> keys;
        std::optional<std::string> key;  // read, its value not yet
    };

    [[nodiscard]] bool expects_key() const { return !levels_.empty() && levels_.back().mapping && !levels_.back().key; }

    static void check(const std::string& tag, YAML::anchor_t anchor) {
        if (anchor != 0) throw Refused("the front matter uses an anchor");
        // "?" and "!" are what the parser says of plain and of quoted text without a tag.
        if (!tag.empty() && tag != "?" && tag != "!") throw Refused("the front matter uses a tag");
    }
    void scalar(const std::string& tag, YAML::anchor_t anchor, const std::string& value) {
        check(tag, anchor);
        if (value.find('\0') != std::string::npos) throw Refused("the front matter has a NUL character");
        if (expects_key()) {
            Level& level = levels_.back();
            if (!level.keys.insert(value).second)
                throw Refused("the key " + quoted(value) + " stands twice in the front matter");
            level.key = value;
            return;
        }
        if (levels_.size() == 1 && levels_.back().mapping) scalars_[*levels_.back().key] = value;
        value_read();
    }
    void enter(const std::string& tag, YAML::anchor_t anchor, bool mapping) {
        check(tag, anchor);
        if (expects_key()) throw Refused("a key of the front matter is not plain text");
        levels_.emplace_back().mapping = mapping;
    }
    void leave() {
        levels_.pop_back();
        value_read();
    }
    void value_read() {
        if (!levels_.empty()) levels_.back().key.reset();
    }

    bool is_mapping_ = false;
    std::vector<Level> levels_;
    std::map<std::string, std::string> scalars_;
};

// The next line of `rest`, without its end, and `rest` moved behind it.
std::string_view take_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    return line;
}

Result<std::string_view> between_dashes(std::string_view file) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (file.starts_with(byte_order_mark)) file.remove_prefix(byte_order_mark.size());
    if (take_line(file) != "---") return fail(Errc::invalid_argument, "there is no front matter");
    const char* const begin = file.data();
    std::string_view rest = file;
    while (!rest.empty()) {
        const char* const line_begin = rest.data();
        if (take_line(rest) != "---") continue;
        const auto size = static_cast<std::size_t>(line_begin - begin);
        if (size > max_bytes) return fail(Errc::invalid_argument, "the front matter is longer than 64 KiB");
        return file.substr(0, size);
    }
    return fail(Errc::invalid_argument, "the front matter has no end");
}

// yaml-cpp takes some of them for the end of its input, and would not read on.
bool control_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

constexpr std::array demands{
    FrontMatterDemand{Artefact::analysis, "status", "READY", "", {}},
    FrontMatterDemand{Artefact::architecture, "status", "READY", "", {}},
    FrontMatterDemand{Artefact::review, "verdict", "APPROVED", "REQUEST_CHANGES", {}},
    FrontMatterDemand{Artefact::test_report, "result", "PASS", "FAIL", {"status", "verdict"}},
    FrontMatterDemand{Artefact::deploy_log, "deploy_status", "SUCCESS", "FAILED", {}},
    FrontMatterDemand{Artefact::staging_log, "staging_status", "SUCCESS", "FAILED", {}},
    FrontMatterDemand{Artefact::post_deploy_log, "post_deploy_status", "HEALTHY", "DEGRADED", {}},
};
static_assert(demands.size() == enum_text<Artefact>.size());
static_assert(std::ranges::all_of(demands, [](const FrontMatterDemand& d) {
    return &d == &demands[static_cast<std::size_t>(d.artefact)];
}));

}  // namespace

Result<std::map<std::string, std::string>> front_matter(std::string_view file) {
    const auto text = between_dashes(file);
    if (!text) return fail(text.error());
    if (std::ranges::any_of(*text, control_character)) {
        return fail(Errc::invalid_argument, "the front matter has a control character");
    }
    std::istringstream stream{std::string(*text)};
    try {
        YAML::Parser parser(stream);
        TopLevelScalars found;
        parser.HandleNextDocument(found);
        TopLevelScalars second;
        if (parser.HandleNextDocument(second)) throw Refused("the front matter holds more than one document");
        return std::move(found).take();
    } catch (const Refused& refused) {
        return fail(Errc::invalid_argument, refused.what());
    } catch (const YAML::Exception& error) {
        return fail(Errc::invalid_argument, "the front matter does not parse: " + error.msg);
    }
}

std::string artefact_folder(std::string_view work_item) { return std::string(artefacts_folder).append("/").append(work_item); }

std::string artefact_path(std::string_view work_item, Artefact artefact) {
    return artefact_folder(work_item) + '/' + std::string(to_text(artefact));
}

std::vector<std::string> artefact_paths(std::string_view work_item) {
    std::vector<std::string> paths;
    paths.reserve(enum_text<Artefact>.size());
    for (const auto name : enum_text<Artefact>) paths.push_back(artefact_folder(work_item) + '/' + std::string(name));
    return paths;
}

const FrontMatterDemand& demand_of(Artefact artefact) { return demands[static_cast<std::size_t>(artefact)]; }

Verdict verdict(Artefact artefact, std::optional<std::string_view> file) {
    const std::string name(to_text(artefact));
    const auto unusable = [&](const std::string& why) { return Verdict{Colour::red, name + ": " + why, true}; };
    if (!file) return Verdict{Colour::red, name + " is not there", true};
    const auto keys = front_matter(*file);
    if (!keys) return unusable(keys.error().text);

    const auto& demand = demand_of(artefact);
    const auto found = keys->find(std::string(demand.key));
    if (found == keys->end()) return unusable("the key \"" + std::string(demand.key) + "\" is missing");
    const std::string& value = found->second;
    if (value != demand.green && (demand.red.empty() || value != demand.red)) {
        return unusable(std::string(demand.key) + " is " + quoted(value) + ", which it may not be");
    }
    for (const auto key : demand.agreeing) {
        const auto other = keys->find(std::string(key));
        if (key.empty() || other == keys->end() || other->second == value) continue;
        return unusable(std::string(demand.key) + " and " + std::string(key) + " disagree");
    }
    return {value == demand.green ? Colour::green : Colour::red, name + " says " + value};
}

}  // namespace orchd
