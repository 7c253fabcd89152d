// The user and groups of a unit of ours, for a program that an administrator starts by hand as root: what it wrote as root,
// into the database's folder or into a mirror, no service could write any more.
#pragma once

#include <string>

#include "core/error.h"

namespace orchd::daemons {

// Where this process is root: becomes `user` for good, with the group of the database in front, as the units have it. Nothing
// for anybody else.
[[nodiscard]] Status leave_root(const std::string& user);

}  // namespace orchd::daemons
