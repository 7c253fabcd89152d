#include "net/signature.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <array>
#include <cstdint>
#include <stdexcept>

#include "net/hex.h"

namespace orchd::net {
namespace {

using Code = std::array<std::uint8_t, 32>;
template <auto free>
struct Freeing {
    void operator()(auto* thing) const { free(thing); }
};

// OpenSSL without its configuration file, which a listener has no use for and which costs its start a millisecond.
void initialise() {
    static const int once = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    if (once != 1) throw std::runtime_error("libcrypto does not start");
}
void must(int done) {
    if (done != 1) throw std::runtime_error("libcrypto failed");  // out of memory, or a library without SHA-256
}
const std::uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

}  // namespace

struct Hmac::Key {
    std::unique_ptr<EVP_MAC_CTX, Freeing<EVP_MAC_CTX_free>> context;
};

Hmac::Hmac(std::string_view secret) : key_(std::make_unique<Key>()) {
    initialise();
    const std::unique_ptr<EVP_MAC, Freeing<EVP_MAC_free>> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    key_->context.reset(EVP_MAC_CTX_new(mac.get()));
    std::array<char, 7> digest{"SHA256"};
    const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                OSSL_PARAM_construct_end()};
    must(EVP_MAC_init(key_->context.get(), bytes_of(secret), secret.size(), parameters.data()));
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
    std::size_t size = 0;
    auto* context = key_->context.get();
    must(EVP_MAC_init(context, nullptr, 0, nullptr));  // the key as it is
    must(EVP_MAC_update(context, bytes_of(bytes), bytes.size()));
    must(EVP_MAC_final(context, code.data(), &size, code.size()));
    return CRYPTO_memcmp(code.data(), claimed.data(), code.size()) == 0;
}

std::string sha256_hex(std::string_view bytes) {
    initialise();
    static const std::unique_ptr<EVP_MD, Freeing<EVP_MD_free>> sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    thread_local const std::unique_ptr<EVP_MD_CTX, Freeing<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    Code code{};
    unsigned size = 0;
    must(EVP_DigestInit_ex(context.get(), sha256.get(), nullptr));
    must(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()));
    must(EVP_DigestFinal_ex(context.get(), code.data(), &size));
    return hex_of(code);
}

}  // namespace orchd::net
