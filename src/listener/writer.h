// The one thread that writes deliveries: whatever has come while one commit was under way goes into the next.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "net/router.h"
#include "store/deliveries.h"

namespace orchd::listener {

struct WriterParts {
    std::function<Result<store::Db>()> open;          // the database; asked for again after an error, on the writer's thread
    std::function<void(std::function<void()>)> post;  // runs its argument on the server's thread
    std::function<void()> committed;                  // after each commit, on the writer's thread: wakes the worker
    // How long a delivery waits for a database that is not there yet, or is of an older version: the worker is about to make
    // or migrate it. A sender that is told 503 does not send again.
    std::chrono::milliseconds patience{4000};
};

class Writer {
public:
    explicit Writer(WriterParts parts);
    Writer(const Writer&) = delete;
    // Commits and answers what has been submitted.
    ~Writer();

    // Answers 200 once the delivery is durable or was already, 503 if it cannot be made so. The queue is bounded by the
    // server's connections, of which each waits for its answer, and their bodies.
    void submit(store::NewDelivery delivery, net::Reply reply);
    // Puts on record that it was refused (`refused` says why), as far as that can be done now or later, and tells the journal;
    // answers with `answer` in any case.
    void refuse(store::NewDelivery delivery, net::Response answer, net::Reply reply);

private:
    struct Batch {
        std::vector<store::NewDelivery> deliveries;
        std::vector<net::Reply> replies;  // of the same order
        std::vector<std::optional<net::Response>> refusals;
    };
    void work();
    [[nodiscard]] std::optional<Batch> next();
    void settle(Batch batch);
    [[nodiscard]] Result<store::Db> open() const;
    [[nodiscard]] Result<std::vector<store::Accepted>> commit(std::span<const store::NewDelivery> deliveries);
    [[nodiscard]] bool refused_for_good(const Error& error) const;  // an error of the present database about one row
    [[nodiscard]] std::vector<Result<store::Accepted>> record(std::span<const store::NewDelivery> deliveries);
    void add(store::NewDelivery delivery, net::Reply reply, std::optional<net::Response> refusal);
    void owe(std::span<store::NewDelivery> deliveries, const std::vector<Result<store::Accepted>>& answers);
    void pay();

    WriterParts parts_;
    std::optional<store::Db> db_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Batch waiting_;
    std::vector<store::NewDelivery> owed_;  // refusals that are not on record yet, without bodies; the writer's thread's
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace orchd::listener
