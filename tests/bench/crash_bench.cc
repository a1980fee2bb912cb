// Crash states: whole families by the model's checker and by that of recordings; the states of
// small families one by one; a single state reported by the model, and the same state by e2fsck
// and by this kernel's mount.
//
// A rate is per second of real time: others work in processes of their own.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "model/crash/enumeration_check.h"
#include "model/image/write_image.h"
#include "model/recorded/recording_check.h"
#include "model/scenario/execution.h"
#include "model/scenario/execution_logger.h"
#include "sim/check.h"
#include "tests/bench/clean_scenario.h"
#include "tests/differential/image_check.h"

namespace scenario {
namespace {

namespace fs = std::filesystem;

using benchmark::Counter;

void SetRate(benchmark::State& state, const char* name, double count) {
  state.counters[name] = Counter(count, Counter::kIsRate);
}

// Everything that an execution takes is in it: it is simulated, too.
void BM_FamiliesOfTheModel(benchmark::State& state) {
  const Scenario scenario = IomapDelalloc();
  Workbench bench(scenario, nullptr);
  sim::Validator locks;
  uint64_t families = 0;
  int64_t number = 0;
  for (auto _ : state) {
    families += RunNumber(scenario.search, number++, bench, locks).crash_states.families();
  }
  SetRate(state, "families_per_s", static_cast<double>(families));
}
BENCHMARK(BM_FamiliesOfTheModel)->UseRealTime();

// Each state of the families that are small enough, built, recovered and looked at; the family's
// judge beside it and the execution are in it, too.
void BM_StatesEnumerated(benchmark::State& state) {
  const Scenario scenario = IomapDelalloc();
  Workbench bench(scenario, nullptr);
  sim::Validator locks;
  uint64_t states = 0;
  int64_t number = 0;
  for (auto _ : state) {
    model::EnumerationCheck check(4096, false);
    (void)RunNumber(scenario.search, number++, bench, locks, {.watcher = &check});
    SIM_CHECK(check.count().disagreements == 0);
    states += check.count().states;
  }
  SetRate(state, "states_per_s", static_cast<double>(states));
}
BENCHMARK(BM_StatesEnumerated)->UseRealTime();

// The log of one of these executions.
void BM_FamiliesOfARecording(benchmark::State& state) {
  const Scenario scenario = IomapDelalloc();
  Workbench bench(scenario, nullptr);
  sim::Validator locks;
  model::ExecutionLog log;
  ExecutionLogger logger(log);
  (void)RunNumber(scenario.search, 0, bench, locks, {.recorder = &logger});
  model::RecordingOptions options;
  options.rules = {.stale_pattern = model::kStalePattern, .writes = log.writes};
  uint64_t families = 0;
  for (auto _ : state) {
    const auto result = CheckRecording(log.base, log.recording, options);
    SIM_CHECK(result.ok() && result->findings.empty());
    families += result->states.families();
  }
  SetRate(state, "families_per_s", static_cast<double>(families));
}
BENCHMARK(BM_FamiliesOfARecording)->UseRealTime();

// Calls use(scene, state) with the newest state at the end of an execution.
template <class Use>
void WithLastState(Use use) {
  class Watcher : public model::CrashWatcher {
   public:
    explicit Watcher(Use& use) : use_(use) {}
    void OnFamily(const model::CrashScene&, const std::vector<model::PossibleRecovery>&) override {}
    void OnFault(const model::CrashScene&, const model::CrashFault&, const model::MinimalState&,
                 const sim::Finding&) override {}
    void OnEnd(const model::CrashScene& scene) override {
      use_(scene, model::NewestState(scene.device));
    }

   private:
    Use& use_;
  };
  const Scenario scenario = IomapDelalloc();
  Workbench bench(scenario, nullptr);
  sim::Validator locks;
  Watcher watcher(use);
  (void)RunNumber(scenario.search, 0, bench, locks, {.watcher = &watcher});
}

void BM_StateByTheModel(benchmark::State& state) {
  WithLastState([&](const model::CrashScene& scene, const model::DiskState& disk) {
    for (auto _ : state) SIM_CHECK(ReportState(scene, disk, false).sound);
  });
  SetRate(state, "states_per_s", static_cast<double>(state.iterations()));
}
BENCHMARK(BM_StateByTheModel)->UseRealTime();

// An image of that state in a directory of its own.
class Image {
 public:
  Image() : directory_(fs::temp_directory_path() / ("crashdep_bench_" + std::to_string(getpid()))) {
    fs::create_directories(mount_point());
    WithLastState([&](const model::CrashScene& scene, const model::DiskState& disk) {
      const auto layout = LayoutOf(scene, disk);
      SIM_CHECK(layout.ok());
      std::ofstream out(directory_ / "state.img", std::ios::binary);
      WriteImage(scene, *layout, disk, out);
    });
  }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() { fs::remove_all(directory_); }

  // The others change it.
  std::string Copy() const {
    fs::copy_file(directory_ / "state.img", directory_ / "copy.img",
                  fs::copy_options::overwrite_existing);
    return directory_ / "copy.img";
  }
  std::string mount_point() const { return directory_ / "mnt"; }

 private:
  fs::path directory_;
};

void BM_StateByE2fsck(benchmark::State& state) {
  const Image image;
  for (auto _ : state) {
    state.PauseTiming();
    const std::string copy = image.Copy();
    state.ResumeTiming();
    SIM_CHECK(differential::RunE2fsck(copy).empty());
  }
  SetRate(state, "states_per_s", static_cast<double>(state.iterations()));
}
BENCHMARK(BM_StateByE2fsck)->UseRealTime();

void BM_StateByAMount(benchmark::State& state) {
  const Image image;
  if (const auto why = differential::WhyNoKernel(image.Copy(), "", image.mount_point())) {
    return state.SkipWithError(why->c_str());
  }
  for (auto _ : state) {
    state.PauseTiming();
    const std::string copy = image.Copy();
    state.ResumeTiming();
    (void)differential::CompareThroughKernel(copy, "", image.mount_point(), {});
  }
  SetRate(state, "states_per_s", static_cast<double>(state.iterations()));
}
BENCHMARK(BM_StateByAMount)->UseRealTime();

}  // namespace
}  // namespace scenario
