#include <csignal>
#include <exception>
#include <iostream>

#include "orchctl/cli.h"

int main(int argc, char** argv) {
    // Who reads our answer may leave before its end: `orchctl events | head`.
    std::signal(SIGPIPE, SIG_IGN);
    try {
        return orchd::orchctl::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "orchctl: " << error.what() << '\n';
        return 1;
    }
}
