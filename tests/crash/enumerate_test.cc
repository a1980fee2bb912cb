// The checker against the states one by one, over random histories, right ones and wrong ones:
// judged by an oracle of the tests' own, and by that of --enumerate, byte for byte.
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/crash/enumeration_check.h"
#include "model/crash/family.h"
#include "model/crash/fault_text.h"
#include "tests/crash/random_history.h"
#include "tests/crash/tiny_oracle.h"

namespace model {
namespace {

// Under sanitizers a state costs a hundred times as much.
#ifdef SIM_FIBER_ASAN
constexpr uint64_t kMaxStates = 1 << 5;
#else
constexpr uint64_t kMaxStates = 1 << 10;
#endif

// Sits between device and checker, and compares the two at every family.
class TwinListener : public sim::DeviceListener, public HistoryListener {
 public:
  explicit TwinListener(TinyFs& fs)
      : fs_(fs),
        view_(fs.device()),
        states_(fs.device(), fs.geometry(), fs.images()),
        judge_(view_, fs.geometry(), fs.images(), fs.history(), states_, {}) {
    fs.device().set_listener(this);
    fs.history().set_listener(this);
  }

  void OnWritePossible(const sim::BlockDevice& device, const sim::Bio& bio) override {
    for (const SectorContent content : bio.contents) {
      const bool in_log = fs_.geometry().InJournal(fs_.geometry().block_of_sector(bio.sector));
      if (in_log && ImageSectorOf(content) == 0) states_.OnLogBlock(ImageOf(content));
    }
    fs_.checker().OnWritePossible(device, bio);
    Compare();
  }
  void OnDurable(const sim::BlockDevice& device) override { fs_.checker().OnDurable(device); }
  void OnPromise(FileKey file) override {
    fs_.checker().OnPromise(file);
    Compare();
  }

  // What all families together have, judged one by one and in full.
  const std::set<std::string>& all() const { return all_; }
  int compared() const { return compared_; }

 private:
  void Compare() {
    std::set<std::string> families;
    for (const Outcome& outcome : ScanJournal(view_, fs_.geometry(), fs_.images())) {
      const PossibleRecovery recovery(fs_.geometry(), outcome);
      for (const CrashFault& fault : judge_.JudgeAll(recovery)) {
        families.insert(Coarse(fault));
        all_.insert(Identity(fault));
      }
    }
    EXPECT_FALSE(families.contains("metadata")) << "TinyFs keeps its metadata right";
    TinyOracle oracle(fs_);
    StateEnumerator twin(fs_.device(), fs_.geometry(), fs_.images(), {}, oracle);
    if (!twin.States(kMaxStates).has_value()) return;
    ++compared_;
    ASSERT_EQ(families, twin.JudgeAllStates().facts()) << "at " << fs_.world().now() << " ns";
  }

  std::string Coarse(const CrashFault& fault) const {
    switch (fault.what) {
      case CrashFault::What::kFile:
      case CrashFault::What::kShort:
      case CrashFault::What::kMissing:
      case CrashFault::What::kOldName:
        return absl::StrCat(FindingKindOf(fault), " ", fs_.history().Find(fault.file)->name);
      case CrashFault::What::kTornCopy:
        return absl::StrCat("copy ", fault.pblk);
      case CrashFault::What::kTornReplay:
      case CrashFault::What::kHomeOld:
      case CrashFault::What::kHomeNew:
      case CrashFault::What::kHomeForeign:
      case CrashFault::What::kUnreadable:
        return absl::StrCat("home ", fault.pblk);
      case CrashFault::What::kMetadata:
        return "metadata";
      case CrashFault::What::kName:
        return "names";
      case CrashFault::What::kRecovery:
        return "recovery";
    }
    return "";
  }
  std::string Identity(const CrashFault& fault) {
    return IdentityOf({fs_.world(), fs_.device(), fs_.geometry(), fs_.images(), fs_.history(),
                       states_, submissions_, RecoveryRules{}},
                      fault);
  }

  TinyFs& fs_;
  DeviceView view_;
  CommittedStates states_;
  Submissions submissions_{nullptr};
  FamilyJudge judge_;
  std::set<std::string> all_;
  int compared_ = 0;
};

class EnumerateTest : public testing::Test {
 protected:
  using DeviceOf = std::function<sim::DeviceConfig(sim::RandomStream&)>;

  // How many of `histories` random histories have something wrong.
  int Run(int histories, const TinyRules& rules, const DeviceOf& device_of = nullptr) {
    int wrong = 0;
    for (int seed = 1; seed <= histories && !HasFatalFailure(); ++seed) {
      const FileContract contract{.zero_tail_allowed = seed % 2 == 0};
      EnumerationCheck check(kMaxStates / 8, /*data_writeback=*/false);
      sim::RandomStream random(static_cast<uint64_t>(seed), "device of the test");
      TinyFs fs(rules, {.watcher = &check}, static_cast<uint64_t>(seed), contract,
                device_of != nullptr ? device_of(random) : sim::DeviceConfig{});
      TwinListener twin(fs);
      RunRandomHistory(fs, 24);
      fs.checker().End();
      EXPECT_EQ(check.count().disagreements, 0u) << check.count().first_disagreement;
      std::set<std::string> found;
      for (const sim::Finding& finding : fs.world().findings()) found.insert(finding.message);
      // Change by change as much is found as by judging each family in full.
      EXPECT_EQ(found.size(), twin.all().size()) << "seed " << seed;
      if (!twin.all().empty()) ++wrong;
      compared_ += twin.compared();
      if (HasFailure()) ADD_FAILURE() << "first at seed " << seed;
      if (HasFailure()) break;
    }
    return wrong;
  }

  // One of the first writes of file data.
  static uint64_t AWrite(sim::RandomStream& random) { return 1 + random.UniformBelow(8); }
  // From the journal's superblock on, where most is written.
  static uint64_t ASector(sim::RandomStream& random) {
    const Geometry geometry = TinyFs::kGeometry;
    const uint64_t first = geometry.first_sector(geometry.journal());
    return first + random.UniformBelow(geometry.first_sector(geometry.first_data() + 8) - first);
  }
  using Kind = sim::DeviceFault::Kind;
  static sim::DeviceFault LostData(sim::RandomStream& random) {
    return {.kind = Kind::kLostWrite, .nth = AWrite(random)};
  }
  static sim::DeviceFault LostSector(sim::RandomStream& random) {
    return {.kind = Kind::kLostWrite, .sector = ASector(random)};
  }
  static sim::DeviceFault Misdirected(sim::RandomStream& random) {
    return {.kind = Kind::kMisdirectedWrite, .nth = AWrite(random), .lands_at = ASector(random)};
  }
  static sim::DeviceFault Failing(sim::RandomStream& random) {
    return {.kind = Kind::kFailingSector, .sector = ASector(random)};
  }

  int compared_ = 0;
};

TEST_F(EnumerateTest, RightHistoriesHaveNothingWrong) {
  EXPECT_EQ(Run(30, {}), 0);
  EXPECT_GT(compared_, 300);
}

TEST_F(EnumerateTest, DataAfterCommit) { EXPECT_GT(Run(20, {.data_before_commit = false}), 10); }

TEST_F(EnumerateTest, CommitWithoutFlush) {
  EXPECT_GT(Run(20, {.flush_before_commit = false}), 10);
}

TEST(SectorsThatTellTest, WithoutChecksumsAreThoseWithSomethingToSay) {
  const Geometry none{.journal_checksum = JournalChecksum::kNone};
  const auto descriptor = [](size_t tags) {
    return JournalDescriptor{1, std::vector<JournalTag>(tags)};
  };
  EXPECT_EQ(SectorsThatTell(none, JournalCommit{1}), 1u);
  EXPECT_EQ(SectorsThatTell(none, descriptor(40)), 1u);
  EXPECT_EQ(SectorsThatTell(none, descriptor(41)), 2u);
  EXPECT_EQ(SectorsThatTell(none, JournalRevoke{1, std::vector<Pblk>(62)}), 1u);
  EXPECT_EQ(SectorsThatTell(none, JournalRevoke{1, std::vector<Pblk>(63)}), 2u);
  EXPECT_EQ(SectorsThatTell(none, DirectoryBlock{}), 8u);
  for (const BlockContent& content :
       {BlockContent(JournalCommit{1}), BlockContent(descriptor(2))}) {
    EXPECT_EQ(SectorsThatTell({}, content), 8u);
  }
  EXPECT_EQ(SectorsThatTell({}, JournalSuperblock{}), 1u);
}

// The log's old contents are replayed.
TEST_F(EnumerateTest, CommitWithoutFlushOrChecksums) {
  EXPECT_GT(Run(20, {.journal_has_checksums = false, .flush_before_commit = false}), 10);
}

TEST_F(EnumerateTest, RightHistoriesNeedNoChecksums) {
  EXPECT_EQ(Run(30, {.journal_has_checksums = false}), 0);
}

TEST_F(EnumerateTest, OtherRulesBrokenWithoutChecksums) {
  EXPECT_GT(Run(40, {.journal_has_checksums = false, .flush_before_tail = false}), 8);
  EXPECT_GT(Run(10, {.journal_has_checksums = false, .home_after_commit = false}), 5);
  EXPECT_GT(
      Run(40,
          {.journal_has_checksums = false, .flush_before_commit = false, .writes_revokes = false}),
      20);
}

TEST_F(EnumerateTest, LostAndFailingSectorsOfALogWithoutChecksums) {
  EXPECT_GT(Run(40, {.journal_has_checksums = false},
                [](sim::RandomStream& random) {
                  return sim::DeviceConfig{.faults = {LostSector(random), Failing(random)}};
                }),
            20);
}

TEST_F(EnumerateTest, TailWithoutFlush) { EXPECT_GT(Run(20, {.flush_before_tail = false}), 5); }

TEST_F(EnumerateTest, TailBeforeHome) { EXPECT_GT(Run(20, {.home_before_tail = false}), 5); }

TEST_F(EnumerateTest, HomeBeforeCommit) { EXPECT_GT(Run(20, {.home_after_commit = false}), 10); }

TEST_F(EnumerateTest, RevokesMissing) { EXPECT_GT(Run(80, {.writes_revokes = false}), 0); }

TEST_F(EnumerateTest, BlocksReusedEarly) { EXPECT_GT(Run(40, {.reuse_after_commit = false}), 3); }

TEST_F(EnumerateTest, FsyncThatDoesNothing) { EXPECT_GT(Run(20, {.fsync_commits = false}), 3); }

TEST_F(EnumerateTest, TailNotZeroed) { EXPECT_GT(Run(20, {.zeroes_tail = false}), 1); }

TEST_F(EnumerateTest, FsyncThatDoesNothingAndTailNotZeroed) {
  EXPECT_GT(Run(20, {.fsync_commits = false, .zeroes_tail = false}), 3);
}

TEST_F(EnumerateTest, RenamesInTwoTransactions) {
  EXPECT_GT(Run(20, {.renames_at_once = false}), 3);
}

TEST_F(EnumerateTest, HolesWithTheirBlocks) { EXPECT_GT(Run(20, {.punches_blocks = false}), 0); }

TEST_F(EnumerateTest, AllAtOnce) {
  EXPECT_GT(Run(20, {.data_before_commit = false,
                     .flush_before_commit = false,
                     .flush_before_tail = false,
                     .home_before_tail = false,
                     .writes_revokes = false,
                     .reuse_after_commit = false,
                     .fsync_commits = false}),
            10);
}

// --- A journal on a device of its own ------------------------------------------------------------

TEST_F(EnumerateTest, RightHistoriesOnTwoDevicesHaveNothingWrong) {
  EXPECT_EQ(Run(30, {.journal_is_external = true}), 0);
  EXPECT_EQ(Run(30, {.journal_has_checksums = false, .journal_is_external = true}), 0);
  EXPECT_GT(compared_, 600);
}

TEST_F(EnumerateTest, DataDeviceNotFlushedBeforeACommitToTheOther) {
  EXPECT_GT(Run(40, {.journal_is_external = true, .flushes_data_device = false}), 10);
}

TEST_F(EnumerateTest, RulesBrokenOnTwoDevices) {
  EXPECT_GT(Run(20, {.journal_is_external = true, .flush_before_commit = false}), 10);
  EXPECT_GT(
      Run(40,
          {.journal_is_external = true, .flushes_data_device = false, .flush_before_tail = false}),
      10);
  EXPECT_GT(Run(20, {.journal_is_external = true, .home_after_commit = false}), 10);
}

TEST_F(EnumerateTest, SectorsLostOnTwoDevicesThatIgnoreFua) {
  EXPECT_GT(Run(40, {.journal_is_external = true},
                [](sim::RandomStream& random) {
                  return sim::DeviceConfig{.ignore_fua = random.OneIn(2),
                                           .faults = {LostSector(random)}};
                }),
            10);
}

// --- Devices that lie or fail --------------------------------------------------------------------

TEST_F(EnumerateTest, FuaIgnored) {
  EXPECT_GT(Run(20, {}, [](sim::RandomStream&) { return sim::DeviceConfig{.ignore_fua = true}; }),
            3);
}

TEST_F(EnumerateTest, FlushesIgnored) {
  EXPECT_GT(Run(20, {}, [](sim::RandomStream&) { return sim::DeviceConfig{.ignore_flush = true}; }),
            10);
}

TEST_F(EnumerateTest, DataLost) {
  EXPECT_GT(Run(20, {},
                [](sim::RandomStream& random) {
                  return sim::DeviceConfig{.faults = {LostData(random)}};
                }),
            5);
}

TEST_F(EnumerateTest, SectorsNeverWritten) {
  EXPECT_GT(Run(40, {},
                [](sim::RandomStream& random) {
                  return sim::DeviceConfig{.faults = {LostSector(random)}};
                }),
            10);
}

TEST_F(EnumerateTest, DataMisdirected) {
  EXPECT_GT(Run(40, {},
                [](sim::RandomStream& random) {
                  return sim::DeviceConfig{.faults = {Misdirected(random)}};
                }),
            20);
}

TEST_F(EnumerateTest, SectorsThatCannotBeRead) {
  EXPECT_GT(
      Run(40, {},
          [](sim::RandomStream& random) { return sim::DeviceConfig{.faults = {Failing(random)}}; }),
      20);
}

TEST_F(EnumerateTest, AllAtOnceOnTheWorstDevice) {
  EXPECT_GT(Run(20,
                {.flush_before_commit = false,
                 .flush_before_tail = false,
                 .writes_revokes = false,
                 .reuse_after_commit = false},
                [](sim::RandomStream& random) {
                  return sim::DeviceConfig{.ignore_fua = true,
                                           .faults = {LostData(random), Misdirected(random),
                                                      LostSector(random), Failing(random)}};
                }),
            10);
}

// --- The check itself ----------------------------------------------------------------------------

TEST(EnumerationCheckTest, RecoveryThatDoesNotFlushFailsInFamiliesAndInStates) {
  size_t found = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    EnumerationCheck check(/*limit=*/32, /*data_writeback=*/false);
    TinyFs fs({}, {.recovery = {.flush_before_superblock = false}, .watcher = &check}, seed);
    RunRandomHistory(fs, 24);
    fs.checker().End();
    EXPECT_EQ(check.count().disagreements, 0u) << check.count().first_disagreement;
    found += fs.world().findings().size();
  }
  EXPECT_GT(found, 0u);
}

// Tells its check of no recovery, or of no report.
class Forgetful : public CrashWatcher {
 public:
  enum class What { kRecoveries, kReports };
  explicit Forgetful(What what) : what_(what) {}

  void OnFamily(const CrashScene& scene, const std::vector<PossibleRecovery>& recoveries) override {
    check_.OnFamily(scene,
                    what_ == What::kRecoveries ? std::vector<PossibleRecovery>{} : recoveries);
  }
  void OnFault(const CrashScene& scene, const CrashFault& fault, const MinimalState& minimal,
               const sim::Finding& finding) override {
    if (what_ != What::kReports) check_.OnFault(scene, fault, minimal, finding);
  }
  void OnEnd(const CrashScene& scene) override { check_.OnEnd(scene); }

  const EnumerationCount& count() const { return check_.count(); }

 private:
  What what_;
  EnumerationCheck check_{/*limit=*/256, /*data_writeback=*/false};
};

TEST(EnumerationCheckTest, SaysWhatAFamilyDoesNotShowOrNobodyReported) {
  for (const auto& [what, how] :
       {std::pair{Forgetful::What::kRecoveries, "a state shows what its family does not: "},
        {Forgetful::What::kReports, "states have shown what was not reported: stale_data:a "}}) {
    Forgetful forgetful(what);
    TinyFs fs({.data_before_commit = false}, {.watcher = &forgetful}, /*seed=*/1);
    fs.Run([&fs] {
      fs.Create("a");
      fs.Write("a", 0, 1024);
      fs.Commit();
    });
    fs.checker().End();
    EXPECT_GT(forgetful.count().families, 0u);
    EXPECT_GT(forgetful.count().disagreements, 0u);
    EXPECT_THAT(forgetful.count().first_disagreement, testing::HasSubstr(how));
  }
}

}  // namespace
}  // namespace model
