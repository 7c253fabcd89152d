#include "listener/answers.h"

#include <gtest/gtest.h>

namespace orchd::listener {
namespace {

using namespace std::chrono_literals;

TEST(Answers, ARefusalIsToldOnceAMinuteWithHowManyThereWere) {
    std::string told;
    Answers answers([&](const Answers::Refusals& r) {
        told += std::to_string(r.status) + "x" + std::to_string(r.count) + " " + r.last_source + "; ";
    });
    const auto start = Answers::Clock::now();
    for (int n = 0; n < 1000; ++n) answers.count(400, "192.0.2." + std::to_string(n % 9), start + n * 1ms);
    answers.count(413, "192.0.2.1", start + 2s);
    EXPECT_EQ(told, "400x1 192.0.2.0; 413x1 192.0.2.1; ");
    answers.count(400, "192.0.2.7", start + 61s);
    EXPECT_EQ(told, "400x1 192.0.2.0; 413x1 192.0.2.1; 400x1000 192.0.2.7; ");
}

TEST(Answers, WhatIsHeldBackIsToldWhenItIsDueAndAtTheEnd) {
    std::string told;
    Answers answers([&](const Answers::Refusals& r) {
        told += std::to_string(r.status) + "x" + std::to_string(r.count) + " " + r.last_source + "; ";
    });
    const auto start = Answers::Clock::now();
    for (int n = 0; n < 5; ++n) answers.count(413, "192.0.2." + std::to_string(n), start);
    answers.tell_rest(false, start + 59s);
    EXPECT_EQ(told, "413x1 192.0.2.0; ");
    answers.tell_rest(false, start + 60s);
    EXPECT_EQ(told, "413x1 192.0.2.0; 413x4 192.0.2.4; ") << "nobody asked for it";
    answers.count(413, "192.0.2.9", start + 61s);
    answers.tell_rest(true, start + 61s);
    EXPECT_EQ(told, "413x1 192.0.2.0; 413x4 192.0.2.4; 413x1 192.0.2.9; ") << "the listener leaves";
    answers.tell_rest(true, start + 62s);
    EXPECT_EQ(told, "413x1 192.0.2.0; 413x4 192.0.2.4; 413x1 192.0.2.9; ");
}

TEST(Answers, WhatIsNoRefusalIsCountedAndNotTold) {
    int told = 0;
    Answers answers([&](const Answers::Refusals&) { ++told; });
    for (const int status : {200, 200, 404, 503}) answers.count(status, "192.0.2.1");
    EXPECT_EQ(told, 0);
    EXPECT_EQ(answers.totals(), (views::HttpAnswers{{200, 2}, {404, 1}, {503, 1}}));
}

}  // namespace
}  // namespace orchd::listener
