#include "listener/writer.h"

#include <algorithm>
#include <utility>

#include "core/boundary.h"
#include "host/log.h"

namespace orchd::listener {
namespace {

using Answers = std::vector<Result<store::Accepted>>;

// What went wrong may pass, and no sender of webhooks sends twice by itself: whoever stands between may.
net::Response unavailable(const Error& error) {
    auto response = net::error_response(503, error.code == Errc::no_space ? "the disk is full: the delivery is not on record"
                                                                          : "the delivery could not be put on record");
    response.fields.push_back({"Retry-After", "5"});
    return response;
}

net::Response answer_to(const Result<store::Accepted>& accepted) {
    if (!accepted) return unavailable(accepted.error());
    return net::status_response(*accepted == store::Accepted::stored ? "stored" : "duplicate");
}

// Each of them: they were signed, so whoever can fill the journal with them is no stranger.
void tell(const store::NewDelivery& d) {
    host::log(host::Level::warning,
              "a signed delivery was refused: " + d.refused + "; from " + d.peer + " for " + d.source + ", event \"" + d.event +
                  "\", " + std::to_string(d.size) + " bytes, known as " + d.dedup_key,
              {{"ORCHD_DELIVERY_SOURCE", d.source}, {"ORCHD_HTTP_SOURCE", d.peer}});
}

Answers spread(const Result<std::vector<store::Accepted>>& committed, std::size_t count) {
    if (!committed) return Answers(count, fail(committed.error()));
    return {committed->begin(), committed->end()};
}

}  // namespace

Writer::Writer(WriterParts parts) : parts_(std::move(parts)), thread_([this] { work(); }) {}

Writer::~Writer() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Writer::submit(store::NewDelivery delivery, net::Reply reply) { add(std::move(delivery), std::move(reply), std::nullopt); }

void Writer::refuse(store::NewDelivery delivery, net::Response answer, net::Reply reply) {
    tell(delivery);
    add(std::move(delivery), std::move(reply), std::move(answer));
}

void Writer::add(store::NewDelivery delivery, net::Reply reply, std::optional<net::Response> refusal) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.deliveries.push_back(std::move(delivery));
        waiting_.replies.push_back(std::move(reply));
        waiting_.refusals.push_back(std::move(refusal));
    }
    changed_.notify_one();
}

void Writer::work() {
    // Opened before the first delivery comes; if it cannot be, that one tries again.
    if (auto opened = parts_.open()) db_ = std::move(*opened);
    while (auto batch = next()) settle(std::move(*batch));
    pay();
}

std::optional<Writer::Batch> Writer::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || !waiting_.deliveries.empty(); });
    if (waiting_.deliveries.empty()) return std::nullopt;
    return std::exchange(waiting_, {});
}

bool Writer::refused_for_good(const Error& error) const { return db_ && error.code == Errc::conflict; }

// All at once. Where the database refuses one of them, the others are not to suffer for it: then one by one.
Answers Writer::record(std::span<const store::NewDelivery> deliveries) {
    const auto committed = commit(deliveries);
    if (committed || deliveries.size() < 2 || !refused_for_good(committed.error())) return spread(committed, deliveries.size());
    Answers answers;
    for (std::size_t n = 0; n < deliveries.size(); ++n) answers.push_back(spread(commit(deliveries.subspan(n, 1)), 1)[0]);
    return answers;
}

void Writer::settle(Batch batch) {
    const auto answers = record(batch.deliveries);
    owe(batch.deliveries, answers);
    batch.deliveries.clear();
    if (std::any_of(answers.begin(), answers.end(), [](const auto& answer) { return answer.has_value(); })) pay();
    // std::function wants what can be copied.
    auto replies = std::make_shared<std::vector<net::Reply>>(std::move(batch.replies));
    parts_.post([replies, answers, refusals = std::move(batch.refusals)] {
        for (std::size_t n = 0; n < answers.size(); ++n) (*replies)[n].send(refusals[n] ? *refusals[n] : answer_to(answers[n]));
    });
}

// What is not on record although it was signed is to be so once the database answers again: that it was refused, and why.
void Writer::owe(std::span<store::NewDelivery> deliveries, const Answers& answers) {
    constexpr std::size_t most_owed = 1000;  // the journal has them all
    for (std::size_t n = 0; n < answers.size(); ++n) {
        if (answers[n]) continue;
        auto& delivery = deliveries[n];
        if (delivery.refused.empty()) {
            delivery.refused = "503: it could not be put on record: " + answers[n].error().text;
            tell(delivery);
        }
        if (owed_.size() == most_owed) continue;
        delivery.body.clear();
        delivery.body.shrink_to_fit();
        owed_.push_back(std::move(delivery));
    }
}

// What the database refuses for good is given up, as the journal has been told.
void Writer::pay() {
    if (owed_.empty()) return;
    const auto answers = record(owed_);
    std::vector<store::NewDelivery> left;
    for (std::size_t n = 0; n < answers.size(); ++n)
        if (!answers[n] && !refused_for_good(answers[n].error())) left.push_back(std::move(owed_[n]));
    owed_ = std::move(left);
}

Result<store::Db> Writer::open() const {
    constexpr std::chrono::milliseconds nap{50};
    for (auto left = parts_.patience;; left -= nap) {
        auto opened = parts_.open();
        const bool may_pass = !opened && (opened.error().code == Errc::no_such || opened.error().code == Errc::conflict);
        if (!may_pass || left <= nap) return opened;
        std::this_thread::sleep_for(nap);
    }
}

Result<std::vector<store::Accepted>> Writer::commit(std::span<const store::NewDelivery> deliveries) {
    if (!db_) {
        auto opened = open();
        if (!opened) {
            host::log(host::Level::error, "deliveries are refused: " + opened.error().text);
            return fail(opened.error());
        }
        db_ = std::move(*opened);
    }
    boundary("listener.commit.before");
    auto added = db_->write_surely([&](store::Tx& tx) { return store::add_deliveries(tx, deliveries); });
    boundary("listener.commit.after");
    if (added) {
        parts_.committed();
        return added;
    }
    host::log(host::Level::error, "deliveries are refused: " + added.error().text);
    // A file that was replaced, migrated or broken is looked at anew.
    if (added.error().code != Errc::conflict && added.error().code != Errc::unavailable) db_.reset();
    return added;
}

}  // namespace orchd::listener
