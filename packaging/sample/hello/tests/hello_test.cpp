#include "hello.h"

#include <cstdio>

namespace {

int failures = 0;

void expect(const char* target, int status, const std::string& body) {
    const hello::Answer got = hello::answer(target, "v1");
    if (got.status == status && got.body == body) return;
    std::printf("GET %s: expected %d '%s', got %d '%s'\n", target, status, body.c_str(), got.status, got.body.c_str());
    failures++;
}

}  // namespace

int main() {
    expect("/", 200, "hello\n");
    expect("/?lang=en", 200, "hello\n");
    expect("/health", 200, "ok\n");
    expect("/version", 200, "v1\n");
    expect("/nowhere", 404, "not found\n");
    expect("/healthy", 404, "not found\n");
    std::printf("hello_test: %d failed\n", failures);
    return failures == 0 ? 0 : 1;
}
