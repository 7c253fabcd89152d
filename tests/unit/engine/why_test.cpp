// Why a task stands where it stands (R05: who waits for a human says what to type).
#include "engine/why.h"

#include <gtest/gtest.h>

namespace orchd::engine {
namespace {

class WhyTest : public testing::Test {
protected:
    WhyTest() {
        task_.work_item = "HELLO-1";
        task_.project = "hello";
        task_.stage = Stage::development;
        host_.now.utc_ms = 240'000;
    }
    void pause_host() {
        host_.paused.emplace();
        host_.paused->reason = "moving house";
    }
    Why now() const { return why(task_, around_, host_); }
    void live(Role role, JobStatus status, const std::string& error = {}) {
        store::Job job;
        job.id = 17;
        job.role = role;
        job.kind = kind_of(role);
        job.status = status;
        job.error = error;
        job.project_id = 1;
        job.started_at = 0;
        around_.live.push_back(job);
    }
    store::Task task_;
    Surroundings around_;
    HostView host_;
};

TEST_F(WhyTest, a_run_that_is_over_is_not_under_way) {
    live(Role::developer, JobStatus::running);
    EXPECT_EQ(now().text, "Under way: job 17 (developer) runs for 4 min.");
    around_.ended.emplace(17, 180'000);
    EXPECT_EQ(now().text, "The run of job 17 (developer) ended 60 s ago, and what came of it is being put on record.");
}

TEST_F(WhyTest, an_open_human_gate_needs_you_and_says_what_to_type) {
    task_.stage = Stage::analysis;
    task_.waiting_for = "check_analysis_approved";
    task_.paused_at = 1;  // a pause does not hide that somebody is asked
    EXPECT_TRUE(now().needs_you);
    EXPECT_EQ(now().command, "orchctl task approve HELLO-1");
    task_.waiting_reason = "waits for an approval";
    EXPECT_EQ(now().text, "Its analysis waits for an approval.");
    task_.waiting_reason = "10-analysis.md changed since the approval; it waits for another";
    EXPECT_EQ(now().text, "Its analysis waits for an approval: 10-analysis.md changed since the approval.");
}

TEST_F(WhyTest, a_gate_that_a_person_has_answered_needs_nobody) {
    task_.stage = Stage::analysis;
    task_.waiting_for = "check_analysis_approved";
    around_.answered = true;
    live(Role::step, JobStatus::queued);
    pause_host();
    EXPECT_FALSE(now().needs_you);
    EXPECT_EQ(now().text, "Everything is paused: moving house");
}

TEST_F(WhyTest, every_hold_needs_you_and_names_its_reason) {
    for (const auto& [hold, command] : {std::pair{Hold::escalated, "orchctl task retry HELLO-1"},
                                        {Hold::human, "orchctl task retry HELLO-1"},
                                        {Hold::infra, "orchctl task release HELLO-1"},
                                        {Hold::blocked, "orchctl task release HELLO-1"},
                                        {Hold::needs_input, "orchctl task release HELLO-1"}}) {
        task_.hold = hold;
        task_.hold_reason = "disk full";
        EXPECT_TRUE(now().needs_you) << to_text(hold);
        EXPECT_EQ(now().command, command) << to_text(hold);
        EXPECT_NE(now().text.find("disk full"), std::string::npos) << to_text(hold);
    }
}

TEST_F(WhyTest, what_runs_is_said_before_what_is_queued_and_before_a_pause) {
    pause_host();
    live(Role::step, JobStatus::queued);
    live(Role::developer, JobStatus::running);
    EXPECT_EQ(now().text, "Under way: job 17 (developer) runs for 4 min.");
    EXPECT_FALSE(now().needs_you);
}

TEST_F(WhyTest, the_nearest_pause_is_the_one_to_resume) {
    live(Role::developer, JobStatus::queued);
    pause_host();
    EXPECT_EQ(now().command, "orchctl resume");
    around_.project.emplace();
    around_.project->paused_at = 1;
    around_.project->pause_reason = "freeze";
    EXPECT_EQ(now().command, "orchctl resume project:hello");
    task_.paused_at = 1;
    task_.paused_by = "uid:1000 ada";
    EXPECT_EQ(now().command, "orchctl resume task:HELLO-1");
    EXPECT_FALSE(now().needs_you);
}

TEST_F(WhyTest, a_task_that_waits_says_for_what) {
    around_.needs = {"HELLO-2", "HELLO-3"};
    EXPECT_EQ(now().text, "Waits until HELLO-2, HELLO-3 are done.");
    EXPECT_FALSE(now().needs_you);
    around_.cancelled_need = "HELLO-3";
    EXPECT_EQ(now().text, "Waits for HELLO-3, which was cancelled and so will never be done.");
    EXPECT_EQ(now().command, "orchctl dep remove HELLO-1 HELLO-3");
    EXPECT_TRUE(now().needs_you);
    around_.cancelled_need.clear();
    around_.needs.clear();
    task_.waiting_for = "merge_lease";
    task_.waiting_reason = "HELLO-4 merges";
    EXPECT_EQ(now().text, "Waits for its turn to merge: HELLO-4 merges");
}

TEST_F(WhyTest, who_holds_the_lease_that_a_task_waits_for_is_named_and_whether_that_lives) {
    live(Role::step, JobStatus::queued);  // it looks again from time to time
    around_.live.front().available_at = 300'000;
    task_.waiting_for = "merge_lease";
    task_.waiting_reason = "another task is merging";
    EXPECT_EQ(now().text, "Waits for its turn to merge: another task is merging");
    EXPECT_EQ(now().until, 300'000);
    auto& ahead = around_.ahead.emplace();
    ahead.lease = {.key = "local:/srv/git/hello.git", .acquired_at = 60'000};
    ahead.work_item = "HELLO-2";
    const std::string so_far =
        "Waits for its turn to merge: another task is merging; HELLO-2 has had local:/srv/git/hello.git for 3 min, ";
    EXPECT_EQ(now().text, so_far + "and no job of it is live: the next pass frees it.");
    auto& work = ahead.work.emplace();
    work.job.id = 4;
    work.job.role = Role::retest;
    work.job.status = JobStatus::queued;
    EXPECT_EQ(now().text, so_far + "by job 4 (retest), which is queued: `orchctl why HELLO-2`.");
    work.job.status = JobStatus::running;
    work.run.unit = "orchd-agent@HELLO-2.service";
    const auto unit = so_far + "by job 4 (retest) in unit orchd-agent@HELLO-2.service";
    EXPECT_EQ(now().text, unit + ".");
    ahead.owner = Liveness::unknown;
    EXPECT_EQ(now().text, unit + ".");
    ahead.owner = Liveness::alive;
    EXPECT_EQ(now().text, unit + ", which is alive.");
    ahead.owner = Liveness::dead;
    EXPECT_EQ(now().text, unit + ", of which nothing is seen alive: the passes look after it.");
    around_.live.front().error = "the forge does not answer";
    EXPECT_EQ(now().text.find("merge_lease"), std::string::npos) << "what it was tried with says more";
}

TEST_F(WhyTest, a_transition_under_way_names_its_owner_and_age) {
    live(Role::step, JobStatus::running);
    auto& lease = around_.lease.emplace();
    lease.acquired_at = 60'000;
    lease.owner.emplace();
    lease.owner->unit = "orchd-step@HELLO-1.service";
    lease.owner->pid = 7;
    EXPECT_EQ(now().text,
              "A transition is under way: its lease is held by unit orchd-step@HELLO-1.service, process 7, for 3 min.");
}

TEST_F(WhyTest, a_lease_says_whether_its_unit_lives) {
    live(Role::step, JobStatus::running);
    auto& lease = around_.lease.emplace();
    lease.owner.emplace();
    lease.owner->unit = "orchd-step@HELLO-1.service";
    around_.owner = Liveness::alive;
    EXPECT_NE(now().text.find("orchd-step@HELLO-1.service, process 0, alive for 4 min."), std::string::npos) << now().text;
    for (const auto dead : {Liveness::dead, Liveness::empty}) {
        around_.owner = dead;
        EXPECT_NE(now().text.find("which is dead"), std::string::npos) << now().text;
    }
    around_.owner = Liveness::unknown;
    EXPECT_EQ(now().text.find("dead"), std::string::npos) << "what cannot be read counts as alive";
}

TEST_F(WhyTest, what_is_queued_says_what_it_waits_for_and_after_what) {
    live(Role::developer, JobStatus::queued);
    EXPECT_EQ(now().text, "Queued: job 17 (developer) is not started, since project hello has no valid file.");
    EXPECT_EQ(now().command, "orchctl project check hello");
    task_.again_reason = "a test failed";
    around_.live.front().blocked = true;
    EXPECT_FALSE(now().claimable);
}

TEST_F(WhyTest, where_there_are_no_good_settings_nothing_is_said_to_be_next) {
    host_.no_settings = "The settings are wrong: orchd.toml:1: x: unknown key";
    live(Role::developer, JobStatus::queued);
    EXPECT_EQ(now().text, host_.no_settings);
    EXPECT_EQ(now().command, "orchctl config check");
    around_.live.front().status = JobStatus::running;
    EXPECT_EQ(now().text, "Under way: job 17 (developer) runs for 4 min.");
}

TEST_F(WhyTest, a_project_that_stands_says_what_is_wrong_with_its_file) {
    host_.bad_files["hello"] = "/etc/orchd/projects.d/hello.toml:3: cii: unknown table";
    live(Role::developer, JobStatus::queued);
    EXPECT_EQ(now().text,
              "Queued: job 17 (developer) is not started, since project hello has no valid file: "
              "/etc/orchd/projects.d/hello.toml:3: cii: unknown table");
}

TEST_F(WhyTest, an_open_task_without_work_says_how_to_start_it) {
    EXPECT_EQ(now().command, "orchctl task retry HELLO-1");
    EXPECT_FALSE(now().needs_you);
}

TEST_F(WhyTest, an_ended_task_needs_nobody) {
    task_.stage = Stage::done;
    task_.merged = "abc123";
    EXPECT_EQ(now().text, "Done: merged as abc123.");
    task_.stage = Stage::cancelled;
    EXPECT_EQ(now().text, "Cancelled.");
    EXPECT_EQ(now().command, "");
}

TEST_F(WhyTest, an_end_that_cannot_be_recorded_is_not_under_way) {
    live(Role::developer, JobStatus::running);
    store::Stall stall;
    stall.words = "git push: Permission denied";
    stall.tries = 2;
    stall.due.utc_ms = 300'000;
    around_.stalls.emplace(17, stall);
    EXPECT_EQ(
        now().text,
        "The run of job 17 (developer) is over, but its end cannot be recorded: git push: Permission denied; tried 2 times, "
        "next try at 1970-01-01 00:05:00 UTC.");
    EXPECT_EQ(now().until, 300'000);
    around_.stalls.at(17).state = store::StallState::begun;
    EXPECT_TRUE(now().text.ends_with("and just being tried again.")) << now().text;
}

TEST_F(WhyTest, nobody_is_there_to_start_what_is_first_in_turn) {
    live(Role::developer, JobStatus::queued);
    host_.worker_lives = true;
    EXPECT_EQ(now().text.find("worker"), std::string::npos) << now().text;
    host_.worker_lives = false;
    EXPECT_NE(now().text.find("No worker runs, so nothing is started"), std::string::npos) << now().text;
    EXPECT_EQ(now().text.find("started next"), std::string::npos) << now().text;
    EXPECT_EQ(now().command, "orchctl project check hello") << "what its project lacks comes first";
    pause_host();
    EXPECT_EQ(now().command, "orchctl resume") << "that first";
    EXPECT_NE(now().text.find("No worker runs"), std::string::npos) << now().text;
    task_.stage = Stage::done;
    EXPECT_EQ(now().text, "Done.");
}

}  // namespace
}  // namespace orchd::engine
