// Which handler answers which request. Handlers run on the server's one thread and must not block: what reads or writes the
// database answers later, from a thread of its own, by the Reply it was given.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/message.h"

namespace orchd::net {

// Where an answer goes; the server's side of a Reply and a Stream. All of it may be called from any thread.
class Outlet {
public:
    virtual ~Outlet() = default;
    virtual void respond(Response response) = 0;
    virtual void begin_stream(Response head) = 0;
    [[nodiscard]] virtual bool write(std::string piece) = 0;
    virtual void when_sent(std::function<void()> then) = 0;
    [[nodiscard]] virtual bool open() const = 0;
    virtual void end_stream() = 0;
    virtual void trust() = 0;
};

// A response whose body comes piece by piece (server-sent events). Ends when the handle goes. Any thread.
class Stream {
public:
    explicit Stream(std::shared_ptr<Outlet> outlet);
    Stream(Stream&&) noexcept = default;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

    // False when the client is gone, or was dropped because it does not read: nothing more will reach it.
    bool write(std::string piece);
    [[nodiscard]] bool open() const;
    // Calls `then` on the server's thread, once, when everything that was written so far is sent; never if the client goes. A
    // later call takes the place of one that still waits.
    void when_sent(std::function<void()> then);

private:
    std::shared_ptr<Outlet> outlet_;
};

// The one answer to one request: send() or stream(), from any thread. A Reply that goes without either is a 500.
class Reply {
public:
    explicit Reply(std::shared_ptr<Outlet> outlet);
    Reply(Reply&&) noexcept = default;
    Reply& operator=(Reply&&) noexcept;
    ~Reply();

    void send(Response response);
    // `head.body` is the first piece.
    [[nodiscard]] Stream stream(Response head);
    // The client has proven who it is: when connections run out, others are closed before its own.
    void trust();

private:
    std::shared_ptr<Outlet> outlet_;
};

using Handler = std::function<void(Request request, Reply reply)>;
// What becomes of one body as it comes, in place of Request::body: for what is judged as it is read, or is not to be kept. It
// goes with its connection.
class Body {
public:
    virtual ~Body() = default;
    virtual void put(std::string_view piece) = 0;
    // Bytes of it in memory.
    [[nodiscard]] virtual std::size_t held() const = 0;
    // It is whole: in place of the route's handler. `request` without a body.
    virtual void finish(Request request, Reply reply) = 0;
};
// For a request of which the head was admitted; `announced` is how large its body will be, 0 where that was not said.
using OpenBody = std::function<std::unique_ptr<Body>(const Request& head, std::size_t announced)>;
// An answer that needs no body, judged from the head alone, before the body is read or asked for.
using Admission = std::function<std::optional<Response>(const Request& head)>;

struct Route {
    std::string method;  // "GET" answers HEAD too
    std::string path;    // "/queue", or "/tasks/*" where the last segment, not empty, becomes Request::wildcard
    Handler handler;
    std::size_t most_body = 0;  // bytes that are read of one; a larger one is a 413
    Admission admission = {};
    OpenBody open_body = {};  // where it is there, bodies go to what it opens, and not to the handler
};

class Router {
public:
    void add(Route route);

    struct Match {
        const Route* route = nullptr;
        std::string wildcard = {};
        Response refusal = {};  // where there is no route: 400, 404, or 405 with its Allow
    };
    [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

private:
    std::vector<Route> routes_;
};

// %XX as bytes; nothing where an escape is broken or stands for NUL.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace orchd::net
