#include "tests/crash/random_history.h"

namespace model {
namespace {

void RandomOperation(TinyFs& fs, sim::RandomStream& random, std::set<std::string>& names) {
  const std::string name = random.UniformBelow(3) == 0 ? "b" : "a";
  if (names.insert(name).second) {
    fs.Create(name);
    return;
  }
  const uint64_t pos = 64 * random.UniformBelow(80);
  switch (random.UniformBelow(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return fs.Write(name, pos, 64 * (1 + random.UniformBelow(20)));
    case 4:
    case 5:
      return fs.Truncate(name, pos);
    case 6:
      return fs.Fsync(name);
    case 7:
    case 8:
      return fs.Commit();
    case 9:
      return fs.Checkpoint();
    case 10:
      if (random.UniformBelow(2) == 0) return fs.Settle();
      return fs.Punch(name, pos, 64 * (1 + random.UniformBelow(60)));
    default:
      switch (random.UniformBelow(4)) {
        case 0:
          names.erase(name);
          return fs.Unlink(name);
        case 1: {
          const std::string other = name == "a" ? "b" : "a";
          names.erase(name);
          names.insert(other);
          return fs.Rename(name, other);
        }
        default:
          return fs.Flush();
      }
  }
}

}  // namespace

void RunRandomHistory(TinyFs& fs, int operations) {
  sim::RandomStream random = fs.world().Stream("operations");
  std::set<std::string> names;
  fs.Run([&] {
    for (int i = 0; i < operations; ++i) RandomOperation(fs, random, names);
  });
}

}  // namespace model
