// What can be read over HTTP (docs/http.md).
#pragma once

#include "listener/answers.h"
#include "listener/reader.h"
#include "net/router.h"

namespace orchd::listener {

// The reader and the answers, which /metrics tells, outlive the router's handlers.
void add_read_routes(net::Router& router, Reader& reader, const Answers& answers);

}  // namespace orchd::listener
