#include "tools/interrupt_watch.h"

#include <ctime>
#include <utility>

namespace tools {

InterruptWatch::InterruptWatch() {
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGINT);
  sigaddset(&watched_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
}

InterruptWatch::~InterruptWatch() { Unblock(); }

bool InterruptWatch::Notice() {
  const timespec at_once{};
  if (!is_blocked_ || sigtimedwait(&watched_, nullptr, &at_once) < 0) return false;
  Unblock();
  return true;
}

void InterruptWatch::Unblock() {
  if (std::exchange(is_blocked_, false)) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace tools
