// What can go wrong, as values. One enum, one table; D-Bus names, exit codes and HTTP codes are looked up at the border.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace orchd {

enum class Errc {
    invalid_argument,  // the caller's input is wrong, and will be wrong again
    no_such,           // the named task, job, project or file is not there
    not_permitted,     // the caller may not do this
    conflict,          // the state moved, or forbids it: look again
    unavailable,       // something outside did not answer, or not now: trying again may help
    refused,           // something outside says no, and will again until a person changes it: trying again does not help
    too_new,           // the database was written by a newer orchd
    corrupt,           // stored data contradicts itself
    no_space,          // the disk is full; nothing was written
    io,                // disk, file or socket failed
    internal,          // a bug of ours
};

struct Error {
    Errc code;
    std::string text;  // one sentence for a person: what was wrong and, where known, what to do
    // The database, or a lock of its, said so; rules of ours that refuse something have the same codes.
    bool by_database = false;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// return fail(Errc::conflict, "…");
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string text) {
    return tl::unexpected<Error>(Error{code, std::move(text)});
}
[[nodiscard]] inline tl::unexpected<Error> fail_by_database(Errc code, std::string text) {
    return tl::unexpected<Error>(Error{code, std::move(text), true});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// How an error looks at each border.
struct ErrorFace {
    Errc code;
    std::string_view name;       // "conflict"
    std::string_view dbus_name;  // "org.orchd1.Error.Conflict"
    int exit_status;             // orchctl: 1 refused or failed, 2 bad usage, 3 not found, 4 not permitted
    int http_status;
};
[[nodiscard]] const ErrorFace& face(Errc code);
// The error a D-Bus name stands for; Errc::internal where the name is not ours.
[[nodiscard]] Errc errc_from_dbus(std::string_view dbus_name);

}  // namespace orchd
