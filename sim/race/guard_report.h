// Who guards what: the table of a GuardTable, for people and as JSON.
//
// For each field and each way of accessing it: how often, the locks that were held every time, and
// if there is none, the one that was held most often, with where it was not. That a lock was always
// held does not prove that it has to be; that it was not, in an execution without a data race, says
// that something else orders those accesses.
#pragma once

#include <string>
#include <vector>

#include "nlohmann/json_fwd.hpp"
#include "sim/race/guard_table.h"

namespace sim {

struct LockShare {
  // `shared`: of a write, always; of a read, at some accesses at least.
  GuardLock lock;
  uint64_t accesses = 0;  // at which it was held
};

struct GuardSummary {
  uint32_t field = 0;  // in GuardTable::fields()
  Access access = Access::kRead;
  uint64_t accesses = 0;
  std::vector<LockShare> locks;  // most often held first, then by name
  // Without the lock that was held most often, in rows(), most frequent first. Empty if there is
  // one that was always held, if none was held at half of the accesses at least, or if such
  // accesses may race anyway.
  std::vector<uint32_t> exceptions;

  // How many of `locks` were held every time.
  size_t always() const;
};

// By name of the field, writes first.
std::vector<GuardSummary> Summarize(const GuardTable& guards);

std::string RenderText(const GuardTable& guards);
nlohmann::ordered_json ToJson(const GuardTable& guards);

}  // namespace sim
