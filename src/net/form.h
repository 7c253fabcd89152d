// Bodies of application/x-www-form-urlencoded, read as they come.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace orchd::net {

// The decoded value of one field, handed on piece by piece; of more of that name only the first.
class FormField {
public:
    using Take = std::function<void(std::string_view piece)>;
    FormField(std::string name, Take take) : name_(std::move(name)), take_(std::move(take)) {}

    void put(std::string_view piece);
    // The body is whole: whether the field was there exactly once, and its escapes were sound.
    [[nodiscard]] bool finish();

private:
    enum class In { name, value, elsewhere };

    void end_name();
    void add(std::string_view plain);
    void add_escaped(char c);

    std::string name_;
    Take take_;
    In in_ = In::name;
    std::string seen_;    // of the name in hand, decoded, no longer than tells it from ours
    std::string escape_;  // "%", or "%" and a digit, that wait for the rest
    int found_ = 0;
    bool broken_ = false;       // an escape of our field
    bool name_broken_ = false;  // of the name in hand
};

}  // namespace orchd::net
