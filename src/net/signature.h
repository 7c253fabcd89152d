// Signatures and fingerprints of bodies, by Nettle: a tenth of what libcrypto takes of memory.
#pragma once

#include <functional>
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

    // The code of bytes that come piece by piece.
    class Running {
    public:
        Running(Running&&) noexcept;
        Running& operator=(Running&&) noexcept;
        ~Running();
        void add(std::string_view bytes);
        // Ends it. As signs().
        [[nodiscard]] std::function<bool(std::string_view hex)> finish();

    private:
        friend class Hmac;
        explicit Running(const Hmac& with);
        struct State;
        std::unique_ptr<State> state_;
    };
    [[nodiscard]] Running begin() const { return Running(*this); }

    // Whether `hex` is the code of `bytes`: 64 digits. Takes as long whichever of them is wrong.
    [[nodiscard]] bool signs(std::string_view bytes, std::string_view hex) const;

private:
    struct Key;
    std::unique_ptr<Key> key_;
};

// Of bytes that come piece by piece.
class Sha256 {
public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();
    void add(std::string_view bytes);
    // Ends it: lowercase hex.
    [[nodiscard]] std::string finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};
// Lowercase hex.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace orchd::net
