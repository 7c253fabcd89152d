#include "host/journal.h"

#include <systemd/sd-journal.h>
#include <algorithm>
#include <memory>
#include <string_view>

namespace orchd::host {
namespace {

struct CloseJournal {
    void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, CloseJournal>;

constexpr int looked_at = 50;  // records, from the end
constexpr std::string_view of_launcher = "orchd: ";

bool is_invocation(std::string_view id) {
    return id.size() == 32 && std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view message(sd_journal* journal) {
    constexpr std::string_view field = "MESSAGE=";
    const void* data = nullptr;
    std::size_t size = 0;
    if (sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0 || size < field.size()) return {};
    return std::string_view(static_cast<const char*>(data), size).substr(field.size());
}

}  // namespace

std::string last_line_of(const std::string& invocation_id) {
    sd_journal* opened = nullptr;
    if (!is_invocation(invocation_id) || sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0) return {};
    const Journal journal(opened);
    const auto match = "_SYSTEMD_INVOCATION_ID=" + invocation_id;
    if (sd_journal_add_match(opened, match.data(), match.size()) < 0 || sd_journal_seek_tail(opened) < 0) return {};
    for (int i = 0; i < looked_at && sd_journal_previous(opened) > 0; ++i) {
        const auto line = message(opened);
        if (line.find_first_not_of(" \t") != line.npos && !line.starts_with(of_launcher)) return std::string(line);
    }
    return {};
}

}  // namespace orchd::host
