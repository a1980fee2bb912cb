// What is found in recordings of a real kernel, beside what others saw in the same.
#include <algorithm>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/recorded/recordings.h"

namespace model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<RecordingFinding> OfKind(const RecordingResult& result, const std::string& kind) {
  std::vector<RecordingFinding> findings;
  std::copy_if(result.findings.begin(), result.findings.end(), std::back_inserter(findings),
               [&](const RecordingFinding& finding) { return finding.kind == kind; });
  return findings;
}

bool Names(const std::vector<uint32_t>& entries, uint32_t entry) {
  return std::find(entries.begin(), entries.end(), entry) != entries.end();
}

// Whether the finding tells of the state that was seen, with the write that it lacks.
bool Tells(const RecordingFinding& finding, const nlohmann::json& seen) {
  const CrashPoint point{seen["entries"]};
  const bool is_there = std::find(finding.crash_points.begin(), finding.crash_points.end(),
                                  point) != finding.crash_points.end();
  return is_there && finding.path == seen["path"] && finding.ino == seen["inode"] &&
         finding.begin <= seen["begin"] && finding.end >= seen["end"];
}

TEST(RecordingsTest, EveryStateThatWasSeenIsFound) {
  const nlohmann::json logs = nlohmann::json::parse(ReadData("seen_states.json"));
  size_t states = 0;
  for (const auto& [name, seen_states] : logs.items()) {
    const RecordingResult result = RecordedRun(name).Check();
    const std::vector<RecordingFinding> stale = OfKind(result, "stale_data");
    EXPECT_EQ(stale.empty(), seen_states.empty()) << name;
    for (const nlohmann::json& seen : seen_states) {
      ++states;
      const auto found = std::find_if(stale.begin(), stale.end(),
                                      [&](const auto& finding) { return Tells(finding, seen); });
      ASSERT_NE(found, stale.end()) << name << ": " << seen;
      if (found->begin != seen["begin"]) continue;
      EXPECT_EQ(found->device_block, seen["block"]) << name << ": " << seen;
      std::string shown = seen["shows"];
      std::replace(shown.begin(), shown.end(), '\n', '.');
      EXPECT_EQ(found->shown, shown) << name << ": " << seen;
      if (!seen["missing"].is_null()) {
        EXPECT_TRUE(Names(found->lost, seen["missing"]) || Names(found->later, seen["missing"]))
            << name << ": " << seen;
      }
    }
  }
  EXPECT_EQ(logs.size(), 10u);
  EXPECT_EQ(states, 18u);
}

// In ordered mode, with delayed allocation, and where each write is followed by fsync: no state
// shows stale data, lacks what a sync promised, or is unsound, as long as the superblock is not
// torn.
TEST(RecordingsTest, OrderedRecordingsAreCleanOverAllStates) {
  for (const char* name :
       {"1k-append-nodelalloc-writeback", "1k-append-ordered", "1k-extend-nodelalloc-ordered",
        "1k-extend-ordered", "1k-extend-writeback", "1k-rewrite-ordered", "4k-append-ordered"}) {
    RecordedRun run(name);
    run.options.unit_bytes = 1024;
    const RecordingResult result = run.Check();
    EXPECT_THAT(result.findings, IsEmpty()) << name << ": " << result.findings.front().message;
    EXPECT_GT(result.promises, 20u) << name;
  }
}

TEST(RecordingsTest, JournalledDataIsCleanOverAllStates) {
  RecordedRun run("1k-append-journal", "base-1k-zeros.img.zst");
  run.options.unit_bytes = 1024;
  EXPECT_THAT(run.Check().findings, IsEmpty());
}

// ext4 writes the superblock, 1024 bytes with one checksum, without the journal when it mounts and
// unmounts. Sectors of 512 bytes may tear it.
TEST(RecordingsTest, TornSuperblockIsTheOnlyFindingOfSectors) {
  const RecordingResult result = RecordedRun("1k-extend-ordered").Check();
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].kind, "recovery");
  EXPECT_EQ(result.findings[0].message, "the superblock does not match its checksum");
  EXPECT_THAT(result.findings[0].lost, ElementsAre(0u));
}

TEST(RecordingsTest, TwoRunsFindTheSame) {
  const RecordedRun run("1k-rewrite-nodelalloc-writeback");
  const RecordingResult a = run.Check(), b = run.Check();
  ASSERT_EQ(a.findings.size(), b.findings.size());
  for (size_t i = 0; i < a.findings.size(); ++i) {
    EXPECT_EQ(a.findings[i].message, b.findings[i].message);
    EXPECT_EQ(a.findings[i].crash_points, b.findings[i].crash_points);
    EXPECT_EQ(a.findings[i].lost, b.findings[i].lost);
  }
  EXPECT_EQ(a.states.States(), b.states.States());
}

// A kernel that never flushes: commit blocks may be there before what they commit.
TEST(RecordingsTest, WithoutFlushesSyncsLoseDataAndRecoveryFails) {
  RecordedRun run("1k-append-ordered");
  run.options.unit_bytes = 1024;
  std::vector<RecordedEntry>& entries = run.recording.entries;
  for (RecordedEntry& entry : entries) entry.flush = false;
  entries.resize(80);
  const RecordingResult result = run.Check();
  const std::vector<RecordingFinding> lost = OfKind(result, "lost_data");
  ASSERT_FALSE(lost.empty());
  EXPECT_EQ(lost[0].path, "a.log");
  EXPECT_THAT(lost[0].mark, HasSubstr("fsync-done a.log"));
  EXPECT_FALSE(lost[0].lost.empty());
  const std::vector<RecordingFinding> failed = OfKind(result, "recovery");
  EXPECT_TRUE(std::any_of(failed.begin(), failed.end(), [](const RecordingFinding& finding) {
    return finding.message.find("the log's copy of block") != std::string::npos;
  }));
}

}  // namespace
}  // namespace model
