// The smallest states against brute force: all states of a family, all sets of writes.
#include "model/crash/minimal_state.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/crash/fault_text.h"
#include "tests/crash/random_history.h"
#include "tests/crash/tiny_fs.h"

namespace model {
namespace {

constexpr uint64_t kMaxTriedStates = 1 << 6;

using Bios = std::set<sim::BioId>;

// Tries everything, for all faults of each family, whether or not they were reported before.
class BruteForce : public CrashWatcher {
 public:
  void OnFamily(const CrashScene& scene, const std::vector<PossibleRecovery>& recoveries) override {
    const DeviceView view(scene.device);
    uint64_t states = 1;
    for (const uint64_t sector : scene.device.pending_sectors()) {
      states *= view.At(sector).size();
      if (states > kMaxTriedStates) return;
    }
    FamilyJudge judge(view, scene.geometry, scene.images, scene.history, scene.states,
                      scene.recovery_rules);
    for (const PossibleRecovery& recovery : recoveries) {
      for (const CrashFault& fault : judge.JudgeAll(recovery)) Compare(scene, recovery, fault);
    }
  }
  void OnFault(const CrashScene&, const CrashFault&, const MinimalState&,
               const sim::Finding&) override {}
  void OnEnd(const CrashScene&) override {}

  int compared() const { return compared_; }
  size_t most_lost() const { return most_lost_; }
  size_t most_needed() const { return most_needed_; }

 private:
  void Compare(const CrashScene& scene, const PossibleRecovery& recovery, const CrashFault& fault) {
    SCOPED_TRACE(MessageOf(scene, fault));
    const MinimalState minimal = FindMinimalState(scene, recovery, fault);
    EXPECT_TRUE(Shows(scene, fault, minimal.state));
    EXPECT_TRUE(minimal.fewest);
    EXPECT_EQ(LostOf(scene.device, minimal.state), Bios(minimal.lost.begin(), minimal.lost.end()));
    CompareLost(scene, fault, minimal);
    CompareNeeded(scene, fault, minimal);
    ++compared_;
  }

  static bool Shows(const CrashScene& scene, const CrashFault& fault, const DiskState& state) {
    const StateView view(state);
    FamilyJudge judge(view, scene.geometry, scene.images, scene.history, scene.states,
                      scene.recovery_rules);
    const std::vector<Outcome> outcomes = ScanJournal(view, scene.geometry, scene.images);
    EXPECT_EQ(outcomes.size(), 1u);
    for (const CrashFault& found : judge.JudgeAll({scene.geometry, outcomes[0]})) {
      if (Covers(found, fault)) return true;
    }
    return false;
  }

  // Writes that came after what a sector holds.
  static Bios LostOf(const sim::BlockDevice& device, const DiskState& state) {
    Bios lost;
    for (const uint64_t sector : device.pending_sectors()) {
      Bios behind;
      for (const sim::PendingVersion& version : device.pending(sector)) {
        behind.insert(version.bio);
        if (version.content == state[sector]) behind.clear();
      }
      lost.insert(behind.begin(), behind.end());
    }
    return lost;
  }

  // Of all states that show it, none has lost fewer writes.
  void CompareLost(const CrashScene& scene, const CrashFault& fault, const MinimalState& minimal) {
    const std::vector<uint64_t>& pending = scene.device.pending_sectors();
    const DeviceView view(scene.device);
    DiskState state = OldestState(scene.device);
    size_t fewest = SIZE_MAX;
    const std::function<void(size_t)> choose = [&](size_t i) {
      if (i == pending.size()) {
        const size_t lost = LostOf(scene.device, state).size();
        if (lost < fewest && Shows(scene, fault, state)) fewest = lost;
        return;
      }
      for (const SectorContent content : view.At(pending[i])) {
        state[pending[i]] = content;
        choose(i + 1);
      }
    };
    choose(0);
    EXPECT_EQ(minimal.lost.size(), fewest);
    most_lost_ = std::max(most_lost_, fewest);
  }

  // Without the others it shows; with fewer it does not, whichever.
  void CompareNeeded(const CrashScene& scene, const CrashFault& fault,
                     const MinimalState& minimal) {
    const std::vector<sim::BioId> present = PresentIn(scene.device, minimal.state);
    if (present.size() > 8) return;
    size_t fewest = SIZE_MAX;
    for (uint32_t set = 0; set < 1u << present.size(); ++set) {
      DiskState state = OldestState(scene.device);
      for (const uint64_t sector : scene.device.pending_sectors()) {
        if (state[sector] == minimal.state[sector]) continue;
        // Up to the newest version with what the minimal state has: the same may be written twice.
        const auto versions = scene.device.pending(sector);
        size_t newest = versions.size();
        while (versions[newest - 1].content != minimal.state[sector]) --newest;
        for (const sim::PendingVersion& version : versions.first(newest)) {
          const auto bio = std::find(present.begin(), present.end(), version.bio);
          if (bio != present.end() && (set >> (bio - present.begin()) & 1) != 0) {
            state[sector] = version.content;
          }
        }
      }
      const auto size = static_cast<size_t>(std::popcount(set));
      if (size < fewest && Shows(scene, fault, state)) fewest = size;
    }
    EXPECT_EQ(minimal.needed.size(), fewest);
    most_needed_ = std::max(most_needed_, fewest);
  }

  int compared_ = 0;
  size_t most_lost_ = 0;
  size_t most_needed_ = 0;
};

class MinimalStateTest : public testing::Test {
 protected:
  void Run(int histories, const TinyRules& rules) {
    for (int seed = 1; seed <= histories && !HasFailure(); ++seed) {
      SCOPED_TRACE(seed);
      TinyFs fs(rules, {.watcher = &brute_}, static_cast<uint64_t>(seed),
                {.zero_tail_allowed = seed % 2 == 0});
      RunRandomHistory(fs, 24);
    }
  }

  BruteForce brute_;
};

TEST_F(MinimalStateTest, FewestAreLostThenFewestNeeded) {
  Run(60, {.data_before_commit = false});
  Run(60, {.flush_before_commit = false});
  Run(30, {.flush_before_tail = false});
  Run(30, {.home_before_tail = false});
  Run(30, {.home_after_commit = false});
  Run(60, {.reuse_after_commit = false});
  Run(60, {.fsync_commits = false});
  Run(30, {.zeroes_tail = false});
  EXPECT_GT(brute_.compared(), 100);
  EXPECT_GT(brute_.most_lost(), 1u);
  EXPECT_GT(brute_.most_needed(), 1u);
}

TEST_F(MinimalStateTest, AllRulesBrokenAtOnce) {
  Run(60, {.data_before_commit = false,
           .flush_before_commit = false,
           .flush_before_tail = false,
           .home_before_tail = false,
           .writes_revokes = false,
           .reuse_after_commit = false,
           .fsync_commits = false});
  EXPECT_GT(brute_.compared(), 20);
}

}  // namespace
}  // namespace model
