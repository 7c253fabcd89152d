#include "orchctl/reason.h"

#include "core/text.h"

namespace orchd::orchctl {

void take_reason(Command command, Reason& reason, const std::string& text) {
    const auto by_option = command.option("-r,--reason", reason.by_option, text);
    command.option("REASON", reason.by_place, "The same, as words").excludes(by_option);
}

Result<std::string> said(const Reason& reason, Wanted wanted) {
    const bool given = reason.by_option || !reason.by_place.empty();
    if (!given && wanted == Wanted::no) return "no reason was given";
    if (!given) return fail(Errc::invalid_argument, "A reason is wanted: --reason 'what is to be said'.");
    const auto text = reason.by_option ? *reason.by_option : joined(reason.by_place, " ");
    if (text.find_first_not_of(" \t\r\n") == std::string::npos)
        return fail(Errc::invalid_argument,
                    "A reason says something: it stands in the history, and whoever it concerns reads it.");
    return text;
}

}  // namespace orchd::orchctl
