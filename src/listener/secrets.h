// The webhook secrets: files that the manager hands over as credentials, one for a source, or for a source and a project.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "net/signature.h"

namespace orchd::listener {

class Secrets {
public:
    // Reads webhooks_SOURCE and webhooks_SOURCE.PROJECT, one secret a line: two while one takes the other's place. An empty
    // directory name is one without files. Files that hold no secret, or more than two, are told in `problems`.
    [[nodiscard]] static Secrets read(const std::string& directory, std::vector<std::string>& problems);

    // Those that sign for "gitea" or "gitea/PROJECT"; a project without its own has its source's. Null: there are none.
    [[nodiscard]] const std::vector<net::Hmac>* of(std::string_view source) const;

private:
    std::map<std::string, std::vector<net::Hmac>, std::less<>> by_source_;
};

}  // namespace orchd::listener
