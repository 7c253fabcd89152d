// The text of a /metrics page: OpenMetrics 1.0, or the older Prometheus text format 0.0.4. They differ in how counters are
// named in the comments; both end in "# EOF", a comment to the older one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace orchd::views {

enum class MetricsFormat { prometheus, openmetrics };

enum class MetricType { counter, gauge, info };

struct MetricFamily {
    std::string_view name;  // without the suffix of its type; a unit is its last word
    MetricType type;
    std::string_view help;
    std::string_view unit = {};  // "bytes", "seconds"
};

class Exposition {
public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    explicit Exposition(MetricsFormat format) : format_(format) {}
    // What follows are its samples.
    void family(const MetricFamily& family);
    void sample(Labels labels, std::int64_t value);
    // Of a time in milliseconds, in seconds.
    void sample_seconds(Labels labels, std::int64_t milliseconds);
    // A family of one sample without labels.
    void single(const MetricFamily& family, std::int64_t value);
    [[nodiscard]] std::string finish() &&;

private:
    void begin_sample(Labels labels);
    MetricsFormat format_;
    std::string name_;  // of the present family's samples
    std::string text_;
};

}  // namespace orchd::views
