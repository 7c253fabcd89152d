#include "daemons/systemd_units.h"

#include <algorithm>

#include "core/names.h"
#include "host/host.h"

namespace orchd::daemons {

std::vector<Status> SystemdUnits::start(const std::vector<engine::StartRequest>& requests) {
    std::vector<Status> answers(requests.size());
    set_limits(requests, answers);
    set_networks(requests, answers);
    std::vector<std::string> units;
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (!answers[i]) continue;
        units.push_back(requests[i].unit);
        asked.push_back(i);
    }
    auto started = manager_.start(units);
    for (std::size_t i = 0; i < asked.size(); ++i) answers[asked[i]] = std::move(started[i]);
    return answers;
}

Status SystemdUnits::stop(const std::string& unit) {
    const auto begun = host::now().boot_ms;
    auto stopped = manager_.stop(unit, patience_.left(begun));
    patience_.waited(host::now().boot_ms - begun);
    return stopped;
}

void SystemdUnits::set_limits(const std::vector<engine::StartRequest>& requests, std::vector<Status>& answers) {
    std::vector<host::LimitsOf> limits;
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto& r = requests[i];
        if (r.network_unit.empty()) continue;  // no run
        limits.push_back({r.unit, {r.limits.memory_bytes, r.limits.tasks_max, r.limits.cpu_percent}});
        asked.push_back(i);
    }
    auto set = manager_.set_limits(limits);
    for (std::size_t i = 0; i < asked.size(); ++i) answers[asked[i]] = std::move(set[i]);
}

void SystemdUnits::set_networks(const std::vector<engine::StartRequest>& requests, std::vector<Status>& answers) {
    std::vector<std::string> all, up;
    std::vector<std::size_t> up_for;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (requests[i].network_unit.empty()) continue;
        all.push_back(requests[i].network_unit);
        if (!requests[i].network || !answers[i]) continue;
        up.push_back(requests[i].network_unit);
        up_for.push_back(i);
    }
    if (all.empty()) return;
    // Left active by an earlier run of the task: this one would join it.
    const auto active = manager_.active(all);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto& r = requests[i];
        if (r.network || r.network_unit.empty() || !answers[i]) continue;
        if (!active)
            answers[i] = fail(active.error());
        else if (std::find(active->begin(), active->end(), r.network_unit) != active->end())
            answers[i] = manager_.stop(r.network_unit);
    }
    auto started = manager_.start(up);
    for (std::size_t i = 0; i < up_for.size(); ++i) answers[up_for[i]] = std::move(started[i]);
}

Result<std::vector<std::string>> SystemdUnits::ours() {
    std::vector<std::string> patterns;
    for (const auto stem : {names::agent, names::prepare, names::finish_ok, names::finish_fail, names::step, names::deploy,
                            names::deploy_ok, names::deploy_fail, names::network})
        patterns.push_back(names::unit(stem, "*"));
    return manager_.active(patterns);
}

}  // namespace orchd::daemons
