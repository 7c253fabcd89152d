// What a forge and a tracker tell by webhook of their objects, and what must be known here once all of it has arrived, in
// whatever order and however often.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "settings/project.h"
#include "store/db.h"

namespace orchd::sim {

struct Message {  // as a listener takes it
    std::string source, event, body;
};

class Told {
public:
    // The settings of a project whose objects these are.
    static void connect(settings::Project& project);

    // Each tells of the object's next change; `n` chooses what it is.
    [[nodiscard]] Message push(const std::string& project, const std::string& branch, const std::string& commit) const;
    [[nodiscard]] Message status(const std::string& project, const std::string& commit, std::uint64_t n);
    [[nodiscard]] Message pull_request(const std::string& project, const std::string& work_item, const std::string& head,
                                       std::uint64_t n);
    enum class State { to_analyse, approved, rejected, started };
    // Under a name of its own for whoever did it, by which what came of it is found again.
    [[nodiscard]] Message work_item(const std::string& project, const std::string& work_item, State state);

    // What is known here otherwise than it should be; nothing where all is right. For when nothing is under way any more.
    // `asked`: by work item and stage number, the last delivery that was there when its gate opened: the order in which things
    // came, whatever the clock said then.
    [[nodiscard]] std::optional<std::string> differs(store::Db& db, const std::map<std::string, std::int64_t>& asked) const;

private:
    struct Pull {
        std::string state, head;
        std::int64_t at = 0;
    };
    [[nodiscard]] std::int64_t next() { return ++seconds_ * 1000; }
    [[nodiscard]] static std::string time(std::int64_t at);

    std::int64_t seconds_ = 0;
    std::map<std::pair<std::string, std::string>, std::string> statuses_;  // project, commit -> colour
    std::map<std::pair<std::string, std::int64_t>, Pull> pulls_;
    std::map<std::pair<std::string, std::string>, std::int64_t> items_;  // project, work item -> its last change
};

}  // namespace orchd::sim
