#include "orchctl/table.h"

#include <gtest/gtest.h>
#include <cstdlib>
#include <ctime>

namespace orchd::orchctl {
namespace {

Table sample() {
    Table table({{"NAME"}, {"N", Align::right}, {"TEXT"}});
    table.add({"HELLO-1", "7", "the first"});
    table.add({"A-12", "123", {"a longer text of words", Paint::red}});
    return table;
}

TEST(Table, AlignsItsColumns) {
    EXPECT_EQ(sample().render(0, false),
              "NAME       N  TEXT\n"
              "HELLO-1    7  the first\n"
              "A-12     123  a longer text of words\n");
}

TEST(Table, CutsTheLastColumnToTheTerminal) {
    EXPECT_EQ(sample().render(26, false),
              "NAME       N  TEXT\n"
              "HELLO-1    7  the first\n"
              "A-12     123  a longer te…\n");
}

TEST(Table, ColoursOnlyWhereAskedFor) {
    const auto text = sample().render(0, true);
    EXPECT_NE(text.find("\x1b[31ma longer text of words\x1b[0m"), std::string::npos);
    EXPECT_EQ(sample().render(0, false).find('\x1b'), std::string::npos);
}

TEST(Table, CountsLettersNotBytes) {
    Table table({{"A"}, {"B"}});
    table.add({"größe", "x"});
    table.add({"groesse", "y"});
    EXPECT_EQ(table.render(0, false), "A        B\ngröße    x\ngroesse  y\n");
}

TEST(Table, ShowsADashWhereThereIsNothing) {
    Table table({{"A"}, {"B"}});
    table.add({"", "x"});
    EXPECT_EQ(table.render(0, false), "A  B\n-  x\n");
}

TEST(Table, WhatAgentsWroteCannotSteerTheTerminal) {
    Table table({{"A"}});
    table.add(
        {"a\x1b[2Jb\r\nc\td\x7f\xc2\x9b"
         "1m"});
    EXPECT_EQ(table.render(0, false), "A\na?[2Jb? c d??1m\n");
    EXPECT_EQ(printable_lines("a\nb\x1b"), "a\nb?");
}

TEST(Table, TellsAgesInOneUnit) {
    EXPECT_EQ(age(0, 1000), "-");
    EXPECT_EQ(age(1000, 6000), "5s");
    EXPECT_EQ(age(1, 1 + 180'000), "3m");
    EXPECT_EQ(age(1, 1 + 3 * 3'600'000), "3h");
    EXPECT_EQ(age(1, 1 + 72 * 3'600'000LL), "3d");
    EXPECT_EQ(age(5000, 1000), "0s");
}

TEST(Table, TellsLocalTimes) {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    EXPECT_EQ(local_time(0), "-");
    EXPECT_EQ(local_time(1'700'000'000'000), "2023-11-14 22:13:20");
}

}  // namespace
}  // namespace orchd::orchctl
