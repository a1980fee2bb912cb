// The result of a run as JUnit XML, as CI systems read it.
#pragma once

#include <string>
#include <vector>

#include "tools/outcome.h"

namespace tools {

// One suite; one test case per scenario, classname the folder of its file. A fail is a <failure>
// with the findings' reports as its text, a file that cannot be read an <error>.
std::string JunitXml(const std::vector<Outcome>& outcomes);

}  // namespace tools
