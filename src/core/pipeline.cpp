#include "core/pipeline.h"

#include <algorithm>
#include <array>

#include "core/planted.h"
#include "core/unjudged.h"

namespace orchd {
namespace {

constexpr std::array analysis_gates{Gate::artifacts_present, Gate::analysis_approved};
constexpr std::array architecture_gates{Gate::architecture_done};
constexpr std::array development_gates{Gate::ci_green};
constexpr std::array review_gates{Gate::review_approved};
constexpr std::array testing_gates{Gate::tests_passed};
constexpr std::array staging_gates{Gate::staging_image_fresh, Gate::staging_status, Gate::branch_mergeable};
constexpr std::array deploy_gates{Gate::deploy_status};

using enum Stage;
constexpr std::array table{
    StageRow{analysis, Role::analyst, analysis_gates, architecture, OnRed::again, analysis},
    StageRow{architecture, Role::architect, architecture_gates, development, OnRed::again, architecture},
    StageRow{development, Role::developer, development_gates, review, OnRed::again, development},
    StageRow{review, Role::reviewer, review_gates, testing, OnRed::fall_back, development},
    StageRow{testing, Role::test, testing_gates, deploy_staging, OnRed::fall_back, development},
    StageRow{deploy_staging, Role::staging, staging_gates, deploy, OnRed::fall_back, development},
    StageRow{deploy, Role::build, deploy_gates, done, OnRed::hold, deploy},
    StageRow{done, std::nullopt, {}, done, OnRed::hold, done},
    StageRow{cancelled, std::nullopt, {}, cancelled, OnRed::hold, cancelled},
};

static_assert(table.size() == enum_text<Stage>.size());
static_assert(std::ranges::all_of(table, [](const StageRow& r) { return &r == &table[static_cast<std::size_t>(r.stage)]; }),
              "a row stands at its stage's place");
static_assert(std::ranges::all_of(table,
                                  [](const StageRow& r) {
                                      return terminal(r.stage) ? r.next == r.stage && r.gates.empty() && !r.first_role
                                                               : r.next > r.stage && !r.gates.empty() && r.first_role;
                                  }),
              "only terminal stages end");
static_assert(std::ranges::all_of(table,
                                  [](const StageRow& r) {
                                      return (r.falls_back_to != r.stage) == (r.on_red == OnRed::fall_back);
                                  }),
              "a stage falls back to another if and only if its red does");

constexpr std::array kinds{JobKind::agent, JobKind::agent, JobKind::agent, JobKind::agent, JobKind::agent,   JobKind::check,
                           JobKind::check, JobKind::check, JobKind::check, JobKind::check, JobKind::advance, JobKind::deploy};
static_assert(kinds.size() == enum_text<Role>.size());
static_assert(kinds[static_cast<std::size_t>(Role::tester)] == JobKind::agent);
static_assert(kinds[static_cast<std::size_t>(Role::build)] == JobKind::check);
static_assert(kinds[static_cast<std::size_t>(Role::step)] == JobKind::advance);

// A way back through the table: what it counts, up to which cap, and how that is said.
struct WayBack {
    int Retries::*counter;
    int Caps::*cap;
    const char* said;
};
constexpr WayBack asked_again{&Retries::again, &Caps::again, "asked again"};
constexpr WayBack judged_red{&Retries::developer, &Caps::developer, "sent back to development"};
constexpr WayBack conflicted{&Retries::conflict, &Caps::conflict, "sent back to development by conflicts"};

std::string times(int count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

// What would be one more than the cap is escalated.
Decision go_back(Decision decision, Stage to, const WayBack& way, const Caps& caps) {
    int& count = decision.retries.*way.counter;
    if (count >= caps.*way.cap && !(way.counter == &Retries::conflict && planted("conflicts_without_end"))) {
        decision.kind = Decision::Kind::hold;
        decision.hold = Hold::escalated;
        if (count > 0) decision.reason = std::string(way.said) + ' ' + times(count) + " already; now: " + decision.reason;
        return decision;
    }
    ++count;
    decision.kind = Decision::Kind::move;
    decision.to = to;
    return decision;
}

Decision red(Decision decision, const StageRow& row, bool unusable, const Caps& caps) {
    if (row.on_red == OnRed::hold) {
        decision.kind = Decision::Kind::hold;
        decision.hold = Hold::human;
        return decision;
    }
    if (unusable || row.on_red == OnRed::again) return go_back(std::move(decision), row.stage, asked_again, caps);
    const auto& way = decision.gate == Gate::branch_mergeable ? conflicted : judged_red;
    decision = go_back(std::move(decision), row.falls_back_to, way, caps);
    if (decision.kind == Decision::Kind::move) decision.retries.again = 0;
    return decision;
}

}  // namespace

const StageRow& row(Stage stage) { return table[static_cast<std::size_t>(stage)]; }

bool legal_edge(Stage from, Stage to) {
    if (terminal(from)) return false;
    const StageRow& r = row(from);
    if (to == cancelled || to == from || to == r.next || to == r.falls_back_to) return true;
    return r.on_red == OnRed::fall_back && r.falls_back_to < to && to < from;  // to be judged anew
}

bool can_be_sent_back(Stage from, Stage to) {
    if (terminal(from) || to > from) return false;
    return from != deploy || to == deploy;
}

JobKind kind_of(Role role) { return kinds[static_cast<std::size_t>(role)]; }

Decision decide(Stage stage, std::span<const GateAnswer> answers, Retries before, Caps caps) {
    Decision decision;
    decision.to = stage;
    decision.retries = before;
    if (terminal(stage)) return decision;
    const StageRow& r = row(stage);
    const auto decides = std::ranges::find_if(answers, [](const GateAnswer& a) { return a.colour != Colour::green; });
    if (decides != answers.end()) {
        decision.gate = decides->gate;
        decision.reason = decides->reason;
        if (decides->colour == Colour::undecided) return decision;
        return red(std::move(decision), r, decides->unusable, caps);
    }
    for (const Gate gate : r.gates) {
        if (std::ranges::find(answers, gate, &GateAnswer::gate) != answers.end()) continue;
        decision.gate = gate;
        decision.reason = std::string(to_text(gate)) + " was not asked";
        return decision;
    }
    decision.kind = Decision::Kind::move;
    decision.to = r.next;
    decision.retries.again = 0;
    return decision;
}

Decision unjudged(Stage stage, Stage to, const GateAnswer& answer, Retries before, int cap) {
    Decision decision;
    decision.to = stage;
    decision.retries = before;
    decision.gate = answer.gate;
    decision.reason = answer.reason;
    int& count = decision.retries.conflict;
    if (count >= cap) {
        decision.kind = Decision::Kind::hold;
        decision.hold = Hold::escalated;
        decision.reason = "sent back by conflicts and by what others pushed " + std::to_string(count) +
                          " times already; now: " + decision.reason;
        return decision;
    }
    ++count;
    decision.retries.again = 0;
    decision.kind = Decision::Kind::move;
    decision.to = to;
    return decision;
}

}  // namespace orchd
