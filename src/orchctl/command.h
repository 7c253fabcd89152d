// A command of orchctl and what may follow it: the part of CLI11 that the families of commands use. CLI11 is a header of ten
// thousand lines of templates, so one unit alone includes it (command.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchctl/session.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace orchd::orchctl {

// Handles: cheap to copy, valid while the tree they are of is.
class Parameter {
public:
    explicit Parameter(CLI::Option* option) : option_(option) {}
    Parameter required(bool really = true) const;
    Parameter between(std::int64_t least, std::int64_t most) const;
    Parameter excludes(Parameter other) const;
    Parameter needs(Parameter other) const;
    Parameter one_each() const;  // of a list: one value each time that it is named

private:
    CLI::Option* option_;
};

class Command {
public:
    Command(CLI::App* app, Session* session) : app_(app), session_(session) {}

    // A command that does nothing itself names one below it.
    [[nodiscard]] Command family(const std::string& name, const std::string& text) const;
    [[nodiscard]] Command add(const std::string& name, const std::string& text) const;
    // "-r,--reason", or a bare name for what stands by its place. The value is written when the line is read: keep it as long
    // as the tree.
    Parameter option(const std::string& names, std::string& value, const std::string& text) const;
    Parameter option(const std::string& names, std::optional<std::string>& value, const std::string& text) const;
    Parameter option(const std::string& names, std::uint64_t& value, const std::string& text) const;
    Parameter option(const std::string& names, std::optional<std::uint64_t>& value, const std::string& text) const;
    Parameter option(const std::string& names, std::vector<std::string>& value, const std::string& text) const;
    Parameter flag(const std::string& names, bool& value, const std::string& text) const;
    // What it does, later, if the command line names it.
    void does(std::function<Status()> command) const;

    // What there is, for completion, suggestions and tests.
    [[nodiscard]] std::string name() const;
    [[nodiscard]] std::vector<Command> below() const;
    [[nodiscard]] std::vector<std::string> option_names() const;  // "--json", "-r"; not what stands by its place

private:
    CLI::App* app_;
    Session* session_;
};

class CommandTree {
public:
    explicit CommandTree(Session& session);  // which it refers to
    ~CommandTree();
    CommandTree(const CommandTree&) = delete;
    CommandTree& operator=(const CommandTree&) = delete;

    [[nodiscard]] Command root() const { return {app_.get(), &session_}; }
    // Reads a command line and sets session.command. False where that was --help or --version, whose
    // text is the answer then. What is
    // wrong with the words otherwise, as CLI11 says it.
    [[nodiscard]] Result<bool> read(const std::vector<std::string>& words) const;

private:
    Session& session_;
    std::unique_ptr<CLI::App> app_;
};

}  // namespace orchd::orchctl
