// What can be read over HTTP (docs/http.md).
#pragma once

#include "listener/answers.h"
#include "listener/health.h"
#include "listener/reader.h"
#include "net/router.h"

namespace orchd::listener {

// All of them outlive the router's handlers, and the health the reader; the answers are told by /metrics.
void add_read_routes(net::Router& router, Reader& reader, Health& health, const Answers& answers);

}  // namespace orchd::listener
