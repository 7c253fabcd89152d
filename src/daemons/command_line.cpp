#include "daemons/command_line.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "core/work_item.h"
#include "daemons/service_user.h"
#include "host/log.h"

namespace orchd::daemons {

tl::expected<Arguments, int> parse(const CommandLine& line, int argc, const char* const* argv) {
    Arguments arguments;
    CLI::App app{std::string(line.about), std::string(line.name)};
    app.set_version_flag("--version", std::string(line.name) + " " ORCHD_VERSION);
    if (!line.flag.empty()) app.add_flag(std::string(line.flag), arguments.flag, std::string(line.flag_about));
    if (line.takes_work_item)
        app.add_option("WORK-ITEM", arguments.work_item, "the instance of its unit, such as ORCH-053")
            ->required()
            ->check([](const std::string& text) {
                const auto item = WorkItem::parse(text);
                return item ? std::string() : item.error().text;
            });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& ended) {
        if (app.exit(ended) != 0) return tl::unexpected(2);
        return tl::unexpected(std::cout.flush() ? 0 : 1);  // an answer that cannot be written is none
    }
    return arguments;
}

int run_program(const CommandLine& line, int argc, const char* const* argv, const std::function<int(const Arguments&)>& work) {
    const auto arguments = parse(line, argc, argv);
    if (!arguments) return arguments.error();
    if (auto left = line.user.empty() ? Status{} : leave_root(std::string(line.user)); !left) return exit_status(left);
    try {
        return work(*arguments);
    } catch (const std::exception& thrown) {
        host::log(host::Level::error, std::string("a bug of orchd: ") + thrown.what());
        return line.status_of_bugs;
    }
}

int exit_status(const Status& status) {
    if (status) return 0;
    host::log(host::Level::error, status.error().text);
    return 1;
}

}  // namespace orchd::daemons
