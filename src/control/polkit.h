// Whether a caller may do what it asks: polkit's CheckAuthorization, without waiting for it.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "control/message.h"
#include "core/error.h"
#include "host/systemd.h"

namespace orchd::control {

class Authority {
public:
    explicit Authority(sd_bus& bus) : bus_(bus) {}
    Authority(const Authority&) = delete;

    // Called once with who asks ("uid:1000 alice"), or with Errc::not_permitted. Must not throw.
    using Done = std::function<void(Result<std::string> by)>;
    // Asks polkit about the sender of `call`, who may be asked for a password if the call allows that. root is not asked about:
    // `done` is called before this returns. `action` must be a constant.
    void ask(sd_bus_message* call, std::string_view action, Done done);
    // How many answers are still to come.
    [[nodiscard]] std::size_t pending() const { return questions_.size(); }

private:
    struct Question {
        Authority& authority;
        host::Message call;
        std::string_view action;
        std::string by;
        Done done;
        host::Slot slot;
    };
    static int answered(sd_bus_message* answer, void* question, sd_bus_error*);
    [[nodiscard]] Status send(Question& question);
    sd_bus& bus_;
    std::list<Question> questions_;
};

}  // namespace orchd::control
