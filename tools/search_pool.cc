#include "tools/search_pool.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tools {

SearchPool::SearchPool(std::vector<const scenario::Scenario*> scenarios,
                       const scenario::RunOptions& options, const Backend& backend)
    : scenarios_(std::move(scenarios)),
      options_(options),
      backend_(backend),
      outcomes_(scenarios_.size()),
      per_mille_(scenarios_.size()) {
  const size_t jobs = static_cast<size_t>(std::max(1, options.jobs));
  const size_t threads = std::min(jobs, scenarios_.size());
  if (threads == 0) return;
  options_.jobs = static_cast<int>(jobs / threads);  // a lone scenario may use them all
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

SearchPool::~SearchPool() {
  {
    const std::lock_guard lock(mutex_);
    next_ = scenarios_.size();
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
  return scenarios_.empty() ? 1000
                            : static_cast<int>(sum / static_cast<int64_t>(scenarios_.size()));
}

void SearchPool::Work() {
  while (true) {
    size_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ == scenarios_.size()) return;
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
  scenario::Scenario scenario = *scenarios_[index];
  const int searches = scenario.expect.without_policy ? 2 : 1;
  int searched = 0;
  const auto progress = [&](uint64_t done, uint64_t all) {
    const double share = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
    const std::lock_guard lock(mutex_);
    per_mille_[index] = static_cast<int>(1000 * (searched + share) / searches);
  };
  outcome.result = backend_.run(scenario, options_, progress);
  if (scenario.expect.without_policy) {
    scenario.policy.clear();
    ++searched;
    outcome.without_policy = backend_.run(scenario, options_, progress);
  }
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

}  // namespace tools
