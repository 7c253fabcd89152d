// /metrics, judged by those who will read it: Prometheus's own tool, and the reference parser of OpenMetrics (R37).
#include <cstdio>
#include <fstream>

#include "fixture.h"
#include "store/stalls.h"

namespace orchd::views {
namespace {

class MetricsTest : public ViewsTest {
protected:
    MetricsTest() {
        const auto a = task("HELLO-1");
        must(db.write([&](Tx& tx) { return store::set_hold(tx, a, Hold::infra, "", now); }));
        const auto b = task("HELLO-2");
        must(db.write([&](Tx& tx) { return store::set_waiting(tx, b, "a \"quoted\\\nword", "", now); }));
        (void)ask(b, Role::developer);
        (void)write([&](Tx& tx) { return store::post(tx, "journal", "k", "{}", now); });
        must(db.write([&](Tx& tx) { return store::add_to_counter(tx, "reaped_total", 3, now); }));
        must(db.write([&](Tx& tx) { return store::add_to_counter(tx, "not a name_total", 3, now); }));
    }
    // What a program says of the page on its standard input, with its exit status; "0 " where it is content and silent.
    std::string judged(const std::string& command, MetricsFormat format) {
        const auto page = folder / "page";
        std::ofstream(page) << must(metrics_text(view(), {{200, 17}, {413, 1}}, format));
        FILE* judge = ::popen(("{ " + command + "; } <'" + page + "' 2>&1").c_str(), "r");
        std::string said;
        for (char part[256]; std::fgets(part, sizeof part, judge) != nullptr;) said += part;
        return std::to_string(::pclose(judge)) + ' ' + said;
    }
    static bool there(const char* command) { return std::system(command) == 0; }
};

TEST_F(MetricsTest, PromtoolFindsNothingToSay) {
    if (!there("command -v promtool >/dev/null")) GTEST_SKIP() << "prometheus is not installed";
    EXPECT_EQ(judged("promtool check metrics", MetricsFormat::prometheus), "0 ");
    // Its own parser of OpenMetrics, which reads a page into a database and wants a time with each sample.
    const auto timed = folder / "timed";
    const auto blocks = "sed -E '/^#/!s/$/ 1700000000/' >'" + timed + "' && promtool tsdb create-blocks-from openmetrics '" +
                        timed + "' '" + (folder / "tsdb") + "' >/dev/null";
    EXPECT_EQ(judged(blocks, MetricsFormat::openmetrics), "0 ");
}

TEST_F(MetricsTest, TheReferenceParserReadsEveryFamily) {
    if (!there("/usr/bin/python3 -c 'import prometheus_client' 2>/dev/null"))
        GTEST_SKIP() << "python3-prometheus-client is not installed";
    const auto parse = R"(/usr/bin/python3 -c '
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
for family in parse(sys.stdin.read()):
    for sample in family.samples:
        if family.name in ("orchd_tasks_waiting", "orchd_reaped", "orchd_tasks_created", "orchd_disk_free_bytes"):
            print(family.type, family.unit, sample.name, sorted(sample.labels.values()), int(sample.value))
')";
    EXPECT_EQ(judged(parse, MetricsFormat::openmetrics),
              "0 gauge bytes orchd_disk_free_bytes [] 1048576\n"
              "gauge  orchd_tasks_waiting ['a \"quoted\\\\\\nword'] 1\n"
              "counter  orchd_tasks_created_total [] 2\n"
              "counter  orchd_reaped_total [] 3\n");
}

TEST_F(MetricsTest, WhetherTheSettingsAreRightIsAGauge) {
    settings::Condition condition;
    condition.generation = 3;
    auto seen = view();
    seen.condition = &condition;
    const auto page = [&] { return must(metrics_text(seen, {}, MetricsFormat::prometheus)); };
    EXPECT_NE(page().find("\norchd_settings_valid 1\n"), std::string::npos) << page();
    EXPECT_NE(page().find("\norchd_settings_generation 3\n"), std::string::npos);
    for (const auto state : {settings::Condition::State::kept, settings::Condition::State::none}) {
        condition.state = state;
        EXPECT_NE(page().find("\norchd_settings_valid 0\n"), std::string::npos);
    }
}

TEST_F(MetricsTest, BothFormatsEndWithTheirEnd) {
    for (const auto format : {MetricsFormat::prometheus, MetricsFormat::openmetrics}) {
        const auto text = must(metrics_text(view(), {{200, 17}, {413, 1}}, format));
        EXPECT_TRUE(text.ends_with("\n# EOF\n"));
        EXPECT_EQ(text.find("not a name"), std::string::npos);
        EXPECT_NE(text.find("orchd_project_refused{project=\"broken\"} 1\n"), std::string::npos) << text;
    }
}

TEST_F(MetricsTest, WhatStandsStillIsTold) {
    const auto text = [&] { return must(metrics_text(view(), {}, MetricsFormat::prometheus)); };
    const auto has = [&](const std::string& line) { return ("\n" + text()).find('\n' + line + '\n') != std::string::npos; };
    EXPECT_TRUE(has("orchd_oldest_running_job_age_seconds 0.000")) << text();
    EXPECT_TRUE(has("orchd_needs_you 1")) << text();
    EXPECT_TRUE(has("orchd_run_failures_total{program=\"finish\"} 0")) << text();
    EXPECT_EQ(text().find("orchd_worker_alive"), std::string::npos) << "not known here";
    EXPECT_EQ(text().find("orchd_backup_age"), std::string::npos) << "there was none";
    const auto claim = claim_one();
    must(db.write([&](Tx& tx) -> Status {
        must(store::record_exit(tx, claim.run.id, {ExitKind::exited, 0}, "i", now));
        store::Stall stall;
        stall.run_id = claim.run.id;
        stall.words = "Permission denied";
        stall.tries = 1;
        if (auto put = store::put_stall(tx, stall); !put) return put;
        if (auto put = store::put_state(tx, {"last_backup", "b", "maintenance", "", now.utc_ms}); !put) return put;
        return store::add_to_counter(tx, "finish_failures_total", 1, now);
    }));
    now.utc_ms += 90'000;
    EXPECT_TRUE(has("orchd_oldest_running_job_age_seconds 90.000")) << text();
    EXPECT_TRUE(has("orchd_runs_stalled{part=\"end\"} 1")) << text();
    EXPECT_TRUE(has("orchd_run_failures_total{program=\"finish\"} 1")) << text();
    EXPECT_TRUE(has("orchd_backup_age_seconds 90.000")) << text();
    EXPECT_EQ(text().find("orchd_finish_failures"), std::string::npos) << "told once";
    auto known = view();
    known.worker_lives = false;
    EXPECT_NE(must(metrics_text(known, {}, MetricsFormat::prometheus)).find("\norchd_worker_alive 0\n"), std::string::npos);
}

}  // namespace
}  // namespace orchd::views
