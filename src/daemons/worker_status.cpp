#include "daemons/worker_status.h"

#include "core/payload.h"
#include "core/text.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/tasks.h"

namespace orchd::daemons {
namespace {

constexpr std::size_t max_said = 200;  // of what a person wrote

std::string figures(const store::QueueCounts& jobs, std::int64_t needing_human) {
    std::vector<std::string> parts;
    const auto add = [&](std::int64_t n, const char* what) {
        if (n > 0) parts.push_back(std::to_string(n) + what);
    };
    add(jobs.running, " running");
    add(jobs.stopping, " stopping");
    add(jobs.queued, " queued");
    add(needing_human, " waiting for a person");
    return parts.empty() ? "nothing to do" : joined(parts, ", ");
}

}  // namespace

Result<std::string> worker_status(store::Db& db, bool disk_low) {
    return db.read([&](store::Db& snapshot) -> Result<std::string> {
        const auto jobs = store::queue_counts(snapshot);
        if (!jobs) return fail(jobs.error());
        const auto needing_human = store::count_needing_human(snapshot);
        if (!needing_human) return fail(needing_human.error());
        const auto paused = store::find_state(snapshot, "paused");
        if (!paused) return fail(paused.error());
        std::string why;
        if (*paused)
            why = "paused by " + one_line((*paused)->by, max_said) + ": " + one_line((*paused)->reason, max_said) + "; ";
        else if (disk_low)
            why = "nothing is started, there is too little space on the disk; ";
        return why + figures(*jobs, *needing_human);
    });
}

}  // namespace orchd::daemons
