// What several families of commands do alike: call for an effect and say so, and show rows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchctl/client.h"
#include "orchctl/record.h"
#include "orchctl/session.h"

namespace orchd::orchctl {

// Calls the method; then says `done`, or {"done":true} in JSON.
[[nodiscard]] Status act(Session& session, std::string_view method, const std::vector<Argument>& arguments,
                         const std::string& done);
void say_done(Session& session, const std::string& done);

[[nodiscard]] Table task_table(const Records& tasks);
[[nodiscard]] Table job_table(const Records& jobs);

// Calls a method that answers one JSON object: GetTask, GetQueue, GetDelivery.
[[nodiscard]] Result<boost::json::object> ask_story(Client& client, std::string_view method,
                                                    const std::vector<Argument>& arguments);

}  // namespace orchd::orchctl
