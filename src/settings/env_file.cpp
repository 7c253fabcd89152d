#include "settings/env_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

namespace orchd::settings {
namespace {

constexpr std::string_view blanks = " \t\r";

bool blank(char c) { return blanks.find(c) != std::string_view::npos; }

void strip(std::string& text) { text.erase(text.find_last_not_of(blanks) + 1); }

// A walk over the text that knows in which line it is.
class Walk {
public:
    Walk(std::string text, const std::string& file) : text_(std::move(text)), file_(file) {}

    std::vector<Variable> variables() {
        std::vector<Variable> all;
        while (skip_to_name()) {
            Variable variable{{}, {}, file_ + ':' + std::to_string(line_)};
            while (!over() && peek() != '=' && peek() != '\n') variable.name += next();
            strip(variable.name);
            if (over() || next() == '\n') continue;  // a line without a value says nothing
            variable.value = value();
            all.push_back(std::move(variable));
        }
        return all;
    }

private:
    [[nodiscard]] bool over() const { return at_ == text_.size(); }
    [[nodiscard]] char peek() const { return text_[at_]; }
    char next() {
        const char c = text_[at_++];
        line_ += c == '\n' ? 1 : 0;
        return c;
    }

    // Past empty lines and comments, which a backslash at the end continues, too.
    bool skip_to_name() {
        while (!over()) {
            if (peek() == '#' || peek() == ';')
                while (!over() && peek() != '\n')
                    if (next() == '\\' && !over()) next();
            if (over()) return false;
            if (peek() != '\n' && !blank(peek())) return true;
            next();
        }
        return false;
    }

    // Quotes begin where nothing, or a quoted part, stands before them.
    std::string value() {
        std::string value;
        std::size_t kept = 0;  // of its end blanks are taken away, but none that was quoted
        bool begun = false;
        while (!over() && peek() != '\n') {
            const char c = next();
            if (!begun && blank(c)) continue;
            if (!begun && (c == '\'' || c == '"')) {
                value += quoted(c);
                kept = value.size();
                continue;
            }
            begun = true;
            if (c != '\\') {
                value += c;
            } else if (!over()) {
                if (const char escaped = next(); escaped != '\n') value += escaped;
                kept = value.size();
            }
        }
        while (value.size() > kept && blank(value.back())) value.pop_back();
        if (!over()) next();
        return value;
    }

    std::string quoted(char quote) {
        std::string text;
        while (!over()) {
            const char c = next();
            if (c == quote) break;
            if (c != '\\' || quote == '\'' || over()) {
                text += c;
                continue;
            }
            const char escaped = next();
            if (escaped == '\n') continue;
            if (std::string_view("\"\\`$").find(escaped) == std::string_view::npos) text += '\\';
            text += escaped;
        }
        return text;
    }

    std::string text_;
    const std::string& file_;
    std::size_t at_ = 0;
    int line_ = 1;
};

}  // namespace

Result<std::vector<Variable>> read_env_file(const std::string& file) {
    if (file.empty()) return std::vector<Variable>{};
    std::ifstream in(file, std::ios::binary);
    if (!in && errno != ENOENT) return fail(Errc::io, file + ": " + std::strerror(errno));
    return Walk(std::string(std::istreambuf_iterator<char>(in), {}), file).variables();
}

}  // namespace orchd::settings
