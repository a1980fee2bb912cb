// Runs the searches of several scenarios on several threads.
//
// A search is a function of its scenario and options alone, so which thread runs it when changes no
// result; who wants the results in order asks for them in order.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "model/scenario/runner.h"
#include "model/scenario/scenario.h"
#include "tools/backend.h"

namespace tools {

// As many threads as this machine can run at once.
inline int AllCores() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// One to be run.
struct PooledSearch {
  const scenario::Scenario* scenario = nullptr;
  // The files that keep it, and what is run without its policy. Empty: none.
  std::string kept_in, without_policy_kept_in;
};

struct SearchOutcome {
  absl::Status status;  // not good: what was kept before is not of use; there is no result
  scenario::ScenarioResult result;
  std::optional<scenario::ScenarioResult> without_policy;  // if the scenario asks for it
  double seconds = 0;                                      // wall clock
};

class SearchPool {
 public:
  // Starts at once. Scenarios and `backend` must outlive the pool. `options.jobs` is how many
  // threads there are in all.
  SearchPool(std::vector<PooledSearch> searches, const scenario::RunOptions& options,
             const Backend& backend);
  SearchPool(const SearchPool&) = delete;
  SearchPool& operator=(const SearchPool&) = delete;
  ~SearchPool();  // waits for the searches that have begun, begins no other

  // The outcome of searches[index]; null when it is not there after `patience`.
  const SearchOutcome* Wait(size_t index, std::chrono::milliseconds patience);

  // Cuts all searches off that are kept, also those that have not begun.
  void Stop() { stop_ = true; }

  // How far everything is, from 0 to 1000.
  int PerMille();

 private:
  void Work();
  SearchOutcome Search(size_t index);
  absl::Status RunOne(const scenario::Scenario& scenario, const std::string& kept_in,
                      scenario::ProgressFn progress, scenario::ScenarioResult& result);

  const std::vector<PooledSearch> searches_;
  scenario::RunOptions options_;
  const Backend& backend_;
  std::atomic<bool> stop_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable done_;
  size_t next_ = 0;
  std::vector<std::optional<SearchOutcome>> outcomes_;
  std::vector<int> per_mille_;  // of each scenario
  std::vector<std::thread> threads_;
};

}  // namespace tools
