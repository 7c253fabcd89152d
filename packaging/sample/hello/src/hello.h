#pragma once

#include <string>
#include <string_view>

namespace hello {

struct Answer {
    int status;
    std::string body;
};

// The answer to `GET target`. `version` names the build that answers.
Answer answer(std::string_view target, std::string_view version);

}  // namespace hello
