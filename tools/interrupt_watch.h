// ^C, and what kill sends: noticed by whoever asks instead of ending the process at once.
#pragma once

#include <csignal>

namespace tools {

// While it lives, SIGINT and SIGTERM wait to be noticed, of this thread and of those begun since.
// Once noticed, the next one ends the process.
class InterruptWatch {
 public:
  InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

  // True once: there was one.
  bool Notice();

 private:
  void Unblock();

  sigset_t watched_{}, before_{};
  bool is_blocked_ = true;
};

}  // namespace tools
