#include "engine/report.h"

#include <array>

namespace orchd::engine {
namespace {

struct Form {
    Artefact artefact;
    std::string_view title, good, bad;
    std::array<std::string_view, 3> keys;
};
constexpr std::array forms{
    Form{Artefact::test_report, "Test report", "PASS", "FAIL", {"result", "status", "verdict"}},
    Form{Artefact::deploy_log, "Deploy log", "SUCCESS", "FAILED", {"deploy_status"}},
    Form{Artefact::staging_log, "Staging log", "SUCCESS", "FAILED", {"staging_status"}},
};

const Form& form_of(Artefact artefact) {
    for (const auto& form : forms)
        if (form.artefact == artefact) return form;
    return forms[0];
}

}  // namespace

std::optional<Artefact> artefact_of(Role role) {
    switch (role) {
        case Role::analyst:
            return Artefact::analysis;
        case Role::architect:
            return Artefact::architecture;
        case Role::reviewer:
            return Artefact::review;
        case Role::tester:
        case Role::test:
            return Artefact::test_report;
        case Role::staging:
            return Artefact::staging_log;
        case Role::deploy:
            return Artefact::deploy_log;
        default:
            return std::nullopt;
    }
}

std::string report_text(const Report& report) {
    const auto& form = form_of(*artefact_of(report.job.role));
    const auto& commit = report.job.commit.empty() ? report.run.head_before : report.job.commit;
    std::string text = "---\n";
    for (const auto key : form.keys)
        if (!key.empty()) text += std::string(key) + ": " + std::string(report.good ? form.good : form.bad) + '\n';
    text +=
        "work_item: " + report.task.work_item + "\ncommit: " + commit + "\nrun: " + std::to_string(report.run.id) + "\n---\n";
    text += "# " + std::string(form.title) + " of " + report.task.work_item + "\n\n";
    if (!report.command.empty()) text += "Command: `" + report.command + "`\n\n";
    const auto seconds = (report.run.exited_at.value_or(report.run.started_at) - report.run.started_at + 999) / 1000;
    text += "On commit " + commit + ", " + report.explanation + " after " + std::to_string(seconds) + " s.\n\n";
    text += "Its output: `journalctl -u " + report.run.unit;
    if (!report.run.invocation_id.empty()) text += " _SYSTEMD_INVOCATION_ID=" + report.run.invocation_id;
    return text + "`\n";
}

std::string describe(Exit exit) {
    switch (exit.kind) {
        case ExitKind::exited:
            return "ended with exit status " + std::to_string(exit.status);
        case ExitKind::killed:
            return "was killed by signal " + std::to_string(exit.status);
        case ExitKind::dumped:
            return "dumped core on signal " + std::to_string(exit.status);
        case ExitKind::timeout:
            return "took too long";
        case ExitKind::lost:
            return "never ran or was lost";
    }
    return {};
}

}  // namespace orchd::engine
