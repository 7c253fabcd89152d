// The one database of a seed, as several processes open it. File and connections are kept from seed to seed; only the rows go.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/db.h"

namespace orchd::sim {

class Databases {
public:
    explicit Databases(const std::string& folder);
    // Empties every table, as if the file had just been made.
    void clear();

    // A process's connection, for as long as it lives.
    class Lease {
    public:
        explicit Lease(Databases& all) : all_(all), db_(all.take()) {}
        Lease(const Lease&) = delete;
        ~Lease() { all_.idle_.push_back(std::move(db_)); }
        [[nodiscard]] store::Db& db() { return *db_; }

    private:
        Databases& all_;
        std::unique_ptr<store::Db> db_;
    };

    // Whether these bytes are anywhere in the file, or in what is not yet written back to it.
    [[nodiscard]] bool contains(std::string_view bytes) const;

    // Whoever watches reads here.
    [[nodiscard]] store::Db& watching() { return *watching_; }
    [[nodiscard]] const std::string& path() const { return path_; }

    struct Hooks {
        void (*before_statement)() = nullptr;  // outside transactions
        bool (*before_commit)() = nullptr;     // false: it must not be; asked only where something changed
    };
    static Hooks hooks;

private:
    friend class Lease;
    [[nodiscard]] std::unique_ptr<store::Db> open(bool hooked) const;
    [[nodiscard]] std::unique_ptr<store::Db> take();

    std::string path_;
    std::vector<std::unique_ptr<store::Db>> idle_;
    std::unique_ptr<store::Db> watching_, clearing_;
    std::string clear_sql_;
};

}  // namespace orchd::sim
