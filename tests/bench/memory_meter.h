// How much more memory of this process is resident than when the meter was made.
#pragma once

#include <malloc.h>

#include <fstream>

namespace sim {

class MemoryMeter {
 public:
  double GrownKiB() const { return ResidentKiB() - before_; }

 private:
  static double ResidentKiB() {
    malloc_trim(0);  // what was freed before does not count
    std::ifstream statm("/proc/self/statm");
    double size_pages = 0, resident_pages = 0;
    statm >> size_pages >> resident_pages;
    return resident_pages * 4;
  }

  double before_ = ResidentKiB();
};

}  // namespace sim
