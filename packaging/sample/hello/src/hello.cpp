#include "hello.h"

namespace hello {

Answer answer(std::string_view target, std::string_view version) {
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/") return {200, "hello\n"};
    if (path == "/health") return {200, "ok\n"};
    if (path == "/version") return {200, std::string(version) + "\n"};
    return {404, "not found\n"};
}

}  // namespace hello
