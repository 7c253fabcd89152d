// Signatures by the vectors of their senders, and forms (R18).
#include <gtest/gtest.h>
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
}

}  // namespace
}  // namespace orchd::net::tests
