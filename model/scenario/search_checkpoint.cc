// A search (search.h) is kept, and gone on with.
#include <algorithm>
#include <utility>

#include "model/scenario/search.h"
#include "model/scenario/strategies.h"
#include "model/scenario/text.h"
#include "sim/explore/replay.h"

namespace scenario {
namespace {

constexpr char kAnother[] = "it was kept by another build of crashdep, whose model is another";

}  // namespace

// --- Keeping -------------------------------------------------------------------------------------

void Search::KeepSearchIfDue() {
  if (keeper_ != nullptr && keeper_->IsDue()) KeepSearch();
}

void Search::KeepSearch() {
  if (keeper_ == nullptr || is_past_cut_ || runs() == runs_kept_) return;
  const absl::Status status = keeper_->Keep(CheckpointText(ToCheckpoint()));
  result_.not_kept = std::string(status.message());
  if (!status.ok()) return;
  runs_kept_ = runs();
  result_.executions_kept = result_.executions;
}

Checkpoint Search::ToCheckpoint() const {
  Checkpoint checkpoint;
  checkpoint.search = IdentityOf(scenario_, options_);
  checkpoint.executions = result_.executions;
  checkpoint.digest = digest_.state();
  checkpoint.tally = tally_;
  for (const FoundFinding& finding : result_.findings) {
    checkpoint.findings.push_back({finding.kind, finding.message, finding.count});
  }
  for (const sim::GuardRow& row : result_.guards.rows()) checkpoint.guards.push_back(row.count);
  for (const auto& [execution, way] : ways_) checkpoint.ways.push_back({execution, way});
  if (tree_ != nullptr) checkpoint.tree = tree_->ToLines();
  return checkpoint;
}

// --- Going on ------------------------------------------------------------------------------------

absl::Status Search::GoOn() {
  if (keeper_ == nullptr) return absl::OkStatus();
  const absl::StatusOr<std::optional<std::string>> text = keeper_->Load();
  if (!text.ok()) return text.status();
  if (!text->has_value()) return absl::OkStatus();
  const absl::StatusOr<CheckpointFile> file = CheckpointFile::Read(keeper_->name(), **text);
  if (!file.ok()) return file.status();
  const Checkpoint& checkpoint = file->checkpoint();
  if (absl::Status status = file->CheckIsOf(IdentityOf(scenario_, options_)); !status.ok()) {
    return status;
  }
  const auto limit = static_cast<uint64_t>(ExecutionLimit(scenario_.search));
  if (checkpoint.executions > limit) {
    return file->Wrong(
        "/executions",
        Cat("want at most ", limit, ", as this search is to run, got ", checkpoint.executions));
  }
  if (tree_ != nullptr) {
    const std::optional<sim::BadLine> bad = tree_->FromLines(checkpoint.tree);
    if (bad.has_value()) return file->Wrong(Cat("/tree/", bad->index), bad->message);
  }
  if (absl::Status status = LearnAgain(*file); !status.ok()) return status;
  result_.executions = checkpoint.executions;
  digest_ = sim::Digest128(checkpoint.digest);
  tally_ = checkpoint.tally;
  runs_kept_ = runs();
  result_.executions_before = result_.executions_kept = checkpoint.executions;
  executions_done_ = static_cast<uint64_t>(runs());
  return absl::OkStatus();
}

// What was learnt of locks, and what was found, comes from the executions that showed it first.
absl::Status Search::LearnAgain(const CheckpointFile& file) {
  const Checkpoint& checkpoint = file.checkpoint();
  Workbench bench(scenario_, program_.get());
  Chunk chunk;
  for (size_t i = 0; i < checkpoint.ways.size(); ++i) {
    if (absl::Status status = RunAgain(bench, file, i, chunk); !status.ok()) return status;
  }
  Join(chunk, 0);
  ways_.clear();
  for (const auto& [execution, way] : checkpoint.ways) ways_.emplace(execution, way);
  for (size_t i = 0; i < std::max(result_.findings.size(), checkpoint.findings.size()); ++i) {
    if (i == result_.findings.size() || i == checkpoint.findings.size() ||
        result_.findings[i].kind != checkpoint.findings[i].kind ||
        result_.findings[i].message != checkpoint.findings[i].message) {
      return file.Wrong(Cat("/findings/", i), Cat("other things are found now: ", kAnother));
    }
    result_.findings[i].count = checkpoint.findings[i].count;
  }
  if (result_.guards.rows().size() != checkpoint.guards.size()) {
    return file.Wrong("/guards", Cat("want ", result_.guards.rows().size(), " rows, got ",
                                     checkpoint.guards.size(), ": ", kAnother));
  }
  result_.guards.SetCounts(checkpoint.guards);
  return absl::OkStatus();
}

absl::Status Search::RunAgain(Workbench& bench, const CheckpointFile& file, size_t index,
                              Chunk& chunk) const {
  const auto& [number, way] = file.checkpoint().ways[index];
  ExecutionOptions options = OptionsFor(number, chunk);
  options.lock_stat = nullptr;
  options.covers = false;
  ExecutionResult result;
  if (IsSystematic(scenario_.search.strategy)) {
    using AtEnd = sim::ReplayStrategy::AtEnd;
    sim::ReplayStrategy strategy(way.schedule, way.given_up ? AtEnd::kGivesUp : AtEnd::kGoesOn);
    result = RunExecution(bench, options, strategy, *chunk.locks);
  } else {
    result = RunNumber(scenario_.search, number, bench, *chunk.locks, options);
  }
  chunk.Keep(result, number);
  chunk.ways.emplace(number, way);
  if (result.digest == way.digest) return absl::OkStatus();
  return file.Wrong(
      Cat("/ways/", index, "/digest"),
      Cat("execution ", number, " has the digest ", result.digest.ToHex(), " now: ", kAnother));
}

}  // namespace scenario
