#include "tools/search_pool.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/status/statusor.h"
#include "model/scenario/text.h"
#include "tools/search_file.h"

namespace tools {

SearchPool::SearchPool(std::vector<PooledSearch> searches, const scenario::RunOptions& options,
                       const Backend& backend)
    : searches_(std::move(searches)),
      options_(options),
      backend_(backend),
      outcomes_(searches_.size()),
      per_mille_(searches_.size()) {
  const size_t jobs = static_cast<size_t>(std::max(1, options.jobs));
  const size_t threads = std::min(jobs, searches_.size());
  if (threads == 0) return;
  options_.jobs = static_cast<int>(jobs / threads);  // a lone scenario may use them all
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

SearchPool::~SearchPool() {
  {
    const std::lock_guard lock(mutex_);
    next_ = searches_.size();
  }
  for (std::thread& thread : threads_) thread.join();
}

const SearchOutcome* SearchPool::Wait(size_t index, std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  done_.wait_for(lock, patience, [&] { return outcomes_[index].has_value(); });
  return outcomes_[index] ? &*outcomes_[index] : nullptr;
}

int SearchPool::PerMille() {
  const std::lock_guard lock(mutex_);
  const int64_t sum = std::accumulate(per_mille_.begin(), per_mille_.end(), int64_t{0});
  return searches_.empty() ? 1000 : static_cast<int>(sum / static_cast<int64_t>(searches_.size()));
}

void SearchPool::Work() {
  while (true) {
    size_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ == searches_.size()) return;
      index = next_++;
    }
    SearchOutcome outcome = Search(index);
    const std::lock_guard lock(mutex_);
    per_mille_[index] = 1000;
    outcomes_[index] = std::move(outcome);
    done_.notify_all();
  }
}

SearchOutcome SearchPool::Search(size_t index) {
  const auto start = std::chrono::steady_clock::now();
  SearchOutcome outcome;
  const PooledSearch& search = searches_[index];
  scenario::Scenario scenario = *search.scenario;
  const int searches = scenario.expect.without_policy ? 2 : 1;
  int searched = 0;
  const auto progress = [&](uint64_t done, uint64_t all) {
    const double share = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
    const std::lock_guard lock(mutex_);
    per_mille_[index] = static_cast<int>(1000 * (searched + share) / searches);
  };
  outcome.status = RunOne(scenario, search.kept_in, progress, outcome.result);
  if (outcome.status.ok() && scenario.expect.without_policy) {
    scenario.policy.clear();
    ++searched;
    outcome.status =
        RunOne(scenario, search.without_policy_kept_in, progress, outcome.without_policy.emplace());
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

absl::Status SearchPool::RunOne(const scenario::Scenario& scenario, const std::string& kept_in,
                                scenario::ProgressFn progress, scenario::ScenarioResult& result) {
  std::optional<SearchFile> file;
  if (!kept_in.empty()) file.emplace(kept_in, stop_);
  auto searched = backend_.run(scenario, options_, file ? &*file : nullptr, progress);
  if (!searched.ok()) {
    return absl::InvalidArgumentError(
        scenario::Cat(std::string(searched.status().message()), "\n", kept_in,
                      ": is left as it is; remove it, or name another directory, to begin anew"));
  }
  result = *std::move(searched);
  return absl::OkStatus();
}

}  // namespace tools
