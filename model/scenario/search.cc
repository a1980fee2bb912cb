#include "model/scenario/search.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "model/scenario/compile_program.h"
#include "model/scenario/strategies.h"

namespace scenario {
namespace {

// Executions are shared out in chunks; what comes out must not depend on how many threads there
// are, so neither may the size of a chunk.
constexpr int64_t kChunkExecutions = 64;
// Chunks that may be waiting to be joined: memory must not depend on how many executions there are.
constexpr int64_t kRoundExecutions = 256 * kChunkExecutions;
// The same for the parts of a systematic search.
constexpr int64_t kMostParts = 64;

}  // namespace

Search::Search(const Scenario& scenario, const RunOptions& options, SearchKeeper* keeper,
               ProgressFn progress)
    : scenario_(scenario),
      options_(options),
      keeper_(keeper),
      progress_(progress),
      program_(CompiledProgram(scenario)),
      judge_(scenario, program_.get()) {
  if (options.max_seconds) {
    deadline_ = std::chrono::steady_clock::now() + std::chrono::seconds(*options.max_seconds);
  }
}

absl::StatusOr<ScenarioResult> Search::Run() {
  const bool systematic = IsSystematic(scenario_.search.strategy);
  if (systematic) tree_ = MakeSearchTree(scenario_.search, program_ != nullptr);
  if (absl::Status status = GoOn(); !status.ok()) return status;
  if (systematic) {
    RunSystematic();
  } else {
    RunSampled();
  }
  KeepSearch();
  return Result();
}

bool Search::IsCutOff() {
  if (deadline_.has_value() && std::chrono::steady_clock::now() >= *deadline_) out_of_time_ = true;
  if (keeper_ != nullptr && keeper_->Stops()) interrupted_ = true;
  return out_of_time_ || interrupted_;
}

void Search::RunSampled() {
  const int64_t limit = ExecutionLimit(scenario_.search);
  while (runs() < limit && !IsCutOff()) {
    const int64_t first = runs();
    const int64_t end = std::min(first + kRoundExecutions, limit);
    const int64_t chunks = (end - first + kChunkExecutions - 1) / kChunkExecutions;
    const auto begin = [=](size_t i) { return first + static_cast<int64_t>(i) * kChunkExecutions; };
    RunChunks(
        static_cast<size_t>(chunks),
        [&](Workbench& bench, size_t i, Chunk& chunk) {
          RunChunk(bench, begin(i), std::min(begin(i + 1), end), chunk);
        },
        [&](size_t i, Chunk& chunk) {
          const bool whole = chunk.runs() == std::min(begin(i + 1), end) - begin(i);
          Join(chunk, 0);
          whole ? KeepSearchIfDue() : KeepSearch();
          is_past_cut_ |= !whole;  // others have gone on with later ones
        });
  }
}

void Search::RunChunks(size_t count, const std::function<void(Workbench&, size_t, Chunk&)>& run,
                       const std::function<void(size_t, Chunk&)>& join) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;  // guards what follows, and what is joined
  std::map<size_t, std::unique_ptr<Chunk>> waiting;
  size_t joined = 0;
  const auto work = [&](Workbench& bench) {
    for (size_t i = next++; i < count; i = next++) {
      auto chunk = std::make_unique<Chunk>();
      run(bench, i, *chunk);
      const std::lock_guard lock(mutex);
      waiting.emplace(i, std::move(chunk));
      for (auto it = waiting.begin(); it != waiting.end() && it->first == joined; ++joined) {
        join(joined, *it->second);
        it = waiting.erase(it);
      }
    }
  };
  const size_t threads = std::min(count, static_cast<size_t>(std::max(options_.jobs, 1)));
  while (benches_.size() < threads) {
    benches_.push_back(std::make_unique<Workbench>(scenario_, program_.get()));
  }
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back([&, i] { work(*benches_[i]); });
  work(*benches_[0]);
  for (std::thread& thread : others) thread.join();
}

void Search::RunChunk(Workbench& bench, int64_t first, int64_t end, Chunk& chunk) {
  const auto limit = static_cast<uint64_t>(ExecutionLimit(scenario_.search));
  for (int64_t number = first; number < end && !IsCutOff(); ++number) {
    std::optional<model::EnumerationCheck> check = NewEnumerationCheck();
    const uint64_t learnt = chunk.learnt();
    ExecutionOptions options = OptionsFor(number, chunk);
    options.watcher = check.has_value() ? &*check : nullptr;
    ExecutionResult result = RunNumber(scenario_.search, number, bench, *chunk.locks, options);
    Keep(result, number, learnt, check, chunk);
    progress_(++executions_done_, limit);
  }
}

void Search::RunSystematic() {
  for (;;) {
    const auto parts = tree_->Take(kMostParts);
    complete_ = parts.empty();
    if (complete_ || IsCutOff() || !RunBatch(parts)) return;
  }
}

// Near the limit, so few parts are run at a time that they cannot go beyond it. The limit changes
// nothing else: where it cuts the search off, a later one with a higher limit goes on.
bool Search::RunBatch(const std::vector<std::unique_ptr<sim::SystematicStrategy>>& parts) {
  const int64_t limit = ExecutionLimit(scenario_.search);
  for (size_t first = 0; first < parts.size();) {
    const int64_t left = limit - static_cast<int64_t>(result_.executions);
    if (left == 0 || IsCutOff()) return false;
    const auto most =
        static_cast<size_t>(std::clamp(left / options_.part_executions, int64_t{1}, kMostParts));
    const size_t count = std::min(parts.size() - first, most);
    std::vector<char> whole(count);
    RunChunks(
        count,
        [&](Workbench& bench, size_t i, Chunk& chunk) {
          whole[i] = RunPart(bench, *parts[first + i], left, chunk) ? 1 : 0;
        },
        [&](size_t i, Chunk& chunk) {
          if (whole[i] == 0) KeepSearch();
          is_past_cut_ |= whole[i] == 0;
          Join(chunk, runs());
          if (is_past_cut_) return;
          tree_->Join(*parts[first + i]);
          KeepSearchIfDue();
        });
    if (is_past_cut_) return false;
    first += count;
  }
  return true;
}

bool Search::RunPart(Workbench& bench, sim::SystematicStrategy& part, int64_t limit, Chunk& chunk) {
  while (!IsCutOff()) {
    if (!part.Next()) return true;
    const int64_t number = chunk.runs();
    if (number == options_.part_executions) return true;
    if (static_cast<int64_t>(chunk.digests.size()) == limit) return false;
    std::optional<model::EnumerationCheck> check = NewEnumerationCheck();
    const uint64_t learnt = chunk.learnt();
    ExecutionOptions options = OptionsFor(number, chunk);
    options.watcher = check.has_value() ? &*check : nullptr;
    ExecutionResult result = RunExecution(bench, options, part, *chunk.locks);
    Way way = {std::move(result.schedule), result.abandoned, result.digest};
    result.abandoned |= !part.last_counts();
    Keep(result, number, learnt, check, chunk);
    if (const auto kept = chunk.ways.find(number); kept != chunk.ways.end()) {
      kept->second = std::move(way);
    }
    progress_(++executions_done_, 0);
  }
  return false;
}

ExecutionOptions Search::OptionsFor(int64_t number, Chunk& chunk) const {
  return {.number = static_cast<uint64_t>(number),
          .seed = SeedOf(scenario_.search, number),
          .keeps_schedule = IsSystematic(scenario_.search.strategy),
          .guards = options_.races ? &chunk.guards : nullptr,
          .lock_stat = options_.lock_stat ? &chunk.tally.lock_stat : nullptr,
          .covers = options_.coverage};
}

std::optional<model::EnumerationCheck> Search::NewEnumerationCheck() const {
  if (!options_.enumerate.has_value() || program_ != nullptr) return std::nullopt;
  return model::EnumerationCheck(*options_.enumerate, scenario_.fs.data == DataMode::kWriteback);
}

void Search::Keep(ExecutionResult& result, int64_t number, uint64_t learnt_before,
                  const std::optional<model::EnumerationCheck>& check, Chunk& chunk) {
  chunk.Keep(result, number);
  if (options_.coverage) chunk.tally.coverage.Add(number, result.coverage);
  if (check.has_value()) {
    if (chunk.tally.enumerated.disagreements == 0) chunk.disagreed_in = number;
    chunk.tally.enumerated.Merge(check->count());
  }
  if (chunk.learnt() > learnt_before) chunk.ways.emplace(number, Way{.digest = result.digest});
}

}  // namespace scenario
