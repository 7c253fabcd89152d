// A listener on the loopback with a database of its own, and a sender that signs.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <atomic>
#include <fstream>
#include <memory>

#include "listener/webhooks.h"
#include "net/hex.h"
#include "net/http.h"
#include "store/store_fixture.h"

namespace orchd::listener::tests {

using net::tests::Client;
using net::tests::Running;
using net::tests::status_of;
using store::must;

inline std::string signed_by(std::string_view secret, std::string_view bytes) {
    std::array<std::uint8_t, 32> code{};
    unsigned size = 0;
    ::HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const std::uint8_t*>(bytes.data()),
           bytes.size(), code.data(), &size);
    return net::hex_of(code);
}

inline std::string post(std::string_view path, std::string_view body, std::string_view fields) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(fields) + "\r\n" + std::string(body);
}
constexpr std::string_view json_type = "Content-Type: application/json\r\n";
inline std::string gitea(std::string_view body, std::string_view id, std::string_view secret = "s3cret",
                         std::string_view event = "push") {
    return post("/webhooks/gitea", body,
                std::string(json_type) + "X-Gitea-Signature: " + signed_by(secret, body) + "\r\nX-Gitea-Delivery: " +
                    std::string(id) + "\r\nX-Gitea-Event: \r\nX-Gitea-Event-Type: " + std::string(event) + "\r\n");
}
inline std::string plane(std::string_view body) {
    return post(
        "/webhooks/plane", body,
        std::string(json_type) + "X-Plane-Event: issue\r\nX-Plane-Signature: " + signed_by("plane_wh_x", body) + "\r\n");
}

class House {
public:
    struct Options {
        store::OpenOptions database = {};
        std::string pragma = {};                                               // run on the writer's connection
        std::string gitea = "s3cret\n", plane = "plane_wh_x\n", project = "";  // secrets; without a file where empty
        bool make_database = true;
        std::chrono::milliseconds patience{100};
        std::size_t most_body = 8u << 20;
        std::size_t buffered = 32u << 20;
    };
    explicit House(const store::Folder& folder) : House(folder, Options{}) {}
    House(const store::Folder& folder, const Options& options) : path(folder / "orchd.db") {
        if (options.make_database) {
            auto creating = options.database;
            creating.mode = store::Mode::create;
            (void)must(store::Db::open(path, creating));
        }
        const auto credentials = folder / "credentials";
        std::filesystem::create_directories(credentials);
        for (const auto& [name, text] :
             {std::pair{"gitea", options.gitea}, {"plane", options.plane}, {"gitea.hello", options.project}})
            if (!text.empty()) std::ofstream(credentials + "/webhooks_" + name) << text;
        writer_.emplace(WriterParts{.open = [this, options] { return open(options); },
                                    .post = [this](std::function<void()> work) { running_->server().post(std::move(work)); },
                                    .committed = [this] { ++commits; },
                                    .patience = options.patience});
        webhooks_.emplace(Secrets::read(credentials, problems),
                          WebhookClocks{[this] { return utc_ms.load(); }, [this] { return boot_ms.load(); }}, *writer_,
                          options.most_body);
        webhooks_->add_to(router_);
        running_ = std::make_unique<Running>(router_, net::Limits{.buffered_bytes = options.buffered});
    }
    ~House() {
        running_->server().stop();
        writer_.reset();
    }

    [[nodiscard]] Client client() const { return Client(running_->port()); }
    [[nodiscard]] int send(const std::string& request) const { return status_of(answer(request)); }
    [[nodiscard]] std::string answer(const std::string& request) const {
        auto one = client();
        one.send(request);
        return one.response();
    }
    [[nodiscard]] std::vector<store::Delivery> stored() const {
        auto db = must(store::Db::open(path, {.mode = store::Mode::read_only}));
        std::vector<store::Delivery> all;
        for (const auto id : must(store::pending_deliveries(db, 0, 100'000)))
            all.push_back(*must(store::find_delivery(db, id)));
        return all;
    }

    // What was signed and refused, the newest first.
    [[nodiscard]] std::vector<store::Delivery> refused() const {
        auto db = must(store::Db::open(path, {.mode = store::Mode::read_only}));
        return must(store::list_deliveries(db, {.state = store::DeliveryState::refused}));
    }

    std::string path;
    std::vector<std::string> problems;
    std::atomic<int> commits{0};
    std::atomic<std::int64_t> utc_ms{1'700'000'000'000}, boot_ms{1'000'000};

private:
    [[nodiscard]] Result<store::Db> open(const Options& options) const {
        auto db = store::Db::open(path, options.database);
        if (db && !options.pragma.empty()) must(db->execute(options.pragma));
        return db;
    }

    net::Router router_;
    std::unique_ptr<Running> running_;
    std::optional<Writer> writer_;
    std::optional<Webhooks> webhooks_;
};

}  // namespace orchd::listener::tests
