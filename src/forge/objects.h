// What a forge shows of an object that an event told of.
#pragma once

#include "forge/gitea_events.h"
#include "settings/project.h"

namespace orchd::forge {

// Looked at because of an event, outside of any transaction. Errc::unavailable where the forge does not answer: the event then
// waits.
class Objects {
public:
    virtual ~Objects() = default;
    [[nodiscard]] virtual Result<StatusTold> look(const settings::Project& project, const StatusTold& told) = 0;
    [[nodiscard]] virtual Result<PullRequest> look(const settings::Project& project, const PullRequest& told) = 0;
};
// For as long as nothing here reads a forge's objects: they are as the event told of them.
class AsTold final : public Objects {
public:
    [[nodiscard]] Result<StatusTold> look(const settings::Project&, const StatusTold& told) override { return told; }
    [[nodiscard]] Result<PullRequest> look(const settings::Project&, const PullRequest& told) override { return told; }
};

}  // namespace orchd::forge
