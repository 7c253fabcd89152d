// A database of its own for each test, with the words of the domain.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <filesystem>
#include <string>

#include "store/db.h"
#include "store/facts.h"
#include "store/jobs.h"
#include "store/leases.h"
#include "store/tasks.h"

namespace orchd::store {

// The value of a Result that must have one; a failed test, and an exception that ends it, otherwise.
template <class T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    ADD_FAILURE() << face(result.error().code).name << ": " << result.error().text;
    throw std::runtime_error(result.error().text);
}
inline void must(Status status) {
    if (status) return;
    ADD_FAILURE() << face(status.error().code).name << ": " << status.error().text;
    throw std::runtime_error(status.error().text);
}

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "orchd-store-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    Folder(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline const Now monday{.utc_ms = 1'700'000'000'000, .boot_ms = 1'000'000, .boot_id = "boot-1"};
[[nodiscard]] inline Now later(std::int64_t ms, const Now& now = monday) {
    return {now.utc_ms + ms, now.boot_ms + ms, now.boot_id};
}

class StoreTest : public testing::Test {
protected:
    Folder folder;
    std::string path = folder / "orchd.db";
    Db db = must(Db::open(path, {.mode = Mode::create}));
    Now now = monday;

    template <class Work>
    auto write(Work&& work) {
        return must(db.write(std::forward<Work>(work)));
    }
    std::int64_t project(const std::string& name = "hello") {
        return write([&](Tx& tx) { return ensure_project(tx, name).map([](const Project& p) { return p.id; }); });
    }
    // A new task at analysis.
    std::int64_t task(const std::string& work_item, const std::string& of = "hello") {
        const auto owner = project(of);
        return write([&](Tx& tx) { return create_task(tx, owner, work_item, "task/" + work_item, "title", "body", now); }).id;
    }
    Task look(std::int64_t task_id) { return must(find_task(db, task_id)).value(); }
    Job job(std::int64_t id) { return must(find_job(db, id)).value(); }
    store::Run run(std::int64_t id) { return must(find_run(db, id)).value(); }
    std::optional<std::int64_t> ask(std::int64_t task_id, Role role, Due due = {}, int priority = 5) {
        return write([&](Tx& tx) -> Result<std::optional<std::int64_t>> {
            if (auto set = set_priority(tx, task_id, priority, now); !set) return fail(set.error());
            return enqueue(tx, {.task_id = task_id, .role = role, .due = due}, now);
        });
    }
    // Limits that list every project, without limits of their own.
    Limits limits(int max_concurrency = 1000, int max_steps = 1000) {
        Limits all{.max_concurrency = max_concurrency, .max_steps = max_steps, .projects = {}};
        for (const auto& p : must(all_projects(db)))
            all.projects.push_back({.project_id = p.id, .max_concurrency = 0, .roles = {}});
        return all;
    }
    std::vector<Claim> claim_all(const Limits& with, int at_most = 1000) {
        return write([&](Tx& tx) { return claim(tx, with, at_most, now); });
    }
    Claim claim_one() {
        auto claims = claim_all(limits(), 1);
        if (claims.size() != 1) throw std::runtime_error("nothing to claim");
        return claims.front();
    }
    std::int64_t number(const std::string& sql) {
        auto statement = must(db.prepare(sql));
        return must(statement.step()).value().integer(0);
    }
};

}  // namespace orchd::store
