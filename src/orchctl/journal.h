// The journal's records of a task: read where the caller may read the journal, and asked of orchd-logs where not.
#pragma once

#include <sys/types.h>

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/log_request.h"
#include "host/fd.h"

namespace orchd::orchctl {

class Journal {
public:
    // Errc::not_permitted, with what to do, where neither is allowed.
    [[nodiscard]] static Result<Journal> open(const LogRequest& request);
    Journal(Journal&& other) noexcept
        : from_(std::move(other.from_)),
          child_(std::exchange(other.child_, -1)),
          read_(std::move(other.read_)),
          at_(std::exchange(other.at_, 0)) {}
    Journal& operator=(Journal&&) = delete;
    ~Journal();

    // The next record, as journalctl's JSON has it; nothing at the end. Waits for it. Errc::unavailable where the end came too
    // early.
    [[nodiscard]] Result<std::optional<boost::json::object>> next();
    // Whether more is there without waiting.
    [[nodiscard]] bool ready() const;

private:
    Journal(host::Fd from, pid_t child) : from_(std::move(from)), child_(child) {}
    [[nodiscard]] Status end();
    host::Fd from_;
    pid_t child_ = -1;  // where it is a child of ours
    std::string read_;
    std::size_t at_ = 0;
};

// The text of a field; "" where it has none. What is no text there, since it is no UTF-8, is shown with U+FFFD.
[[nodiscard]] std::string field_of(const boost::json::object& record, std::string_view name);

}  // namespace orchd::orchctl
