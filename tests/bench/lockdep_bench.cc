// What checking costs: a warm acquire and release, beside absl::Mutex with its detector and a
// std::mutex with none; a new dependency; and the last acquisition of a planted inversion up to its
// report.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "sim/lockdep/validator.h"

namespace {

using sim::Acquisition;
using sim::HeldLocks;
using sim::LockClassId;
using sim::Validator;

std::vector<Acquisition> Locks(Validator& validator, int64_t classes) {
  std::vector<Acquisition> locks;
  for (int64_t i = 0; i < classes; ++i) {
    const LockClassId id = validator.Class("lock " + std::to_string(i), sim::kSleepingLock);
    locks.push_back({.lock_class = id, .instance = static_cast<uint64_t>(i) + 1});
  }
  return locks;
}

std::vector<uint32_t> Order(int64_t classes) {
  std::vector<uint32_t> order(4096);
  std::mt19937 random(1);
  for (uint32_t& index : order) index = random() % static_cast<uint32_t>(classes);
  return order;
}

// One lock held all along, so that each acquisition is a dependency; as in the other two.
void BM_Validator(benchmark::State& state) {
  Validator validator;
  HeldLocks held;
  const std::vector<Acquisition> locks = Locks(validator, state.range(0));
  const std::vector<uint32_t> order = Order(state.range(0) - 1);
  validator.Acquire(held, locks[0]);
  for (const Acquisition& lock : locks) {
    if (&lock == &locks[0]) continue;
    validator.Acquire(held, lock);
    validator.Release(held, lock.lock_class, lock.instance, {});
  }
  size_t i = 0;
  for (auto _ : state) {
    const Acquisition& lock = locks[1 + order[i++ % 4096]];
    validator.Acquire(held, lock);
    validator.Release(held, lock.lock_class, lock.instance, {});
  }
}
BENCHMARK(BM_Validator)->Arg(8)->Arg(64)->Arg(512)->Arg(4096);

void BM_AbslMutex(benchmark::State& state) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kReport);
  std::vector<std::unique_ptr<absl::Mutex>> locks;
  for (int64_t i = 0; i < state.range(0); ++i) locks.push_back(std::make_unique<absl::Mutex>());
  const std::vector<uint32_t> order = Order(state.range(0) - 1);
  locks[0]->Lock();
  size_t i = 0;
  for (auto _ : state) {
    absl::Mutex& lock = *locks[1 + order[i++ % 4096]];
    lock.Lock();
    lock.Unlock();
  }
  locks[0]->Unlock();
}
BENCHMARK(BM_AbslMutex)->Arg(8)->Arg(64)->Arg(512)->Arg(4096);

void BM_StdMutex(benchmark::State& state) {
  std::vector<std::unique_ptr<std::mutex>> locks;
  for (int64_t i = 0; i < state.range(0); ++i) locks.push_back(std::make_unique<std::mutex>());
  const std::vector<uint32_t> order = Order(state.range(0));
  size_t i = 0;
  for (auto _ : state) {
    std::mutex& lock = *locks[order[i++ % 4096]];
    lock.lock();
    lock.unlock();
  }
}
BENCHMARK(BM_StdMutex)->Arg(8)->Arg(64)->Arg(512)->Arg(4096);

// One new dependency and what it closes. They respect one order, which is hidden if `shuffled`:
// else classes are numbered in that order, as those first seen along their chains are.
void NewDependencies(benchmark::State& state, bool shuffled, uint32_t per_class) {
  const auto classes = static_cast<uint32_t>(state.range(0));
  std::mt19937 random(1);
  std::vector<uint32_t> number(classes);
  std::iota(number.begin(), number.end(), 0u);
  std::unique_ptr<sim::LockGraph> graph;
  uint32_t left = 0;
  for (auto _ : state) {
    if (left == 0) {
      state.PauseTiming();
      if (shuffled) std::shuffle(number.begin(), number.end(), random);
      graph = std::make_unique<sim::LockGraph>();
      for (uint32_t i = 0; i < classes; ++i) graph->AddNode();
      left = per_class * classes;
      state.ResumeTiming();
    }
    --left;
    const uint32_t a = random() % classes, b = random() % classes;
    const sim::LockNodeId from{number[std::min(a, b)]}, to{number[std::max(a, b)]};
    if (a == b || graph->Has(from, to, sim::EdgeKind::kEN)) continue;
    benchmark::DoNotOptimize(graph->Add(from, to, sim::EdgeKind::kEN, per_class * classes - left));
  }
}
void BM_NewDependency(benchmark::State& state) { NewDependencies(state, false, 3); }
void BM_NewDependencyShuffled(benchmark::State& state) { NewDependencies(state, true, 1); }
BENCHMARK(BM_NewDependency)->Arg(10000)->Arg(100000);
BENCHMARK(BM_NewDependencyShuffled)->Arg(10000)->Arg(100000);

// Each class leads to three of the `reach` after it; then the last is held and the first taken,
// which closes a cycle: of 76 if they reach 64 far, of 7 if 1,024.
std::unique_ptr<Validator> NearlyInverted(size_t reach, HeldLocks& held,
                                          std::vector<Acquisition>& locks) {
  std::mt19937 random(1);
  auto validator = std::make_unique<Validator>();
  locks = Locks(*validator, 4096);
  for (size_t i = 0; i + 1 < locks.size(); ++i) {
    validator->Acquire(held, locks[i]);
    for (int edge = 0; edge < 3; ++edge) {
      const Acquisition& next = locks[std::min(i + 1 + random() % reach, locks.size() - 1)];
      validator->Acquire(held, next);
      validator->Release(held, next.lock_class, next.instance, {});
    }
    validator->Release(held, locks[i].lock_class, locks[i].instance, {});
  }
  validator->Acquire(held, locks.back());
  return validator;
}

// From the last acquisition on: until it is known that there is a cycle; until the shortest is in a
// report; until that is text.
enum class Until { kKnown, kReported, kText };
void PlantedInversion(benchmark::State& state, Until until) {
  for (auto _ : state) {
    state.PauseTiming();
    HeldLocks held;
    std::vector<Acquisition> locks;
    auto validator = NearlyInverted(static_cast<size_t>(state.range(0)), held, locks);
    state.ResumeTiming();
    validator->Acquire(held, locks[0]);
    if (until >= Until::kReported) benchmark::DoNotOptimize(validator->reports().size());
    if (until == Until::kText) benchmark::DoNotOptimize(RenderText(validator->reports()[0]));
    state.PauseTiming();
    if (validator->reports().size() != 1) state.SkipWithError("no report");
    validator.reset();
    state.ResumeTiming();
  }
}
void BM_PlantedInversion(benchmark::State& state) { PlantedInversion(state, Until::kKnown); }
void BM_PlantedInversionReported(benchmark::State& state) {
  PlantedInversion(state, Until::kReported);
}
void BM_PlantedInversionText(benchmark::State& state) { PlantedInversion(state, Until::kText); }
BENCHMARK(BM_PlantedInversion)->Arg(64)->Arg(1024)->Iterations(50);
BENCHMARK(BM_PlantedInversionReported)->Arg(64)->Arg(1024)->Iterations(50);
BENCHMARK(BM_PlantedInversionText)->Arg(64)->Arg(1024)->Iterations(50);

}  // namespace
