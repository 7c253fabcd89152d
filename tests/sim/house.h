// One seed's world: its projects and settings, the processes of orchd, what runs in units, and people.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/ports.h"
#include "engine/runs.h"
#include "engine/spec.h"
#include "sim/chance.h"
#include "sim/databases.h"
#include "sim/repository.h"
#include "sim/scheduler.h"
#include "sim/systemd.h"
#include "sim/told.h"
#include "sim/witness.h"

namespace orchd::sim {

struct Outcome {
    std::optional<Violation> violation;
    std::vector<StrokeId> strokes;
    std::uint64_t hash = 0;
    std::vector<std::string> trace;
    std::int64_t simulated_ms = 0;
    int done = 0, cancelled = 0, crashes = 0;
};

// What no database and no log may contain.
inline constexpr const char* secret = "s3cr3t-t0ken-0f-the-f0rge";

class House final : public engine::Units {
public:
    House(std::uint64_t seed, std::set<StrokeId> without, Databases& databases, std::string folder);
    ~House() override;
    void keep_trace() { scheduler_.keep_trace(); }
    [[nodiscard]] Outcome live();

    // engine::Units, for whichever process asks.
    std::vector<Status> start(const std::vector<engine::StartRequest>& requests) override;
    Status stop(const std::string& unit) override;
    Status clean(const std::string& unit) override;
    UnitSeen see(const std::string& unit) override;
    Result<std::vector<std::string>> ours() override;

    // For the hooks, which know no object.
    void at_boundary(std::string_view name);
    void at_statement();
    bool may_commit();

private:
    // house.cpp
    void furnish();
    void begin_task(const settings::Project& project, const std::string& work_item, Stage stage);
    void begin_dependency(const std::string& work_item, const std::string& needed);
    [[nodiscard]] engine::World world(store::Db& db, const std::string& actor, const std::string& work_item = {});
    [[nodiscard]] bool quiet();
    void settle_in_peace();
    void look_at_recovery(bool boot);
    void look_for_secret();
    void power_cut();
    void committed();

    // daemons.cpp: processes of orchd
    struct Daemon {
        Process* process = nullptr;
        bool poked = false;
        std::int64_t gone_at = 0;  // when to look after a unit that is gone; 0: none is
    };
    void boot();
    // Starts it again whenever it ended, after so long.
    void keep_alive(const std::string& name, int (House::*body)(), std::int64_t restart_ms);
    void poke_all();
    void unit_gone();
    void deliver(engine::World& world);
    void recover(engine::World& world, std::int64_t& again);
    [[nodiscard]] std::int64_t reaper_interval_ms() const;
    int worker();
    int reaper();
    int control();
    void operate(engine::World& world);
    void depend(engine::World& world, const std::string& work_item, bool more);
    void do_approvals(engine::World& world);
    void give_help(engine::World& world);
    Process& spawn(const std::string& unit, const std::string& work_item, const engine::Monitor& monitor);

    // runs.cpp: what runs in units, and people
    int agent(const std::string& work_item);
    int work(const engine::Spec& spec, const std::string& left);
    int deploy_hook(const std::string& work_item);
    [[nodiscard]] std::optional<engine::Spec> take_spec(const std::string& work_item, const std::string& left, bool deploy);
    [[nodiscard]] std::string commit_work(const engine::Spec& spec, bool good);
    [[nodiscard]] std::string commit_code(const engine::Spec& spec);
    void people();
    void push_something();
    void rebase_by_hand(const std::string& project, const std::string& branch);
    void push_to_main(const std::string& project, const std::string& against = {});
    [[nodiscard]] bool all_the_time(const char* what) const;

    // leavings.cpp: agents that leave their work in the wrong places
    int leave_oddly(const engine::Spec& spec, const std::string& left);
    [[nodiscard]] std::string work_on(const std::string& parent, const std::string& text, const engine::Spec& spec);
    [[nodiscard]] std::string head_to_work_on(const engine::Spec& spec);
    void leave(const engine::Spec& spec, const std::string& left, const std::string& head, std::vector<std::string> reasons,
               std::vector<std::string> told = {});

    // day.cpp: colleagues who push, delete, approve, rename and hold while tasks are under way
    void day();
    void push_as_colleague(const std::string& work_item);
    Process& call_as_colleague(const std::string& work_item);
    void act_as_colleague(engine::World& world, const std::string& work_item, std::uint64_t what);
    void meddle(const Process& process, std::string_view boundary);
    void look_at_why(store::Db& db, bool standstill);

    void chaos();
    void begin_outage();
    void send_worker_away();

    // senders.cpp: forge and tracker, which tell by webhook, and the listener that takes it
    void senders();
    void tell_something();
    void arrives(const Message& message, const std::string& key);

    Chance chance_;
    Scheduler scheduler_;
    Databases& databases_;
    std::string folder_;
    settings::Settings settings_;
    settings::Projects projects_;
    Systemd systemd_;
    Witness witness_;
    std::map<std::string, Outside> outside_;
    std::map<std::string, std::unique_ptr<Repository>> repositories_;
    std::map<std::string, std::string> live_;  // project -> commit that is deployed
    std::map<std::string, Daemon> daemons_;
    std::vector<std::string> items_;
    Told told_;
    std::set<Process*> callers_;  // listeners and calls of control, which nobody starts again
    struct Outage {
        std::string words;
        std::int64_t until = 0;  // 0: until a person mends it
        bool known = false;      // as one that lasts
    };
    std::map<std::string, Outage> outages_;  // by project
    std::int64_t away_until_ = 0;            // nobody starts the worker before
    std::string log_;
    std::uint64_t points_ = 0, chaos_points_ = 0;
    bool committed_ = false, all_done_ = false, help_ = false;
    int in_flight_ = 0;  // requests whose process died, and deliveries on their way
};

}  // namespace orchd::sim
