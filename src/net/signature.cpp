#include "net/signature.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <array>
#include <cstdint>

#include "net/hex.h"

namespace orchd::net {
namespace {

using Code = std::array<std::uint8_t, SHA256_DIGEST_SIZE>;

const std::uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

}  // namespace

struct Hmac::Key {
    hmac_sha256_ctx context;
};

Hmac::Hmac(std::string_view secret) : key_(std::make_unique<Key>()) {
    hmac_sha256_set_key(&key_->context, secret.size(), bytes_of(secret));
}
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;
Hmac::~Hmac() = default;

struct Hmac::Running::State {
    hmac_sha256_ctx context;
};
Hmac::Running::Running(const Hmac& with) : state_(std::make_unique<State>(State{with.key_->context})) {}
Hmac::Running::Running(Running&&) noexcept = default;
Hmac::Running& Hmac::Running::operator=(Running&&) noexcept = default;
Hmac::Running::~Running() = default;

void Hmac::Running::add(std::string_view bytes) { hmac_sha256_update(&state_->context, bytes.size(), bytes_of(bytes)); }

std::function<bool(std::string_view)> Hmac::Running::finish() {
    Code code{};
    hmac_sha256_digest(&state_->context, code.size(), code.data());
    return [code](std::string_view hex) {
        Code claimed{};
        if (hex.size() != 2 * claimed.size()) return false;
        for (std::size_t n = 0; n < claimed.size(); ++n) {
            const auto byte = byte_of_hex(hex[2 * n], hex[2 * n + 1]);
            if (!byte) return false;
            claimed[n] = *byte;
        }
        return memeql_sec(code.data(), claimed.data(), code.size()) == 1;
    };
}

bool Hmac::signs(std::string_view bytes, std::string_view hex) const {
    auto running = begin();
    running.add(bytes);
    return running.finish()(hex);
}

struct Sha256::State {
    sha256_ctx context;
};
Sha256::Sha256() : state_(std::make_unique<State>()) { sha256_init(&state_->context); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) { sha256_update(&state_->context, bytes.size(), bytes_of(bytes)); }

std::string Sha256::finish() {
    Code code{};
    sha256_digest(&state_->context, code.size(), code.data());
    return hex_of(code);
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 running;
    running.add(bytes);
    return running.finish();
}

}  // namespace orchd::net
