// A search that has not come to its end, as a file: to go on from later, as if nothing had been.
//
// What has been counted is there as numbers. What was learnt (lock orders, findings, deadlocks,
// which locks guard a field) is not: only how those executions went that showed something for the
// first time. Whoever goes on runs them again, and compares their digests, so that a file of
// another scenario or of another build of the model is found out. Of a systematic search there is
// the tree of what is left (sim/explore/systematic.h).
//
// The file is JSON, with a digest of what it says: an edited one is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/scenario/json_text.h"
#include "model/scenario/runner.h"
#include "model/scenario/scenario.h"
#include "model/scenario/shown.h"

namespace scenario {

// What has to be the same for a search to go on. Limits, threads, and what is done with the result
// are free.
struct SearchIdentity {
  std::string scenario;  // its name
  std::string strategy;
  uint64_t seed = 0;
  std::optional<int64_t> max_preemptions;
  bool races = false, guards = false, coverage = false, lock_stat = false;
  std::optional<uint64_t> enumerate;
  int64_t part_executions = 0;
  // Of all else that the scenario says, but for limits and for what is expected.
  std::string scenario_digest;
};
SearchIdentity IdentityOf(const Scenario& scenario, const RunOptions& options);

struct Checkpoint {
  struct Finding {
    std::string kind, message;
    uint64_t count = 0;
  };
  struct NumberedWay {
    int64_t execution = 0;
    Way way;
  };

  SearchIdentity search;
  uint64_t executions = 0;  // redundant ones are not among them
  sim::Digest128::State digest;
  Tally tally;
  std::vector<Finding> findings;  // in order of first sight
  std::vector<uint64_t> guards;   // how often each row was seen
  std::vector<NumberedWay> ways;  // ascending
  std::vector<std::string> tree;  // lines; empty if the search is not systematic
};

std::string CheckpointText(const Checkpoint& checkpoint);

// A file that was read: its places are known, for what turns out wrong later.
class CheckpointFile {
 public:
  // `path` is for messages only. Failure: "path:line:column: /place: what is wanted, what is
  // there".
  static absl::StatusOr<CheckpointFile> Read(std::string path, std::string_view text);

  const Checkpoint& checkpoint() const { return checkpoint_; }
  // Fails if another search is to go on.
  absl::Status CheckIsOf(const SearchIdentity& search) const;
  // That something is wrong at a JSON pointer.
  absl::Status Wrong(std::string pointer, std::string message) const;

 private:
  std::string path_;
  JsonValue root_;
  Checkpoint checkpoint_;
};

}  // namespace scenario
