// R10, R13: alive or not, over everything that can be seen.
#include "core/liveness.h"

#include <gtest/gtest.h>

namespace orchd {
namespace {

const std::string this_boot = "11111111-1111-1111-1111-111111111111";
const std::string other_boot = "22222222-2222-2222-2222-222222222222";
const std::string mine(32, 'a');
const std::string another(32, 'b');

TEST(Liveness, R10_AnotherBootIsDeadWhateverIsSeen) {
    for (const bool readable : {false, true})
        for (const bool pending : {false, true})
            for (const bool populated : {false, true})
                for (const auto& invocation : {std::string(), mine, another}) {
                    const UnitSeen seen{readable, pending, populated, populated, invocation};
                    EXPECT_EQ(judge({"u", other_boot, mine}, seen, this_boot), Liveness::dead);
                }
}

TEST(Liveness, R10_EveryOtherCombinationOfWhatIsSeen) {
    for (const bool pending : {false, true})
        for (const bool active : {false, true})
            for (const bool populated : {false, true})
                for (const auto& recorded : {std::string(), mine})
                    for (const auto& found : {std::string(), mine, another}) {
                        const bool other_invocation = !recorded.empty() && found == another;
                        const auto expected = other_invocation         ? Liveness::dead
                                              : (populated || pending) ? Liveness::alive
                                                                       : Liveness::empty;
                        const UnitSeen seen{true, pending, active, populated, found};
                        EXPECT_EQ(judge({"u", this_boot, recorded}, seen, this_boot), expected);
                    }
}

TEST(Liveness, R10_WhatCannotBeReadIsUnknown) {
    UnitSeen seen{.readable = false, .job_pending = false, .active = false, .populated = false, .invocation_id = another};
    EXPECT_EQ(judge({"u", this_boot, mine}, seen, this_boot), Liveness::unknown);
}

TEST(Liveness, R10_AnActiveUnitWithoutAProcessIsEmpty) {
    UnitSeen seen{.readable = true, .job_pending = false, .active = true, .populated = false, .invocation_id = mine};
    EXPECT_EQ(judge({"u", this_boot, mine}, seen, this_boot), Liveness::empty);
}

}  // namespace
}  // namespace orchd
