// A work item's id: `[A-Z][A-Z0-9]{0,13}-[0-9]{1,10}`. It names units, users and folders, so nothing else passes. What it means
// is its number: HELLO-01 is HELLO-1, written otherwise.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace orchd {

// What the branches of all tasks begin with.
inline constexpr std::string_view task_branches = "task/";

class WorkItem {
public:
    // Errc::invalid_argument with the pattern and an example.
    [[nodiscard]] static Result<WorkItem> parse(std::string_view text);
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] std::string_view prefix() const { return std::string_view(text_).substr(0, text_.find('-')); }
    // Without the zeros before its number, the same for each way to write it: "ORCH-53".
    [[nodiscard]] std::string plain() const;
    // The task's branch: "task/ORCH-053".
    [[nodiscard]] std::string branch() const { return std::string(task_branches) + text_; }
    friend bool operator==(const WorkItem&, const WorkItem&) = default;

private:
    explicit WorkItem(std::string text) : text_(std::move(text)) {}
    std::string text_;
};
// `[A-Z][A-Z0-9]{0,13}`
[[nodiscard]] bool valid_prefix(std::string_view text);
// A project's name: `[a-z][a-z0-9-]{0,30}`, no trailing dash. It names files.
[[nodiscard]] bool valid_project_name(std::string_view text);

}  // namespace orchd
