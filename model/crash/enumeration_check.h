// Families held to their states: each one that is small enough is enumerated (enumerator.h), and
// what is wrong in some state must be what the family's judge says, byte for byte; and what is
// wrong must have been reported by the end, though the checker judges changes only.
//
// Both sides ask the same oracles: file_rules.h what a byte may be, metadata_check.h what is wrong
// with a committed state. What they share beside these is the list of committed states.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "model/crash/crash_checker.h"
#include "model/crash/enumeration_count.h"
#include "model/crash/enumerator.h"

namespace model {

// What is wrong with one recovered disk, by the history of its files.
class HistoryOracle : public StateOracle {
 public:
  explicit HistoryOracle(const CrashScene& scene) : scene_(scene) {}

  // Facts are "home N" (block N is not as committed), "metadata: ...", "short FILE", "missing
  // FILE".
  void Judge(const DiskState& disk, Tid recovered, FamilyVerdict& verdict) override;

 private:
  void JudgeFile(const DiskState& disk, Tid recovered, const RecoveredFile& file,
                 const History::File& known, FamilyVerdict& verdict);

  const CrashScene& scene_;
  // A byte is judged once in each transaction, file, place and content.
  absl::flat_hash_set<std::tuple<Tid, Ino, uint32_t, uint32_t, SectorContent>> judged_;
  std::vector<ByteRun> damage_;  // scratch
};

// The same of a judge's faults.
void AddFaults(const std::vector<CrashFault>& faults, FamilyVerdict& verdict);

class EnumerationCheck : public CrashWatcher {
 public:
  // Of families of up to `limit` states. `data_writeback`: as in CrashOptions.
  EnumerationCheck(uint64_t limit, bool data_writeback)
      : limit_(limit), data_writeback_(data_writeback) {}

  void OnFamily(const CrashScene& scene, const std::vector<PossibleRecovery>& recoveries) override;
  void OnFault(const CrashScene& scene, const CrashFault& fault, const MinimalState& minimal,
               const sim::Finding& finding) override;
  void OnEnd(const CrashScene& scene) override;

  const EnumerationCount& count() const { return count_; }

 private:
  void Disagree(const CrashScene& scene, const std::string& how);

  uint64_t limit_ = 0;
  bool data_writeback_ = false;
  EnumerationCount count_;
  // Damage to files, by IdentityOf():
  std::set<std::string> seen_;      // in states
  std::set<std::string> reported_;  // by the checker
};

}  // namespace model
