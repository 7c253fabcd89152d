// Signatures and fingerprints of bodies, by Nettle: a tenth of what libcrypto takes of memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace orchd::net {

// HMAC-SHA256 with one secret, keyed once. Used by one thread at a time.
class Hmac {
public:
    explicit Hmac(std::string_view secret);  // not empty
    Hmac(Hmac&&) noexcept;
    Hmac& operator=(Hmac&&) noexcept;
    ~Hmac();

    // Whether `hex` is the code of `bytes`: 64 digits. Takes as long whichever of them is wrong.
    [[nodiscard]] bool signs(std::string_view bytes, std::string_view hex) const;

private:
    struct Key;
    std::unique_ptr<Key> key_;
};

// Lowercase hex.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace orchd::net
