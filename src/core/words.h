// The words of the pipeline: every enumeration that is stored or shown, with its fixed texts.
#pragma once

#include <array>
#include <cstdint>

#include "core/enum_text.h"

namespace orchd {

enum class Stage { analysis, architecture, development, review, testing, deploy_staging, deploy, done, cancelled };
template <>
inline constexpr auto enum_text<Stage> = std::to_array<std::string_view>({"analysis", "architecture", "development", "review",
                                                                          "testing", "deploy-staging", "deploy", "done",
                                                                          "cancelled"});
[[nodiscard]] constexpr bool terminal(Stage s) { return s == Stage::done || s == Stage::cancelled; }

// Why a task stands still. infra: what orchd needs failed or refuses it (engine/stall); human: only a person can decide.
enum class Hold { none, escalated, blocked, needs_input, infra, human };
template <>
inline constexpr auto enum_text<Hold> = std::to_array<std::string_view>({"none", "escalated", "blocked", "needs_input", "infra",
                                                                         "human"});

// Who works. The first five are the project's agents; check roles run the project's commands; step and deploy are ours.
enum class Role { analyst, architect, developer, reviewer, tester, ci, test, staging, retest, build, step, deploy };
template <>
inline constexpr auto enum_text<Role> = std::to_array<std::string_view>({"analyst", "architect", "developer", "reviewer",
                                                                         "tester", "ci", "test", "staging", "retest", "build",
                                                                         "step", "deploy"});

enum class JobKind { agent, check, advance, deploy };
template <>
inline constexpr auto enum_text<JobKind> = std::to_array<std::string_view>({"agent", "check", "advance", "deploy"});

enum class JobStatus { queued, running, stopping, done, failed, cancelled };
template <>
inline constexpr auto enum_text<JobStatus> = std::to_array<std::string_view>({"queued", "running", "stopping", "done", "failed",
                                                                              "cancelled"});
[[nodiscard]] constexpr bool live(JobStatus s) {
    return s == JobStatus::queued || s == JobStatus::running || s == JobStatus::stopping;
}

enum class ExitKind { exited, killed, dumped, timeout, lost };
template <>
inline constexpr auto enum_text<ExitKind> = std::to_array<std::string_view>({"exited", "killed", "dumped", "timeout", "lost"});

enum class Colour { green, red, undecided };
template <>
inline constexpr auto enum_text<Colour> = std::to_array<std::string_view>({"green", "red", "undecided"});

enum class Gate {
    artifacts_present,
    analysis_approved,
    architecture_done,
    ci_green,
    review_approved,
    tests_passed,
    staging_image_fresh,
    staging_status,
    branch_mergeable,
    deploy_status
};
template <>
inline constexpr auto enum_text<Gate> = std::to_array<std::string_view>({"check_artifacts_present", "check_analysis_approved",
                                                                         "check_architecture_done", "check_ci_green",
                                                                         "check_review_approved", "check_tests_passed",
                                                                         "check_staging_image_fresh", "check_staging_status",
                                                                         "check_branch_mergeable", "check_deploy_status"});

enum class EffectState { intended, done, abandoned };
template <>
inline constexpr auto enum_text<EffectState> = std::to_array<std::string_view>({"intended", "done", "abandoned"});

}  // namespace orchd
