// One call of orchctl: what was asked for, and where its answer goes.
#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <string>

#include "core/error.h"
#include "orchctl/table.h"

namespace orchd::orchctl {

class Session {
public:
    bool json = false;
    bool no_pager = false;
    std::function<Status()> command;  // the one that the command line names

    // Answers are gathered and shown at the end, through a pager where they are longer than the terminal.
    void print(const std::string& text) { text_ += text; }
    void line(const std::string& text) { text_ += text + '\n'; }
    void heading(const std::string& text);
    void table(const Table& table);
    void document(const boost::json::value& value);
    // Now, for what goes on; false when nobody reads any more. Errc::io where it cannot be written: the disk is full, say.
    [[nodiscard]] Result<bool> flush();
    [[nodiscard]] Status show();  // at the end
    [[nodiscard]] bool colours() const;

private:
    [[nodiscard]] bool page();
    std::string text_;
};

}  // namespace orchd::orchctl
