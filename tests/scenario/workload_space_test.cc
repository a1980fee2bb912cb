#include "model/scenario/workload_space.h"

#include <set>

#include "gmock/gmock.h"
#include "model/scenario/parse.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"

namespace scenario {
namespace {

// Every workload of the space as a word of steps, counted one by one.
uint64_t CountByHand(int operations, int files, int choices) {
  uint64_t count = 0;
  for (int file = 0; file < files; ++file) {
    for (int choice = 0; choice < choices; ++choice) {
      // fsync and fdatasync of each file, sync, and none unless it is the last.
      for (int sync = 0; sync < 2 * files + 2; ++sync) {
        const bool none = sync == 2 * files + 1;
        if (operations > 1) count += CountByHand(operations - 1, files, choices);
        if (operations == 1 && !none) ++count;
      }
    }
  }
  return count;
}

TEST(WorkloadSpaceTest, HasAsManyAsCountedOneByOne) {
  for (int files = 1; files <= 2; ++files) {
    for (int operations = 1; operations <= 3; ++operations) {
      const WorkloadSpace space{operations, files};
      EXPECT_EQ(space.Count(), CountByHand(operations, files, 13));
    }
  }
}

TEST(WorkloadSpaceTest, OnOneFileItIsAsLargeAsAces) {
  EXPECT_EQ((WorkloadSpace{1, 1}.Count()), 39u);
  EXPECT_EQ((WorkloadSpace{2, 1}.Count()), 2028u);
  EXPECT_EQ((WorkloadSpace{3, 1}.Count()), 105456u);
}

// What a thread does, without its name.
std::string Calls(const Scenario& scenario) { return ToJson(scenario)["threads"][0]["ops"].dump(); }

// Of the largest space, each eleventh is read again.
TEST(WorkloadSpaceTest, EachIsAnotherAndAValidScenario) {
  for (const WorkloadSpace space : {WorkloadSpace{1, 1}, {1, 2}, {2, 1}, {2, 2}}) {
    std::set<std::string> names, calls;
    for (uint64_t i = 0; i < space.Count(); ++i) {
      const Scenario made = space.Make(i, Scenario{});
      EXPECT_TRUE(names.insert(made.name).second) << made.name;
      EXPECT_TRUE(calls.insert(Calls(made)).second) << made.name;
      if (space.Count() > 10'000 && i % 11 != 0) continue;
      const std::string text = ToJson(made).dump();
      const auto read = ParseScenario(made.name, text, {});
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(ToJson(*read).dump(), text);
    }
    EXPECT_EQ(names.size(), space.Count());
  }
}

TEST(WorkloadSpaceTest, NameSaysWhatItDoes) {
  const WorkloadSpace space{2, 2};
  for (uint64_t i = 0; i < space.Count(); ++i) {
    const Scenario made = space.Make(i, Scenario{});
    if (made.name != "cut_odd_b_fdata_a-map_a_sync") continue;
    const std::vector<Op>& ops = made.threads[0].ops;
    ASSERT_EQ(ops.size(), 8u);  // each file is made and written first
    EXPECT_EQ(ops[4].kind, OpKind::kTruncate);
    EXPECT_EQ(ops[4].file, "b");
    EXPECT_EQ(ops[4].size_bytes, 10000);
    EXPECT_EQ(ops[5].kind, OpKind::kFdatasync);
    EXPECT_EQ(ops[5].file, "a");
    EXPECT_EQ(ops[6].kind, OpKind::kMmapWrite);
    EXPECT_EQ(ops[6].pos_bytes, 4096);
    EXPECT_EQ(ops[6].len_bytes, 4096);
    EXPECT_EQ(ops[7].kind, OpKind::kSync);
    return;
  }
  FAIL() << "it is not there";
}

TEST(WorkloadSpaceTest, TheRestIsAsInThePattern) {
  Scenario like;
  like.fs.buffered_iomap = true;
  like.policy = {{"disksize_at_submit", true}};
  like.search.executions = 7;
  like.expect.findings = {{"lost_data", ""}};
  const Scenario made = WorkloadSpace{}.Make(0, like);
  EXPECT_EQ(made.files[0].buffered, BufferedPath::kIomap);
  EXPECT_EQ(made.policy, like.policy);
  EXPECT_EQ(made.search.executions, 7);
  EXPECT_TRUE(made.expect.findings.empty());
}

}  // namespace
}  // namespace scenario
