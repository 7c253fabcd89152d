// Run by the build: prints what the documentation says about settings, from their table.
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include "settings/settings.h"

namespace {

// The page with its line "@SETTINGS@" replaced by the list.
int print_man_page(const char* page) {
    std::ifstream in(page);
    bool replaced = false;
    for (std::string line; std::getline(in, line);) {
        const bool here = line == "@SETTINGS@";
        replaced = replaced || here;
        std::cout << (here ? orchd::settings::man_rows() : line + '\n');
    }
    if (!replaced) std::cerr << page << ": has no line @SETTINGS@\n";
    return replaced ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "example") == 0) {
        std::cout << orchd::settings::example_file();
        return 0;
    }
    if (argc == 3 && std::strcmp(argv[1], "man") == 0) return print_man_page(argv[2]);
    std::cerr << "usage: settings-doc example | man PAGE\n";
    return 2;
}
