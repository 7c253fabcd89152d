// Leases, effects, facts and the outside world: impossible rows tried by plain SQL, as in schema_test.cpp.
#include "schema_fixture.h"

namespace orchd::store {
namespace {

TEST_F(SchemaTest, RefusesImpossibleLeases_R13_R12) {
    const LeaseOwner owner{.unit = "u", .invocation_id = "i", .boot_id = "b", .pid = 1};
    for (int n = 0; n < 2; ++n) {
        const auto fence =
            write([&](Tx& tx) { return acquire_transition(tx, 1, owner, 0, Stage::analysis, std::nullopt, now); });
        ASSERT_EQ(fence, n + 1);
        if (n == 0) (void)write([&](Tx& tx) { return release_transition(tx, 1, 1); });
    }
    const auto job = std::to_string(job_of(1));
    must(db.execute("INSERT INTO merge_leases VALUES ('local:/x', 1, " + job +
                    ", 0);"
                    "INSERT INTO target_leases VALUES ('staging:hello', 1, " +
                    job + ", 0)"));
    const auto second = "INSERT INTO merge_leases VALUES ('local:/x', 2, " + std::to_string(job_of(2)) + ", 0)";
    expect_refused({"a second holder", second.c_str(), "UNIQUE"});
    expect_all_refused({
        {"a fence that falls", "UPDATE transition_leases SET fence = 1", "only grows"},
        {"a new owner under the old fence", "UPDATE transition_leases SET unit = 'other'", "only grows"},
        {"a lease thrown away", "DELETE FROM transition_leases", "keeps its row"},
        {"half an owner", "UPDATE transition_leases SET unit = NULL", "CHECK"},
        {"a second lease", "INSERT INTO transition_leases VALUES (1, NULL, 'u', 'i', 1, 'b', 'review', 9, 0)", "UNIQUE"},
        {"a merge lease by another's job", "UPDATE merge_leases SET task_id = 2", "its task's"},
        {"a target lease by another's job", "UPDATE target_leases SET task_id = 2", "its task's"},
        {"a merge lease by no job", "INSERT INTO merge_leases VALUES ('local:/y', 1, 99, 0)", "its task's"},
        {"a target lease by no job", "INSERT INTO target_leases VALUES ('staging:y', 1, 99, 0)", "its task's"},
    });
}

TEST_F(SchemaTest, EffectsNeverGoBack_R14) {
    must(
        db.execute("INSERT INTO effects VALUES ('1/1/1/merge', 1, 'intended', 1, 'plan', 0);"
                   "INSERT INTO effects VALUES ('1/1/1/deploy', 1, 'intended', 1, 'plan', 0);"
                   "UPDATE effects SET state = 'done' WHERE key = '1/1/1/merge'"));
    expect_all_refused({
        {"a key twice", "INSERT INTO effects VALUES ('1/1/1/merge', 1, 'intended', 1, '', 0)", "UNIQUE"},
        {"done without an intention", "INSERT INTO effects VALUES ('1/1/2/merge', 1, 'done', 1, '', 0)", "intended before"},
        {"a key of another task", "INSERT INTO effects VALUES ('2/1/2/merge', 1, 'intended', 1, '', 0)", "CHECK"},
        {"an unknown state", "UPDATE effects SET state = 'perhaps' WHERE key = '1/1/1/deploy'", "CHECK"},
        {"back to intended", "UPDATE effects SET state = 'intended' WHERE key = '1/1/1/merge'", "never taken back"},
        {"abandoned after done", "UPDATE effects SET state = 'abandoned' WHERE key = '1/1/1/merge'", "never taken back"},
        {"another result", "UPDATE effects SET result = 'else' WHERE key = '1/1/1/merge'", "never taken back"},
        {"an older fence", "UPDATE effects SET fence = 0 WHERE key = '1/1/1/deploy'", "never taken back"},
        {"forgotten", "DELETE FROM effects", "stays"},
    });
}

TEST_F(SchemaTest, TheHistoryIsAppendOnly_R37) {
    for (int at : {10, 20}) {
        (void)write([&](Tx& tx) { return append_event(tx, {.at = at, .actor = "test", .kind = "alert", .data = "{}"}); });
    }
    expect_all_refused({
        {"rewritten", "UPDATE events SET kind = 'nothing'", "append-only"},
        {"removed without a retention", "DELETE FROM events WHERE at = 10", "retention"},
        {"no JSON", "INSERT INTO events (at, actor, kind, data) VALUES (1, 'a', 'k', 'oops')", "CHECK"},
        {"JSON that is no object", "INSERT INTO events (at, actor, kind, data) VALUES (1, 'a', 'k', '[]')", "CHECK"},
        {"nobody", "INSERT INTO events (at, actor, kind, data) VALUES (1, '', 'k', '{}')", "CHECK"},
    });
    write([&](Tx& tx) { return put_state(tx, {.key = "events_kept_from", .value = "20", .by = "t", .reason = "", .at = 0}); });
    must(db.execute("DELETE FROM events WHERE at < 20"));
    expect_refused({"removed inside the retention", "DELETE FROM events WHERE at = 20", "retention"});
    EXPECT_EQ(number("SELECT count(*) FROM events"), 1);
}

TEST_F(SchemaTest, RefusesImpossibleFacts) {
    must(
        db.execute("INSERT INTO verdicts (task_id, stage_seq, gate, colour, reason, \"commit\", patch_id, by, unusable, at)"
                   " VALUES (1, 1, 'check_ci_green', 'green', '', '', '', 'run:1', 0, 0);"
                   "INSERT INTO releases VALUES ('hello', 'c1', '', 'live', 0);"
                   "INSERT INTO outbox (channel, dedup_key, body, available_at) VALUES ('journal', 'k', '{}', 0);"
                   "UPDATE outbox SET state = 'done', done_at = 1;"
                   "INSERT INTO statuses VALUES ('hello', 'c1', 'ci', 'green', '', 0, 0)"));
    const char* const verdict =
        "INSERT INTO verdicts (task_id, stage_seq, gate, colour, reason, \"commit\", patch_id, by, unusable, at)";
    for (const std::string values :
         {"(1, 1, 'check_luck', 'green', '', '', '', 'x', 0, 0)", "(1, 1, 'check_ci_green', 'blue', '', '', '', 'x', 0, 0)",
          "(1, 1, 'check_ci_green', 'green', '', '', '', '', 0, 0)", "(1, 1, 'check_ci_green', 'green', '', '', '', 'x', 1, 0)",
          "(1, 0, 'check_ci_green', 'green', '', '', '', 'x', 0, 0)"}) {
        const auto sql = std::string(verdict) + " VALUES " + values;
        expect_refused({values.c_str(), sql.c_str(), "CHECK"});
    }
    expect_all_refused({
        {"a verdict turned round", "UPDATE verdicts SET colour = 'red'", "never changed"},
        {"two live releases", "INSERT INTO releases VALUES ('hello', 'c2', 'c1', 'live', 0)", "UNIQUE"},
        {"a release in no state", "UPDATE releases SET state = 'fine'", "CHECK"},
        {"a release of no project", "INSERT INTO releases VALUES ('none', 'c2', '', 'built', 0)", "FOREIGN KEY"},
        {"a status in no state", "UPDATE statuses SET state = 'pending'", "CHECK"},
        {"a status twice", "INSERT INTO statuses VALUES ('hello', 'c1', 'ci', 'red', '', 0, 0)", "UNIQUE"},
        {"a post twice", "INSERT INTO outbox (channel, dedup_key, body, available_at) VALUES ('x', 'k', '{}', 0)", "UNIQUE"},
        {"a post sent again", "UPDATE outbox SET state = 'pending', done_at = NULL", "not sent again"},
        {"a post done at no time",
         "INSERT INTO outbox (channel, dedup_key, body, available_at, state) VALUES ('x', 'l', '{}', 0, 'done')", "CHECK"},
        {"a task that needs itself", "INSERT INTO deps VALUES (1, 1, 'x')", "CHECK"},
        {"an edge twice", "INSERT INTO deps VALUES (1, 2, 'x'), (1, 2, 'y')", "UNIQUE"},
        {"an edge to nothing", "INSERT INTO deps VALUES (1, 99, 'x')", "FOREIGN KEY"},
    });
    must(db.execute("INSERT INTO deps VALUES (1, 2, 'x')"));
    expect_refused({"a bent edge", "UPDATE deps SET needs_task_id = 3", "never bent"});
}

TEST_F(SchemaTest, RefusesImpossibleRowsOfTheOutsideWorld) {
    must(db.execute(
        "INSERT INTO deliveries (source, dedup_key, body_hash, event, body, received_at) VALUES ('gitea', 'd1', '', '', '', 0);"
        "INSERT INTO windows (task_id, opened_at, closes_at) VALUES (1, 0, 10);"
        "INSERT INTO tracker_states VALUES ('hello', 's1', 'Todo', 'unstarted', 0);"
        "INSERT INTO baselines VALUES ('hello', 'lines', 80.0, 'c1', 0)"));
    expect_all_refused({
        {"a delivery twice",
         "INSERT INTO deliveries (source, dedup_key, body_hash, event, body, received_at) VALUES ('gitea', 'd1', '', '', '', "
         "0)",
         "UNIQUE"},
        {"a delivery in no state", "UPDATE deliveries SET state = 'odd'", "CHECK"},
        {"an outcome before its time", "UPDATE deliveries SET outcome = 'x'", "CHECK"},
        {"settled without a word", "UPDATE deliveries SET state = 'ignored'", "CHECK"},
        {"another body", "UPDATE deliveries SET body = 'x'", "as it came"},
        {"two open windows", "INSERT INTO windows (task_id, opened_at, closes_at) VALUES (1, 5, 15)", "UNIQUE"},
        {"a window that closes before it opens", "UPDATE windows SET closes_at = 0", "CHECK"},
        {"counters that are none", "UPDATE windows SET counters = '7'", "CHECK"},
        {"an unknown group", "UPDATE tracker_states SET \"group\" = 'misc'", "CHECK"},
        {"a baseline that falls", "UPDATE baselines SET value = 79.9, \"commit\" = 'c2'", "moves up only"},
        {"a baseline that moves twice for one merge", "UPDATE baselines SET value = 81.0", "moves up only"},
    });
    must(db.execute(
        "UPDATE deliveries SET state = 'failed', outcome = 'x';"
        "INSERT INTO deliveries (source, dedup_key, body_hash, event, body, received_at) VALUES ('gitea', 'd1', '', '', '', 0);"
        "UPDATE baselines SET value = 81.0, \"commit\" = 'c2'; UPDATE windows SET state = 'healthy'"));
    expect_refused({"settled twice", "UPDATE deliveries SET state = 'done' WHERE state = 'failed'", "settled once"});
    expect_refused({"a window opened again", "UPDATE windows SET state = 'open'", "closes once"});
}

TEST_F(SchemaTest, RefusesImpossibleStalls) {
    // Run 1 has neither begun nor ended, run 3 has its exit on record.
    must(db.execute("INSERT INTO stalls VALUES (3, 'end', 'failed', 1, 0, 'why', 0, 0, 0, 'b')"));
    expect_all_refused({
        {"an end without an exit", "INSERT INTO stalls VALUES (1, 'end', 'failed', 1, 0, 'why', 0, 0, 0, 'b')",
         "exit on record"},
        {"a run twice", "INSERT INTO stalls VALUES (3, 'end', 'failed', 1, 0, 'why', 0, 0, 0, 'b')", "UNIQUE"},
        {"no run", "INSERT INTO stalls VALUES (99, 'end', 'failed', 1, 0, 'why', 0, 0, 0, 'b')", "FOREIGN KEY"},
        {"no words", "UPDATE stalls SET words = ''", "CHECK"},
        {"an unknown state", "UPDATE stalls SET state = 'odd'", "CHECK"},
        {"a beginning that is called", "INSERT INTO stalls VALUES (1, 'beginning', 'called', 1, 0, 'why', 0, 0, 0, 'b')",
         "CHECK"},
        {"a count that jumps", "UPDATE stalls SET tries = 3", "one by one"},
        {"a count that is forgotten", "UPDATE stalls SET tries = 0", "one by one"},
        {"another run", "UPDATE stalls SET run_id = 2", "one run"},
        {"another part", "UPDATE stalls SET part = 'beginning'", "one run"},
        {"a stall that is forgotten", "DELETE FROM stalls", "stays on record"},
    });
    must(db.execute("UPDATE stalls SET tries = 2; UPDATE stalls SET state = 'given_up'; UPDATE stalls SET tries = 0"));
    must(db.execute("INSERT INTO stalls VALUES (1, 'beginning', 'failed', 1, 0, 'why', 0, 0, 0, 'b')"));
    must(db.execute("UPDATE runs SET prepared_at = 1 WHERE id = 2"));
    expect_refused({"a beginning of what began",
                    "INSERT INTO stalls VALUES (2, 'beginning', 'failed', 1, 0, 'why', 0, 0, 0, 'b')", "has not begun"});
}

}  // namespace
}  // namespace orchd::store
