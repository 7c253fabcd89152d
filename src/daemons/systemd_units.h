// The engine's view of systemd, over a bus.
#pragma once

#include "daemons/patience.h"
#include "engine/ports.h"
#include "host/systemd.h"

namespace orchd::daemons {

class SystemdUnits : public engine::Units {
public:
    explicit SystemdUnits(sd_bus& bus) : manager_(bus) {}
    [[nodiscard]] std::vector<Status> start(const std::vector<engine::StartRequest>& requests) override;
    [[nodiscard]] Status stop(const std::string& unit) override;
    [[nodiscard]] Status clean(const std::string& unit) override { return manager_.clean(unit); }
    [[nodiscard]] UnitSeen see(const std::string& unit) override { return manager_.see(unit); }
    [[nodiscard]] std::vector<UnitSeen> see_all(const std::vector<std::string>& units) override {
        return manager_.see_all(units);
    }
    [[nodiscard]] Result<std::vector<std::string>> ours() override;

private:
    // What has to hold before the starts. Puts the reason into the answers of those that cannot start.
    void set_limits(const std::vector<engine::StartRequest>& requests, std::vector<Status>& answers);
    void set_networks(const std::vector<engine::StartRequest>& requests, std::vector<Status>& answers);
    host::Manager manager_;
    Patience patience_;
};

}  // namespace orchd::daemons
