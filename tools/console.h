// Where a command writes for people.
#pragma once

#include <ostream>
#include <string_view>

namespace tools {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool color = false;     // `out` is a terminal that shows colours
  bool progress = false;  // `err` is a terminal: say how far a long run is

  // Text that says what is wrong with input, one line for each place: "path:line:column: ...", as
  // compilers write it, so that editors and CIs find the place.
  void Complain(std::string_view text) const { err << text << "\n" << std::flush; }
};

}  // namespace tools
