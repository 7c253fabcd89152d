#include "sim/plants.h"

#include <array>
#include <string>

#include "core/planted.h"

namespace orchd {
namespace {

std::string in_force;

}  // namespace

bool planted(std::string_view bug) { return in_force == bug; }

namespace sim {
namespace {

constexpr std::array all{
    Plant{"lease_of_the_living", "recovery takes the transition lease of a live step"},
    Plant{"lease_shared", "a merge or target lease is taken whoever holds it"},
    Plant{"requeue_without_stopping", "a job is queued again without its run being stopped"},
    Plant{"unknown_is_dead", "a cgroup that cannot be read counts as gone"},
    Plant{"boot_ignored", "another boot id is no proof of death"},
    Plant{"exit_0_is_success", "an exit of 0 is taken for a green verdict"},
    Plant{"effect_without_intent", "the merge is not written down before it is done"},
    Plant{"merge_onto_anything", "the merge replaces whatever the target's head is"},
    Plant{"retest_of_another_tree", "an earlier round's re-test counts for a later one's tree"},
    Plant{"set_back_forgotten", "what the target was set back from counts as the branch's own work"},
    Plant{"push_over_others", "a push replaces whatever the branch's head is"},
    Plant{"push_forgotten", "a run's commits are recorded but not pushed"},
    Plant{"advance_lost", "an advance asked for while one runs is dropped"},
    Plant{"told_later", "the record for people is not written with what it tells"},
    Plant{"hold_not_looked_at", "a step moves a task that was held or paused since it looked"},
    Plant{"paused_is_claimed", "jobs of a paused project are claimed"},
    Plant{"attempts_not_counted", "a claim counts no attempt"},
    Plant{"conflicts_without_end", "a conflict sends a task back however often it did"},
    Plant{"attempts_without_end", "a job that dies is queued again for ever"},
    Plant{"death_blamed", "a death counts against the developer"},
    Plant{"stopping_forgotten", "nobody ends a job that is being stopped"},
    Plant{"ends_without_end", "an end that fails is tried for ever"},
    Plant{"end_forgotten", "a run whose end was given up is run anew once it is let go of"},
    Plant{"finish_not_resumed", "a recorded exit whose finish died gets no other"},
    Plant{"stops_what_is_owned", "recovery stops units that a live job owns"},
    Plant{"older_deploy", "the live release is not looked at before a deploy"},
    Plant{"dependency_lost", "a dependency that was asked for is not written"},
    Plant{"reaper_idle", "the reaper says that it made a pass and makes none"},
    Plant{"late_news", "of a work item the last that arrives counts, not the last that happened"},
    Plant{"heeded_again", "a change of a work item that was heeded is heeded again"},
    Plant{"early_word", "a verdict that came before there was anything to judge counts when it comes again"},
    Plant{"late_status", "of a status the last that arrives counts, not the last that happened"},
    Plant{"start_unbounded", "a unit start stands in no boundary"},
    Plant{"unreviewed_commits", "a verdict counts for whatever was pushed after it"},
    Plant{"empty_patch", "a development without a patch is over"},
    Plant{"left_behind_ignored", "what a run left and nobody could bring in is no matter"},
    Plant{"secret_logged", "a prompt with a token in it is logged"},
};

}  // namespace

std::span<const Plant> plants() { return all; }
void plant(std::string_view name) { in_force = name; }

}  // namespace sim
}  // namespace orchd
