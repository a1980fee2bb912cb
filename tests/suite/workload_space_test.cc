// The bounded space of small workloads: nothing is found in it with the kernel's rules, on either
// kind of inode, and what a broken rule does is.
#include "model/scenario/workload_space.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "tests/suite/suite.h"

namespace {

using scenario::Scenario;
using scenario::WorkloadSpace;

// The workloads of the space in which something is found, and the kinds of what is.
struct Found {
  std::set<std::string> workloads, kinds;
};

// `ending`: of their names.
Found FoundIn(const WorkloadSpace& space, const Scenario& like, const std::string& ending = "") {
  Found found;
  for (uint64_t i = 0; i < space.Count(); ++i) {
    const Scenario made = space.Make(i, like);
    if (!made.name.ends_with(ending)) continue;
    for (const scenario::FoundFinding& finding : suite::Search(made, 1).findings) {
      found.workloads.insert(made.name);
      found.kinds.insert(finding.kind);
    }
  }
  return found;
}

// Whether some workload of the space finds `kind`.
bool Finds(const WorkloadSpace& space, const Scenario& like, const std::string& kind) {
  for (uint64_t i = 0; i < space.Count(); ++i) {
    for (const auto& finding : suite::Search(space.Make(i, like), 1).findings) {
      if (finding.kind == kind) return true;
    }
  }
  return false;
}

class WorkloadSpaceSuiteTest : public testing::TestWithParam<bool> {
 protected:
  WorkloadSpaceSuiteTest() { like_.fs.buffered_iomap = GetParam(); }
  Scenario like_;
};

TEST_P(WorkloadSpaceSuiteTest, IsCleanWithTheKernelsRules) {
  EXPECT_THAT(FoundIn({1, 1}, like_).workloads, testing::IsEmpty());
  EXPECT_THAT(FoundIn({1, 2}, like_).workloads, testing::IsEmpty());
  EXPECT_THAT(FoundIn({2, 1}, like_).workloads, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, WorkloadSpaceSuiteTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Iomap" : "BufferHead"; });

TEST(WorkloadSpaceBrokenTest, FlushLeftOutIsFoundByTheShortest) {
  Scenario like;
  like.policy = {{"commit_without_flush", true}};
  const Found found = FoundIn({1, 1}, like, "_fsync");
  EXPECT_EQ(found.workloads.size(), (WorkloadSpace{1, 1}.Count() / 3));  // of three kinds of syncs
  EXPECT_TRUE(found.kinds.contains("lost_data"));
}

// Of one file, fsync itself writes the data; another's takes the transaction along, and the commit
// has to.
TEST(WorkloadSpaceBrokenTest, OrderedListSkippedIsFoundByFsyncOfAnotherFile) {
  Scenario like;
  like.fs.delalloc = like.fs.dioread_nolock = false;
  EXPECT_THAT(FoundIn({1, 2}, like).workloads, testing::IsEmpty());
  like.policy = {{"skip_ordered_add", true}};
  EXPECT_THAT(FoundIn({1, 1}, like).workloads, testing::Each(testing::StartsWith("cut")));
  const Found found = FoundIn({1, 2}, like);
  EXPECT_THAT(found.kinds, testing::Contains("stale_data"));
  EXPECT_TRUE(found.workloads.contains("append_a_fsync_b"));
  EXPECT_FALSE(found.workloads.contains("append_a_sync"));
}

// What one thread shows on iomap inodes, with and without delayed allocation.
TEST(WorkloadSpaceBrokenTest, RulesOfIomapInodes) {
  struct Broken {
    const char* policy = "";
    bool delalloc = true;
    const char* kind = "";
    WorkloadSpace space;
  };
  for (const Broken& broken : {Broken{"folio_lock_under_handle", true, "lock_cycle", {1, 1}},
                               Broken{"order_iomap_inode", true, "lock_cycle", {1, 1}},
                               Broken{"handle_across_bdp", false, "lock_cycle", {1, 1}},
                               Broken{"iomap_nodelalloc_written", false, "stale_data", {1, 2}},
                               Broken{"orphan_after_first_free", true, "metadata", {2, 1}},
                               Broken{"free_reusable_before_commit", true, "stale_data", {2, 1}}}) {
    Scenario like;
    like.fs.buffered_iomap = true;
    like.fs.delalloc = broken.delalloc;
    like.policy = {{broken.policy, true}};
    EXPECT_TRUE(Finds(broken.space, like, broken.kind)) << broken.policy;
  }
}

TEST(WorkloadSpaceBrokenTest, ConversionWithoutAReservedHandle) {
  Scenario like;
  like.policy = {{"no_reserved_handle", true}};
  EXPECT_THAT(FoundIn({1, 1}, like).kinds, testing::ElementsAre("lock_cycle"));
}

// Nothing commits while its data is on the way, but for a direct write that had a part of what is
// delayed written, and raised i_disksize for all of it.
TEST(WorkloadSpaceBrokenTest, DisksizeAtSubmissionTakesAnotherThreadOrADirectWrite) {
  Scenario like;
  like.fs.buffered_iomap = true;
  like.policy = {{"disksize_at_submit", true}};
  const Found found = FoundIn({1, 2}, like);
  EXPECT_THAT(found.kinds, testing::ElementsAre("lost_data"));
  EXPECT_THAT(found.workloads, testing::ElementsAre("doverlap_a_fdata_b", "doverlap_a_fsync_b",
                                                    "doverlap_b_fdata_a", "doverlap_b_fsync_a"));
}

}  // namespace
