// The texts of the migrations; schema 1 in the order of its parts.
#pragma once

#include <string_view>

namespace orchd::store {

extern const std::string_view schema_1_tasks, schema_1_jobs, schema_1_leases, schema_1_facts, schema_1_outside;
extern const std::string_view schema_2_deliveries;
extern const std::string_view schema_3_totals;
extern const std::string_view schema_4_ticks;
extern const std::string_view schema_5_seen;
extern const std::string_view schema_intake;
extern const std::string_view schema_identity;
extern const std::string_view schema_priority;
extern const std::string_view schema_later;
extern const std::string_view schema_stalls;
extern const std::string_view schema_numbers;
extern const std::string_view schema_stalls_of_both;

}  // namespace orchd::store
