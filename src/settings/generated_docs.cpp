#include <string>

#include "settings/settings.h"
#include "settings/table.h"

namespace orchd::settings {

std::string example_file() {
    std::string text =
        "# Settings of orchd on this host; see orchd.toml(5). Every value below is the default.\n"
        "# 'orchctl config check' reads it as the units do. What has changed is taken without a restart; what is wrong leaves\n"
        "# the last good settings in force.\n";
    const Settings defaults;
    for (const auto& key : keys()) {
        text += "\n# " + std::string(key.text) + ".\n# Takes " + allowed(key) + "; also " + env_name(key) + ".\n#" +
                std::string(key.name) + " = " + value_text(key, defaults) + "\n";
    }
    return text;
}

std::string man_rows() {
    std::string rows;
    const Settings defaults;
    for (const auto& key : keys()) {
        rows += ".It Va " + std::string(key.name) + "\n" + std::string(key.text) + ".\nTakes " + allowed(key) +
                ".\nDefault: " + value_text(key, defaults) + ".\nEnvironment:\n.Ev " + env_name(key) + " .\n";
    }
    return rows;
}

}  // namespace orchd::settings
