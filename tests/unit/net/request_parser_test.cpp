// What is a request and what is refused: whatever two parsers could read differently (R18).
#include <gtest/gtest.h>
#include <optional>
#include <string>

#include "net/request_parser.h"

namespace orchd::net::tests {
namespace {

constexpr std::size_t head_limit = 16384;
constexpr std::size_t body_limit = 1000;

struct Parsed {
    std::optional<Request> request;
    int refused = 0;
    std::string why, rest;
};

// The first request of `bytes`, put in pieces of `piece` bytes.
Parsed parse(std::string_view bytes, std::size_t piece = std::string::npos) {
    RequestParser parser(head_limit);
    Parsed parsed;
    bool limited = false;
    while (!bytes.empty() && !parser.complete() && !parser.refusal()) {
        auto next = bytes.substr(0, piece);
        const auto used = parser.put(next);
        bytes.remove_prefix(used);
        if (parser.head_complete() && !parser.refusal() && !std::exchange(limited, true)) parser.limit_body(body_limit);
    }
    if (const auto& refusal = parser.refusal()) {
        parsed.refused = refusal->status;
        parsed.why = refusal->text;
    } else if (parser.complete()) {
        parsed.request = std::move(parser.request());
    }
    parsed.rest = bytes;
    return parsed;
}

// Whole and byte by byte it is the same.
void expect_refused(int status, const std::string& bytes) {
    for (const std::size_t piece : {std::string::npos, std::size_t{1}, std::size_t{7}}) {
        const auto parsed = parse(bytes, piece);
        EXPECT_EQ(parsed.refused, status) << "in pieces of " << piece << ": " << parsed.why << " for\n" << bytes;
    }
}
std::string with(std::string_view fields, std::string_view body = "", std::string_view line = "POST /a HTTP/1.1") {
    return std::string(line) + "\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}
const std::string next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(RequestParser, ReadsARequestInAnyPiecesAndLeavesTheNext) {
    for (std::size_t piece = 1; piece < 90; ++piece) {
        const auto parsed = parse(with("Content-Length: 4\r\nX-Y:  z \r\n", "body" + next, "POST /a/b?q=1&r HTTP/1.1"), piece);
        ASSERT_TRUE(parsed.request) << piece << parsed.why;
        EXPECT_EQ(parsed.request->method, "POST");
        EXPECT_EQ(parsed.request->path, "/a/b");
        EXPECT_EQ(parsed.request->query, "q=1&r");
        EXPECT_EQ(parsed.request->field("x-y"), "z");
        EXPECT_EQ(parsed.request->body, "body");
        EXPECT_EQ(parsed.rest, next);
    }
}

TEST(RequestParser, ReadsChunksInAnyPiecesAndLeavesTheNext) {
    const std::string chunks = "4\r\nbody\r\n1;ext=\"a;b\"\r\nX\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
    for (std::size_t piece = 1; piece < 150; ++piece) {
        const auto parsed = parse(with("Transfer-Encoding: chunked\r\n", chunks + next), piece);
        ASSERT_TRUE(parsed.request) << piece << parsed.why;
        EXPECT_EQ(parsed.request->body, "bodyX0123456789");
        EXPECT_EQ(parsed.request->field("trailer"), "");
        EXPECT_EQ(parsed.rest, next);
    }
}

TEST(RequestParser, RefusesTwoLengths) {
    expect_refused(400, with("Content-Length: 4\r\nContent-Length: 4\r\n", "body"));
    expect_refused(400, with("Content-Length: 4\r\nContent-Length: 5\r\n", "body"));
    expect_refused(400, with("Content-Length: 4, 4\r\n", "body"));
    expect_refused(400, with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
    expect_refused(400, with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n"));
}

TEST(RequestParser, RefusesLengthsThatAreNoNumbers) {
    for (const auto* length : {"", "+4", "-4", "0x4", "4 4", "4a", "1e3", "99999999999999999999999", "4;", "\"4\""})
        expect_refused(400, with("Content-Length: " + std::string(length) + "\r\n", "body"));
}

TEST(RequestParser, RefusesCodingsOtherThanChunked) {
    for (const auto* coding : {"identity", "gzip", "gzip, chunked", "chunked, chunked", "chunked, identity", "xchunked",
                               "chunked;q=1", "", "\"chunked\"", "chunked\x0b"})
        expect_refused(400, with("Transfer-Encoding: " + std::string(coding) + "\r\n", "0\r\n\r\n"));
    expect_refused(400, with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
    expect_refused(400, with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"));
    expect_refused(400, with("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"));
    expect_refused(400, with("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "POST /a HTTP/1.0"));
    EXPECT_TRUE(parse(with("transfer-encoding: CHUNKED\r\n", "0\r\n\r\n")).request);
}

TEST(RequestParser, RefusesBadChunks) {
    for (const auto* chunks :
         {"g\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", "+1\r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", " 1\r\nx\r\n0\r\n\r\n",
          "1 \r\nx\r\n0\r\n\r\n", "1\nx\r\n0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "1;\r\nx\r\n0\r\n\r\n",
          "1\r\nx\n0\r\n\r\n", "\r\n\r\n\r\n", ";a=b\r\n\r\n", "1\r\nx\r\n0\r\nContent-Length: 1\r\n\r\n",
          "1\r\nx\r\n0\r\nbad trailer\r\n\r\n", "1\rx\r\n0\r\n\r\n"})
        expect_refused(400, with("Transfer-Encoding: chunked\r\n", chunks));
    expect_refused(400, with("Transfer-Encoding: chunked\r\n", "10000000000000001\r\nx\r\n0\r\n\r\n"));
    expect_refused(413, with("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nx\r\n0\r\n\r\n"));
    expect_refused(400, with("Transfer-Encoding: chunked\r\n", "1;a=" + std::string(20'000, 'x')));
    expect_refused(400, with("Transfer-Encoding: chunked\r\n", "0\r\nT: " + std::string(20'000, 'x')));
    expect_refused(400, with("Transfer-Encoding: chunked\r\n", std::string(20'000, '0')));
}

TEST(RequestParser, RefusesLinesThatAreFoldedOrEndWrongly) {
    expect_refused(400, with("X: a\r\n b\r\n"));
    expect_refused(400, with("X: a\r\n\tb\r\n"));
    expect_refused(400, "POST /a HTTP/1.1\r\n Host: h\r\n\r\n");
    expect_refused(400, "POST /a HTTP/1.1\nHost: h\n\n");
    expect_refused(400, with("X: a\nY: b\r\n"));
    expect_refused(400, with("X: a\rY: b\r\n"));
    expect_refused(400, with("X: a\r\r\n"));
    expect_refused(400, with("X: a\n\r\n"));
    expect_refused(400, with(std::string("X: a\0b\r\n", 8)));
    expect_refused(400, with("X: a\x1b[1m\r\n"));
    expect_refused(400, with("X: \x7f\r\n"));
}

TEST(RequestParser, RefusesFieldsThatAreNone) {
    for (const auto* line : {"X : a", " X: a", "X", ": a", "X Y: a", "X(: a", "X\"Y: a", "X@Y: a", "X/Y: a", "\xc3\xa9: a"})
        expect_refused(400, with(std::string(line) + "\r\n"));
}

TEST(RequestParser, RefusesRequestLinesThatAreNone) {
    for (const auto* line :
         {"", "POST", "POST /a", "POST /a HTTP/1.1 ", "POST  /a HTTP/1.1", "POST /a  HTTP/1.1", " POST /a HTTP/1.1",
          "POST\t/a HTTP/1.1", "POST /a b HTTP/1.1", "POST a HTTP/1.1", "POST * HTTP/1.1", "CONNECT h:80 HTTP/1.1",
          "POST ftp://h/a HTTP/1.1", "PO(ST /a HTTP/1.1", "POST /\xc3\xa9 HTTP/1.1", "POST ?a HTTP/1.1"}) {
        const auto parsed = parse(with("", "", line));
        EXPECT_FALSE(parsed.request) << line;
        EXPECT_TRUE(parsed.refused == 400 || parsed.refused == 505) << line << " " << parsed.refused;
    }
    for (const auto* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "http/1.1", "HTTP/1.", "HTTP/11", "HTTPS/1.1"})
        expect_refused(505, with("", "", "POST /a " + std::string(version)));
}

TEST(RequestParser, WantsExactlyOneHost) {
    expect_refused(400, "GET /a HTTP/1.1\r\n\r\n");
    expect_refused(400, with("Host: other\r\n"));
    EXPECT_TRUE(parse("GET /a HTTP/1.0\r\n\r\n").request);
}

TEST(RequestParser, RefusesExpectationsItDoesNotKnow) { expect_refused(417, with("Expect: the-impossible\r\n")); }

TEST(RequestParser, KeepsHeadsAndBodiesInTheirLimits) {
    expect_refused(431, with("X: " + std::string(head_limit, 'x') + "\r\n"));
    expect_refused(431, "GET /" + std::string(head_limit, 'x'));
    std::string many;
    for (int n = 0; n < 101; ++n) many += "X: a\r\n";
    expect_refused(431, with(many));
    expect_refused(413, with("Content-Length: 1001\r\n"));
    expect_refused(413, with("Transfer-Encoding: chunked\r\n", "3e9\r\n"));
    EXPECT_TRUE(parse(with("Content-Length: 1000\r\n", std::string(1000, 'x'))).request);
}

TEST(RequestParser, PassesOverOneEmptyLineBeforeARequest) {
    EXPECT_TRUE(parse("\r\n" + next).request);
    EXPECT_FALSE(parse("\r\n\r\n\r\n" + next).request);
}

}  // namespace
}  // namespace orchd::net::tests
