// When the worker takes deliveries in, claims, recovers and posts: on a wake-up, when a unit of ours is gone, when a job
// becomes due, and every recovery_interval_s.
#pragma once

#include <optional>

#include "daemons/world.h"
#include "engine/intake.h"
#include "engine/runs.h"

namespace orchd::daemons {

class WorkerLoop {
public:
    // `owned` has units and outlives the loop. `wake_socket` is a datagram socket that stays the caller's.
    WorkerLoop(OwnedWorld& owned, int wake_socket)
        : owned_(owned), wake_socket_(wake_socket), dispatcher_(owned.world()), intake_(owned.world(), tracker_, forge_) {}
    WorkerLoop(const WorkerLoop&) = delete;

    // Until SIGTERM or SIGINT, which leave every unit alone. An error is one that only a new process can mend: the bus is gone,
    // or the database was migrated by a newer program.
    [[nodiscard]] Status run();

private:
    // A timer that is armed for one shot and calls a member function.
    class Timer {
    public:
        int add(sd_event& event, sd_event_time_handler_t handler, void* self);
        void arm(std::int64_t in_ms);
        void disarm();
        [[nodiscard]] bool armed() const;

    private:
        host::Source source_;
    };

    [[nodiscard]] Status attach();
    [[nodiscard]] Status rebase();
    void look_soon();  // a pass as the loop's next turn
    void on_wake();    // datagrams
    void on_tick();    // every recovery_interval_s
    void on_settle();  // shortly after a unit was gone, and a tick after one was seen empty
    void on_unit_gone();
    void pass();
    void recover();
    void take_in();
    void dispatch();
    void deliver();
    void tell_problems() const;
    void tell_disk();
    void tell_status();                // to systemd, where it is another than was told
    void survive(const Error& error);  // tells it; ends the loop where only a new process can mend it

    OwnedWorld& owned_;
    int wake_socket_;
    engine::Dispatcher dispatcher_;
    tracker::AsTold tracker_;
    forge::AsTold forge_;
    engine::Intake intake_;
    host::Event event_;
    host::Source wake_, pass_, terminate_, interrupt_, reload_;
    Timer tick_, settle_, due_, again_, status_;
    std::vector<host::Slot> watches_;
    bool recovery_wanted_ = true;
    bool disk_low_ = false;  // as it was told
    bool waiting_ = false;   // a claim waits for a unit that still ends
    std::string told_status_;
    std::optional<Error> ended_by_;
};

}  // namespace orchd::daemons
