// A stack of its own for a simulated process.
#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <functional>
#include <utility>

namespace orchd::sim {

class Fiber {
public:
    // `body` begins with the first resume(), and lets no exception out.
    explicit Fiber(std::function<void()> body)
        : own_(std::allocator_arg, stacks(), [this, body = std::move(body)](boost::context::fiber&& caller) {
              caller_ = std::move(caller);
              body();
              return std::move(caller_);
          }) {}
    Fiber(const Fiber&) = delete;

    // Until it pauses or ends. From another fiber too, which then goes on.
    void resume() { own_ = std::move(own_).resume(); }
    // From inside: back to whoever resumed it.
    void pause() { caller_ = std::move(caller_).resume(); }
    [[nodiscard]] bool ended() const { return !own_; }

private:
    static boost::context::pooled_fixedsize_stack& stacks() {
        static boost::context::pooled_fixedsize_stack pool(256UL * 1024);
        return pool;
    }
    boost::context::fiber own_, caller_;
};

}  // namespace orchd::sim
