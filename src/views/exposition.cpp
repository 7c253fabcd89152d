#include "views/exposition.h"

namespace orchd::views {
namespace {

std::string_view suffix(MetricType type) {
    if (type == MetricType::counter) return "_total";
    return type == MetricType::info ? "_info" : "";
}

std::string_view type_text(MetricType type, MetricsFormat format) {
    if (type == MetricType::counter) return "counter";
    return type == MetricType::info && format == MetricsFormat::openmetrics ? "info" : "gauge";
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out;
}

}  // namespace

void Exposition::family(const MetricFamily& family) {
    name_ = std::string(family.name).append(suffix(family.type));
    const std::string told(format_ == MetricsFormat::openmetrics ? family.name : name_);
    text_ += "# TYPE " + told + ' ' + std::string(type_text(family.type, format_)) + '\n';
    if (!family.unit.empty() && format_ == MetricsFormat::openmetrics)
        text_ += "# UNIT " + told + ' ' + std::string(family.unit) + '\n';
    text_ += "# HELP " + told + ' ' + std::string(family.help) + '\n';
}

void Exposition::begin_sample(Labels labels) {
    text_ += name_;
    char before = '{';
    for (const auto& [name, value] : labels) {
        text_ += before;
        text_.append(name).append("=\"").append(escaped(value)).append("\"");
        before = ',';
    }
    text_ += labels.size() == 0 ? " " : "} ";
}

void Exposition::sample(Labels labels, std::int64_t value) {
    begin_sample(labels);
    text_ += std::to_string(value) + '\n';
}

void Exposition::sample_seconds(Labels labels, std::int64_t milliseconds) {
    begin_sample(labels);
    const auto thousandths = std::to_string(milliseconds % 1000);
    text_ += std::to_string(milliseconds / 1000) + '.' + std::string(3 - thousandths.size(), '0') + thousandths + '\n';
}

void Exposition::single(const MetricFamily& what, std::int64_t value) {
    family(what);
    sample({}, value);
}

std::string Exposition::finish() && {
    text_ += "# EOF\n";
    return std::move(text_);
}

}  // namespace orchd::views
