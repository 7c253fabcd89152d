#include "git/lasting.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace orchd::git {
namespace {

// As git 2.39 and the C library say it under LC_ALL=C.
constexpr auto words_that_last = std::to_array<std::string_view>({
    // who may write where
    "Permission denied",
    "insufficient permission",
    "Operation not permitted",
    "Read-only file system",
    "dubious ownership",
    "Authentication failed",
    "could not read Username",
    // what is not there, or not what it should be
    "not a git repository",
    "does not appear to be a git repository",
    "is no bare repository",
    "Not a directory",
    "File name too long",
    // rules of the receiving side
    "non-fast-forward",
    "hook declined",
    "protected branch",
    "deletion prohibited",
    "branch is currently checked out",
    "shallow update not allowed",
    "refusing to",
    "denying ",
    "GH006",
    // a name that another branch stands in the way of
    "'; cannot create",
    "(refname conflict)",
    // objects that are refused, or broken where they lie
    "fsck error",
    "fsck failed",
    "did not receive expected object",
    "is corrupt",
    "bad object",
    "missing blob",
    "missing tree",
    "unable to read tree",
    "unable to read sha1 file",
    "unresolved deltas",
    "hash mismatch",
    "garbage at end of loose object",
    "inflate: data stream error",
});

}  // namespace

bool lasting(const Error& error) {
    switch (error.code) {
        case Errc::invalid_argument:
        case Errc::no_such:
        case Errc::not_permitted:
            return true;
        case Errc::conflict:  // what moved meanwhile is looked at again
        case Errc::too_new:
        case Errc::no_space:
            return false;
        case Errc::unavailable:
        case Errc::corrupt:
        case Errc::io:
        case Errc::internal:
            break;
    }
    return std::any_of(words_that_last.begin(), words_that_last.end(),
                       [&](std::string_view words) { return error.text.find(words) != error.text.npos; });
}

}  // namespace orchd::git
