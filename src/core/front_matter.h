// Front matter of artefacts (R03): the YAML mapping between two lines "---" at the very start of a Markdown file.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/words.h"

namespace orchd {

// Top-level scalar keys and their text; null reads "". A byte order mark and CRLF are as good as none. Refused
// (Errc::invalid_argument, with the reason): no front matter, YAML that does not parse, a duplicate key at any level, a key
// that is no scalar, an anchor, alias or tag, a control character, more than 64 KiB, a document that is not a mapping, a second
// document. Values that are not scalars are left out. Reads with yaml-cpp's event parser, since its loader keeps the first of
// two equal keys in silence.
[[nodiscard]] Result<std::map<std::string, std::string>> front_matter(std::string_view file);

enum class Artefact { analysis, architecture, review, test_report, deploy_log, staging_log, post_deploy_log };
template <>
inline constexpr auto enum_text<Artefact> = std::to_array<std::string_view>({"10-analysis.md", "11-architecture.md",
                                                                             "12-review.md", "13-test-report.md",
                                                                             "14-deploy-log.md", "15-staging-log.md",
                                                                             "16-post-deploy-log.md"});
// Where the artefacts of all work items stand in the repository; of one, "docs/work-items/ORCH-053".
inline constexpr std::string_view artefacts_folder = "docs/work-items";
[[nodiscard]] std::string artefact_folder(std::string_view work_item);
[[nodiscard]] std::string artefact_path(std::string_view work_item, Artefact artefact);
[[nodiscard]] std::vector<std::string> artefact_paths(std::string_view work_item);  // of each

// What an artefact's front matter must say.
struct FrontMatterDemand {
    Artefact artefact;
    std::string_view key;                           // has to be there
    std::string_view green, red;                    // its values; red empty: there is none
    std::array<std::string_view, 2> agreeing = {};  // where these keys are there, they say the same; "" for none
};
[[nodiscard]] const FrontMatterDemand& demand_of(Artefact artefact);

// The machine verdict of an artefact: green or red with a reason; never green for what is missing, unknown or contradictory.
struct Verdict {
    Colour colour;
    std::string reason;
    bool unusable = false;  // red because it could not be read, not because it says no
};
// `file` is its whole text; nothing where it is not there.
[[nodiscard]] Verdict verdict(Artefact artefact, std::optional<std::string_view> file);

}  // namespace orchd
