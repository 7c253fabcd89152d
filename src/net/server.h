// An HTTP/1.1 server on listening sockets that somebody else opened. One thread; slow, silent and half-open clients cost
// memory that is bounded and nobody's time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "core/error.h"
#include "net/router.h"

namespace orchd::net {

using std::chrono::milliseconds;

struct Limits {
    std::size_t head_bytes = 16u << 10;
    // When one is exceeded, whoever has waited longest without having proven who it is gives way to the newcomer.
    std::size_t connections = 800;
    std::size_t connections_per_source = 400;
    // Of all bodies together that are not answered yet; once none of them is whole, of the one that began first in any case:
    // the others wait to be read, and whoever hardly sends any more of his gives way.
    std::size_t buffered_bytes = 4u << 20;
    std::size_t stream_bytes = 256u << 10;  // unsent bytes of one stream; its client is dropped when it has more
    // Each phase of a connection as a whole, however its bytes trickle.
    milliseconds idle_time{15'000};          // until the first byte of a request
    milliseconds head_time{10'000};          // from there to the end of its header
    milliseconds body_time{30'000};          // to the end of its body, less the time for which it waited for room
    milliseconds write_time{10'000};         // of the answer; of a stream, without any progress
    milliseconds linger_time{2'000};         // reading what nobody wants, so that the client can read our refusal
    milliseconds drain_time{5'000};          // for what has begun when the server is stopped,
    milliseconds first_request_time{1'000};  // and for the first byte from whoever was accepted just before
};

class Server {
public:
    // The router is the caller's and outlives the server.
    Server(const Router& router, const Limits& limits);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    // Takes a listening stream socket, of any family.
    [[nodiscard]] Status listen(int fd);
    // Serves until it is stopped, or until nobody has been connected for `leave_after` (0: never leaves). It then accepts no
    // more, ends what it has accepted, and returns: what waits in a socket's queue is left to whoever opened it.
    void run(milliseconds leave_after);
    // run() ends at SIGTERM and SIGINT.
    void stop_on_signals();
    // Any thread.
    void stop();
    // `heard` is called, on the server's thread, for every request that is answered: with the status and the request's source.
    // To be set before run().
    void on_answer(std::function<void(int status, const std::string& source)> heard);
    // `heard` is called, on the server's thread, each time that a client could not be taken in since file descriptors, or
    // memory, ran out and nobody could give way: ten times a second for each socket for as long as that lasts. To be set before
    // run().
    void on_no_room(std::function<void(const std::string& why)> heard);
    // `heard` is called a few times a second, on the server's thread. To be set before run().
    void on_sweep(std::function<void()> heard);
    // Runs `work` on the server's thread. Any thread.
    void post(std::function<void()> work);

private:
    std::shared_ptr<struct Core> core_;
    std::unique_ptr<class Acceptor> acceptor_;
};

}  // namespace orchd::net
