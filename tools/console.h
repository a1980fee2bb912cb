// Where a command writes for people.
#pragma once

#include <ostream>

namespace tools {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool color = false;     // `out` is a terminal that shows colours
  bool progress = false;  // `err` is a terminal: say how far a long run is
};

}  // namespace tools
