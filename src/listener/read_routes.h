// What can be read over HTTP (docs/http.md).
#pragma once

#include "listener/reader.h"
#include "net/router.h"

namespace orchd::listener {

// The reader outlives the router's handlers.
void add_read_routes(net::Router& router, Reader& reader);

}  // namespace orchd::listener
