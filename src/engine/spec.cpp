#include "engine/spec.h"

#include <boost/json.hpp>

namespace orchd::engine {
namespace {

namespace json = boost::json;

// Takes members out of an object; the first that is missing or of another type is kept as the problem.
class Reader {
public:
    explicit Reader(const json::object& object) : object_(object) {}

    std::string text(std::string_view key) {
        const auto* value = find(key);
        if (value != nullptr && value->is_string()) return std::string(value->get_string());
        return wrong(key, "a text"), std::string();
    }
    std::int64_t integer(std::string_view key) {
        const auto* value = find(key);
        if (value != nullptr && value->is_int64()) return value->get_int64();
        return wrong(key, "a number"), 0;
    }
    std::vector<std::string> texts(std::string_view key) {
        std::vector<std::string> all;
        const auto* value = find(key);
        if (value == nullptr || !value->is_array()) return wrong(key, "a list of texts"), all;
        for (const auto& item : value->get_array()) {
            if (!item.is_string()) return wrong(key, "a list of texts"), all;
            all.emplace_back(item.get_string());
        }
        return all;
    }
    template <class E>
    E word(std::string_view key) {
        const auto value = from_text<E>(text(key));
        if (!value) wrong(key, "a known word");
        return value.value_or(E{});
    }
    [[nodiscard]] const std::string& problem() const { return problem_; }

private:
    const json::value* find(std::string_view key) const { return object_.if_contains(key); }
    void wrong(std::string_view key, std::string_view expected) {
        if (problem_.empty()) problem_ = "the run's spec needs \"" + std::string(key) + "\" as " + std::string(expected);
    }
    const json::object& object_;
    std::string problem_;
};

}  // namespace

std::string to_json(const Spec& spec) {
    json::object object{{"run_id", spec.run_id},       {"work_item", spec.work_item},
                        {"project", spec.project},     {"stage", spec.stage},
                        {"role", to_text(spec.role)},  {"kind", to_text(spec.kind)},
                        {"branch", spec.branch},       {"commit", spec.commit},
                        {"base", spec.base},           {"command", json::array(spec.command.begin(), spec.command.end())},
                        {"timeout_s", spec.timeout_s}, {"release", spec.release},
                        {"config", spec.config}};
    return json::serialize(object);
}

Result<Spec> spec_from_json(const std::string& text) {
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    if (error || !value.is_object()) return fail(Errc::invalid_argument, "the run's spec is no JSON object");
    Reader read(value.get_object());
    Spec spec{.run_id = read.integer("run_id"),
              .work_item = read.text("work_item"),
              .project = read.text("project"),
              .stage = read.text("stage"),
              .role = read.word<Role>("role"),
              .kind = read.word<JobKind>("kind"),
              .branch = read.text("branch"),
              .commit = read.text("commit"),
              .base = read.text("base"),
              .command = read.texts("command"),
              .timeout_s = read.integer("timeout_s"),
              .release = read.text("release"),
              .config = read.text("config")};
    if (!read.problem().empty()) return fail(Errc::invalid_argument, read.problem());
    return spec;
}

}  // namespace orchd::engine
