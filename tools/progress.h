// One line that says how far a long run is, for somebody who watches.
#pragma once

#include <chrono>
#include <cstddef>
#include <ostream>

namespace tools {

class Progress {
 public:
  // Writes nothing unless `enabled`, and nothing in the first second.
  Progress(std::ostream& err, bool enabled)
      : err_(err), enabled_(enabled), start_(std::chrono::steady_clock::now()) {}

  // `done` of `all` scenarios have been reported; `per_mille` of all the work is done.
  void Show(size_t done, size_t all, int per_mille);
  // Takes the line away; before anything else is written to the terminal.
  void Hide();

 private:
  std::ostream& err_;
  const bool enabled_;
  const std::chrono::steady_clock::time_point start_;
  bool shown_ = false;
};

}  // namespace tools
