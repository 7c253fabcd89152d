// What the simulation itself needs to be so; nothing that it finds out about the engine.
#pragma once

#include <stdexcept>
#include <utility>

#include "core/error.h"

namespace orchd::sim {

inline void must(const Status& done) {
    if (!done) throw std::runtime_error("the simulation itself failed: " + done.error().text);
}

template <class T>
T must(Result<T> result) {
    if (!result) must(Status(fail(result.error())));
    return std::move(*result);
}

}  // namespace orchd::sim
