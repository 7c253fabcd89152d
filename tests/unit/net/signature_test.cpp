// Signatures by the vectors of their senders, and forms (R18).
#include <gtest/gtest.h>
#include <algorithm>
#include <optional>
#include <string>

#include "net/form.h"
#include "net/signature.h"

namespace orchd::net::tests {
namespace {

TEST(Hmac, KnowsTheVectorsOfGiteaAndPlane) {
    const Hmac gitea("s3cret");
    const std::string right = "73ce07186121d476680d32296a6588731bd7e4dec860ce42e3415c212e5f543e";
    const std::string body = "{\n  \"ref\": \"refs/heads/main\"\n}";
    for (int n = 0; n < 3; ++n) EXPECT_TRUE(gitea.signs(body, right)) << "the key stays";
    EXPECT_TRUE(Hmac("It's a Secret to Everybody")
                    .signs("Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"));
    EXPECT_TRUE(Hmac("plane_wh_test")
                    .signs("{\"event\": \"issue\", \"action\": \"updated\", \"data\": {\"name\": \"Caf\\u00e9\"}}",
                           "a3a859e07200eec49742672be4b5b02383e88508f3578c59676f2bdb52ffe588"));
    EXPECT_FALSE(gitea.signs(body + " ", right));
    for (std::size_t at = 0; at < right.size(); ++at) {
        auto wrong = right;
        wrong[at] = wrong[at] == '0' ? '1' : '0';
        EXPECT_FALSE(gitea.signs(body, wrong));
    }
    EXPECT_FALSE(gitea.signs(body, ""));
    EXPECT_FALSE(gitea.signs(body, right.substr(1)));
    EXPECT_FALSE(gitea.signs(body, right + "00"));
}

TEST(Sha256, KnowsItsVector) {
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// The value of the field however the body is cut into pieces; nothing where it is not there once and sound.
std::optional<std::string> form_value(std::string_view body, const std::string& name) {
    std::optional<std::string> expected;
    for (std::size_t cut = 1; cut <= std::max<std::size_t>(body.size(), 1); ++cut) {
        std::string value;
        FormField field(name, [&](std::string_view piece) { value += piece; });
        for (std::size_t at = 0; at < body.size(); at += cut) field.put(body.substr(at, cut));
        const auto found = field.finish() ? std::optional(value) : std::nullopt;
        if (cut == 1) expected = found;
        EXPECT_EQ(found, expected) << "in pieces of " << cut;
    }
    return expected;
}

TEST(Hmac, ComesToTheSameInPieces) {
    const Hmac key("s3cret");
    const std::string body = "{\n  \"ref\": \"refs/heads/main\"\n}";
    for (std::size_t cut = 1; cut < body.size(); ++cut) {
        auto running = key.begin();
        for (std::size_t at = 0; at < body.size(); at += cut) running.add(std::string_view(body).substr(at, cut));
        const auto is = running.finish();
        EXPECT_TRUE(is("73ce07186121d476680d32296a6588731bd7e4dec860ce42e3415c212e5f543e"));
        EXPECT_FALSE(is("73ce07186121d476680d32296a6588731bd7e4dec860ce42e3415c212e5f543f"));
        EXPECT_FALSE(is(""));
    }
}

TEST(Form, FindsTheOneValueOfAName) {
    EXPECT_EQ(form_value("payload=a+b%2Bc%26d%3D%00", "payload"), std::nullopt);
    EXPECT_EQ(form_value("payload=a+b%2Bc%26d%3D", "payload"), "a b+c&d=");
    EXPECT_EQ(form_value("x=1&p%61yload=2&y", "payload"), "2");
    EXPECT_EQ(form_value("payload", "payload"), "");
    EXPECT_EQ(form_value("payload=a=b", "payload"), "a=b");
    EXPECT_EQ(form_value("payload=1&payload=1", "payload"), std::nullopt);
    EXPECT_EQ(form_value("", "payload"), std::nullopt);
    EXPECT_EQ(form_value("payload=%zz", "payload"), std::nullopt);
    EXPECT_EQ(form_value("payload=%7", "payload"), std::nullopt);
    EXPECT_EQ(form_value("payload=%%41", "payload"), std::nullopt);
    EXPECT_EQ(form_value("a%zz=1&payload=x", "payload"), "x") << "what is broken elsewhere is nobody's concern";
    EXPECT_EQ(form_value("payload%=1", "payload"), std::nullopt);
    EXPECT_EQ(form_value("payloads=1&payload=%C3%A9&payloa=3", "payload"), "\xc3\xa9");
    EXPECT_EQ(form_value("x&payload=1", "payload"), "1");
}

}  // namespace
}  // namespace orchd::net::tests
