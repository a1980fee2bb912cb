// Runs the searches of several scenarios on several threads.
//
// A search is a function of its scenario and options alone, so which thread runs it when changes no
// result; who wants the results in order asks for them in order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "model/scenario/runner.h"
#include "model/scenario/scenario.h"
#include "tools/backend.h"

namespace tools {

struct SearchOutcome {
  scenario::ScenarioResult result;
  std::optional<scenario::ScenarioResult> without_policy;  // if the scenario asks for it
  double seconds = 0;                                      // wall clock
};

class SearchPool {
 public:
  // Starts at once. `scenarios` and `backend` must outlive the pool. `options.jobs` is how many
  // threads there are in all.
  SearchPool(std::vector<const scenario::Scenario*> scenarios, const scenario::RunOptions& options,
             const Backend& backend);
  SearchPool(const SearchPool&) = delete;
  SearchPool& operator=(const SearchPool&) = delete;
  ~SearchPool();  // waits for the searches that have begun, begins no other

  // The outcome of scenarios[index]; null when it is not there after `patience`.
  const SearchOutcome* Wait(size_t index, std::chrono::milliseconds patience);

  // How far everything is, from 0 to 1000.
  int PerMille();

 private:
  void Work();
  SearchOutcome Search(size_t index);

  const std::vector<const scenario::Scenario*> scenarios_;
  scenario::RunOptions options_;
  const Backend& backend_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable done_;
  size_t next_ = 0;
  std::vector<std::optional<SearchOutcome>> outcomes_;
  std::vector<int> per_mille_;  // of each scenario
  std::vector<std::thread> threads_;
};

}  // namespace tools
