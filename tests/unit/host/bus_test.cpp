// call_all against a peer of ours on a socket pair: no system bus is needed.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <array>
#include <thread>

#include "host/systemd.h"

namespace orchd::host {
namespace {

Bus connected(int fd, bool server) {
    sd_bus* raw = nullptr;
    sd_bus_new(&raw);
    sd_bus_set_fd(raw, fd, fd);
    if (server) {
        sd_id128_t id{};
        sd_id128_randomize(&id);
        sd_bus_set_server(raw, 1, id);
    }
    sd_bus_start(raw);
    return Bus(raw);
}

// Takes `count` calls before it answers any, in reverse order: a "Refuse" with an error, everything else with its own argument.
void answer_only_after(int fd, int count) {
    const auto bus = connected(fd, true);
    std::vector<Message> calls;
    while (static_cast<int>(calls.size()) < count) {
        sd_bus_message* raw = nullptr;
        const int r = sd_bus_process(bus.get(), &raw);
        if (r < 0) return;
        const Message message(raw);
        std::uint8_t type = 0;
        if (raw != nullptr && sd_bus_message_get_type(raw, &type) >= 0 && type == SD_BUS_MESSAGE_METHOD_CALL)
            calls.emplace_back(sd_bus_message_ref(raw));
        if (r == 0) sd_bus_wait(bus.get(), UINT64_MAX);
    }
    for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
        const char* argument = nullptr;
        sd_bus_message_read(call->get(), "s", &argument);
        if (std::string_view(sd_bus_message_get_member(call->get())) == "Refuse")
            sd_bus_reply_method_errorf(call->get(), SD_BUS_ERROR_ACCESS_DENIED, "not %s", argument);
        else
            sd_bus_reply_method_return(call->get(), "s", argument);
    }
}

struct Peer {
    explicit Peer(int count) {
        std::array<int, 2> fds{};
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data());
        thread = std::jthread(answer_only_after, fds[0], count);
        bus = connected(fds[1], false);
    }
    [[nodiscard]] Message call(const char* member, const char* argument) const {
        sd_bus_message* raw = nullptr;
        sd_bus_message_new_method_call(bus.get(), &raw, nullptr, "/", "org.example", member);
        sd_bus_message_append(raw, "s", argument);
        return Message(raw);
    }
    std::jthread thread;
    Bus bus;
};

TEST(CallAll, SendsEveryRequestBeforeTheFirstReplyAndKeepsTheOrder) {
    const Peer peer(3);
    std::vector<Message> requests;
    for (const auto* word : {"one", "two", "three"}) requests.push_back(peer.call("Echo", word));
    const auto replies = call_all(*peer.bus, std::move(requests));
    ASSERT_EQ(replies.size(), 3u);
    std::string words;
    for (const auto& reply : replies) {
        ASSERT_TRUE(reply.has_value()) << reply.error().text;
        const char* word = nullptr;
        sd_bus_message_read(reply->get(), "s", &word);
        words += word + std::string(" ");
    }
    EXPECT_EQ(words, "one two three ");
}

TEST(CallAll, ReportsARefusalForItsOwnRequestOnly) {
    const Peer peer(2);
    std::vector<Message> requests;
    requests.push_back(peer.call("Refuse", "you"));
    requests.push_back(peer.call("Echo", "fine"));
    const auto replies = call_all(*peer.bus, std::move(requests));
    ASSERT_EQ(replies.size(), 2u);
    ASSERT_FALSE(replies[0].has_value());
    EXPECT_EQ(replies[0].error().code, Errc::not_permitted);
    EXPECT_EQ(replies[0].error().text, "not you");
    EXPECT_TRUE(replies[1].has_value());
}

TEST(CallAll, SaysUnavailableWhenTheBusGoesAway) {
    const Peer peer(0);  // leaves at once
    std::vector<Message> requests;
    requests.push_back(peer.call("Echo", "one"));
    const auto replies = call_all(*peer.bus, std::move(requests));
    ASSERT_EQ(replies.size(), 1u);
    ASSERT_FALSE(replies[0].has_value());
    EXPECT_EQ(replies[0].error().code, Errc::unavailable);
}

}  // namespace
}  // namespace orchd::host
