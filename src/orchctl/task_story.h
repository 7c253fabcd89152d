// A task's whole story, as GetTask tells it, for people.
#pragma once

#include <boost/json/fwd.hpp>

#include "orchctl/session.h"

namespace orchd::orchctl {

void tell_task(Session& session, const boost::json::object& story);

}  // namespace orchd::orchctl
