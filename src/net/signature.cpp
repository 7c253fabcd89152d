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

bool Hmac::signs(std::string_view bytes, std::string_view hex) const {
    Code claimed{};
    if (hex.size() != 2 * claimed.size()) return false;
    for (std::size_t n = 0; n < claimed.size(); ++n) {
        const auto byte = byte_of_hex(hex[2 * n], hex[2 * n + 1]);
        if (!byte) return false;
        claimed[n] = *byte;
    }
    Code code{};
    auto* context = &key_->context;
    hmac_sha256_update(context, bytes.size(), bytes_of(bytes));
    hmac_sha256_digest(context, code.size(), code.data());  // and the key as it was
    return memeql_sec(code.data(), claimed.data(), code.size()) == 1;
}

std::string sha256_hex(std::string_view bytes) {
    sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, bytes.size(), bytes_of(bytes));
    Code code{};
    sha256_digest(&context, code.size(), code.data());
    return hex_of(code);
}

}  // namespace orchd::net
