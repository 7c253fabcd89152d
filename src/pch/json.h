// As standard.h, for the libraries that make or read JSON.
#include <boost/json.hpp>

#include "standard.h"
