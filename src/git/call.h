// One call of git, hardened: the only place of the project that starts it.
//
// The environment is built from nothing. Configuration comes from the command scope alone, above whatever the repository's own
// file says: no hooks, no fsmonitor, no attributes or excludes of the host, no replacement objects, no automatic maintenance,
// no protocol but files on this host, every written object and reference synced before git says that it is there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "host/host.h"

namespace orchd::git {

struct Call {
    std::string repository;         // GIT_DIR: nothing is discovered, whoever owns it; empty for commands without one
    std::vector<std::string> args;  // "rev-parse", …: object ids and refs in it are checked before
    std::string input = {};
    int input_fd = -1;                          // standard input instead of `input`
    std::vector<std::string> environment = {};  // added: "GIT_INDEX_FILE=…"
    std::int64_t timeout_s = 300;
    std::uint64_t max_output = 256u << 20;
    std::string as_user = {};  // by setpriv(1), for root's tools: a repository's settings are not root's to trust
};

struct Answer {
    int status = 0;  // exit status
    std::string out;
    std::string words;  // what git said on standard error, made one printable line
};
// Errc::unavailable if git could not run, took too long or died by a signal. A status other than 0 is an answer.
[[nodiscard]] Result<Answer> call(const Call& what);
// The output of a call that must succeed: any other status is an error with git's words, of the kind that they tell
// (git/refusal.h).
[[nodiscard]] Result<std::string> output(const Call& what);
[[nodiscard]] Error refused(const Call& what, const Answer& answer);

// Programs for the far side of a fetch or push to a path of this host, with the same hardening (git clears the command scope
// for it, and looks at who owns the repository again).
[[nodiscard]] std::string far_side(const std::string& service);  // "upload-pack", "receive-pack"

// Without the line break at its end.
[[nodiscard]] std::string chomped(std::string text);
[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);
// Errc::invalid_argument for what is no commit id, or no branch's name, as core/shapes.h has them.
[[nodiscard]] Status check_oid(const std::string& text);
[[nodiscard]] Status check_branch(const std::string& name);

}  // namespace orchd::git
