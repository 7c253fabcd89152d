#include "git/refusal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace orchd::git {
namespace {

template <class Words>
bool any_in(const std::string& text, const Words& words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != text.npos; });
}

bool any_errno(const std::string& text, std::initializer_list<int> errors) {
    return std::ranges::any_of(errors, [&](int error) { return text.find(std::strerror(error)) != text.npos; });
}

constexpr std::array for_good{// who may do what
                              std::string_view("insufficient permission"), std::string_view("dubious ownership"),
                              // rules of the receiving side; a hook
                              std::string_view("denying "), std::string_view("deletion prohibited"),
                              std::string_view("hook declined"), std::string_view("deny updating a hidden ref"),
                              std::string_view("funny refname"), std::string_view("pack exceeds maximum allowed size"),
                              // no repository, or one that this git does not read
                              std::string_view("not a git repository"),
                              std::string_view("does not appear to be a git repository"), std::string_view("bad config"),
                              std::string_view("unknown repository extension"), std::string_view("Expected git repo version"),
                              std::string_view("mismatched algorithms"),
                              // a shallow one
                              std::string_view("shallow update not allowed"), std::string_view("shallow roots are not allowed"),
                              // refs/heads/task where refs/heads/task/… is to be
                              std::string_view("exists; cannot create"),
                              // objects
                              std::string_view("fsck error"), std::string_view("fsck failed"), std::string_view("is corrupt"),
                              std::string_view("corrupt loose object"), std::string_view("object file "),
                              std::string_view("did not receive expected object"), std::string_view("missing blob object"),
                              std::string_view("missing tree object"), std::string_view("unresolved deltas")};

// A rejected reference may be one that somebody else was writing at that moment.
constexpr std::array somebody_was_faster{std::string_view("failed to update ref"), std::string_view("unpacker error"),
                                         std::string_view("incorrect old value"), std::string_view("reference already exists"),
                                         std::string_view("failed to lock")};

}  // namespace

Errc kind_of(const std::string& words) {
    if (any_errno(words, {ENOSPC, EDQUOT})) return Errc::no_space;
    if (any_errno(words, {EIO, ENOMEM, EAGAIN})) return Errc::unavailable;
    if (any_in(words, for_good) || any_errno(words, {EACCES, EPERM, EROFS})) return Errc::refused;
    if (words.find("[remote rejected]") != words.npos && !any_in(words, somebody_was_faster)) return Errc::refused;
    return Errc::unavailable;
}

}  // namespace orchd::git
