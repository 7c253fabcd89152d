#include "host/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>
#include <array>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace orchd::host {
namespace {

struct LevelFace {
    Level level;
    spdlog::level::level_enum spd;
    char priority;  // syslog's
};
constexpr std::array levels{
    LevelFace{Level::debug, spdlog::level::debug, '7'},  LevelFace{Level::info, spdlog::level::info, '6'},
    LevelFace{Level::notice, spdlog::level::info, '5'},  // spdlog knows no notice
    LevelFace{Level::warning, spdlog::level::warn, '4'}, LevelFace{Level::error, spdlog::level::err, '3'},
};
static_assert(levels.size() == static_cast<std::size_t>(Level::error) + 1);

// What spdlog's record cannot carry: the fields of this thread's scopes and of the record in hand ("NAME=value"), and its
// priority.
thread_local std::vector<std::string> fields_now;
thread_local char priority_now = '6';

class JournalSink : public spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(const spdlog::details::log_msg& record) override {
        const auto message = "MESSAGE=" + std::string(record.payload.data(), record.payload.size());
        const auto priority = std::string("PRIORITY=") + priority_now;
        std::vector<iovec> parts;
        parts.reserve(fields_now.size() + 2);
        const auto add = [&](const std::string& s) { parts.push_back({const_cast<char*>(s.data()), s.size()}); };
        add(message);
        add(priority);
        for (const auto& field : fields_now) add(field);
        // A journal that does not take it leaves nobody to tell.
        (void)sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
    }
    void flush_() override {}
};

class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(const spdlog::details::log_msg& record) override {
        auto line = std::string("<") + priority_now + '>' + std::string(record.payload.data(), record.payload.size());
        for (auto& c : line)
            if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';  // one record, one line; no escape sequences
        line += '\n';
        (void)!::write(STDERR_FILENO, line.data(), line.size());
    }
    void flush_() override {}
};

spdlog::logger& logger() {
    static spdlog::logger instance = [] {
        spdlog::sink_ptr sink;
        if (std::getenv("JOURNAL_STREAM") != nullptr)
            sink = std::make_shared<JournalSink>();
        else
            sink = std::make_shared<StderrSink>();
        spdlog::logger made("orchd", std::move(sink));
        made.set_level(spdlog::level::trace);  // the journal filters by priority when it is read
        return made;
    }();
    return instance;
}

std::string joined(const Field& field) {
    std::string text(field.first);
    text += '=';
    return text += field.second;
}

}  // namespace

void log(Level level, std::string_view text, std::initializer_list<Field> fields) {
    const LogScope scope(fields);
    const auto& face = levels[static_cast<std::size_t>(level)];
    priority_now = face.priority;
    logger().log(face.spd, spdlog::string_view_t(text.data(), text.size()));
}

LogScope::LogScope(std::initializer_list<Field> fields) : count_(fields.size()) {
    for (const auto& field : fields) fields_now.push_back(joined(field));
}
LogScope::~LogScope() { fields_now.resize(fields_now.size() - count_); }

}  // namespace orchd::host
