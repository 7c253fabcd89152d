#include "core/error.h"

#include <algorithm>
#include <array>

namespace orchd {
namespace {

constexpr std::array faces{
    ErrorFace{Errc::invalid_argument, "invalid_argument", "org.orchd1.Error.InvalidArgument", 2, 400},
    ErrorFace{Errc::no_such, "no_such", "org.orchd1.Error.NoSuchTask", 3, 404},
    ErrorFace{Errc::not_permitted, "not_permitted", "org.orchd1.Error.NotPermitted", 4, 403},
    ErrorFace{Errc::conflict, "conflict", "org.orchd1.Error.Conflict", 1, 409},
    ErrorFace{Errc::unavailable, "unavailable", "org.orchd1.Error.Unavailable", 1, 503},
    ErrorFace{Errc::refused, "refused", "org.orchd1.Error.Refused", 1, 503},
    ErrorFace{Errc::too_new, "too_new", "org.orchd1.Error.TooNew", 1, 503},
    ErrorFace{Errc::corrupt, "corrupt", "org.orchd1.Error.Corrupt", 1, 503},
    ErrorFace{Errc::no_space, "no_space", "org.orchd1.Error.NoSpace", 1, 503},
    ErrorFace{Errc::io, "io", "org.orchd1.Error.Io", 1, 503},
    ErrorFace{Errc::internal, "internal", "org.orchd1.Error.Internal", 1, 500},
};
static_assert(faces.size() == static_cast<std::size_t>(Errc::internal) + 1);
static_assert([] {
    for (std::size_t i = 0; i < faces.size(); ++i)
        if (faces[i].code != static_cast<Errc>(i)) return false;
    return true;
}());

}  // namespace

const ErrorFace& face(Errc code) { return faces[static_cast<std::size_t>(code)]; }

Errc errc_from_dbus(std::string_view dbus_name) {
    const auto* found = std::find_if(faces.begin(), faces.end(), [&](const auto& f) { return f.dbus_name == dbus_name; });
    return found == faces.end() ? Errc::internal : found->code;
}

}  // namespace orchd
