// Families state by state: each is built as an image, recovered by e2fsck and read by debugfs, and
// what is wrong then is held to what is said of the family as a whole.
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "gmock/gmock.h"
#include "model/recorded/medium.h"
#include "sim/engine/random.h"
#include "tests/differential/image_check.h"
#include "tests/recorded/recordings.h"

namespace model {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSector = 512;
constexpr uint64_t kMaxStates = 8;  // of a family that is looked at as a whole

// A file and a sector of it.
using WrongSectors = std::set<std::pair<std::string, uint64_t>>;

class EnumerateTest : public testing::Test {
 protected:
  EnumerateTest()
      : directory_(testing::TempDir() + "crashdep_enumerate_" + std::to_string(getpid())) {
    fs::create_directories(directory_);
  }
  ~EnumerateTest() override { fs::remove_all(directory_); }

  // The device as a list of what was chosen.
  static std::string Build(const RecordedRun& run, const ContentTable& contents,
                           const Medium& medium, const std::vector<size_t>& choice) {
    std::string bytes = run.base;
    for (uint64_t unit = 0; unit < medium.units(); ++unit) {
      bytes.replace(unit * kSector, kSector, contents.Bytes(medium.At(unit).back()));
    }
    size_t i = 0;
    for (const uint64_t unit : medium.varying()) {
      bytes.replace(unit * kSector, kSector, contents.Bytes(medium.At(unit)[choice[i++]]));
    }
    return bytes;
  }

  struct Seen {
    bool sound = true;
    WrongSectors wrong;
  };

  Seen Recover(const RecordedRun& run, const std::string& bytes) const {
    const std::string image = directory_ + "/state.img", files = directory_ + "/files";
    std::ofstream(image, std::ios::binary) << bytes;
    Seen seen;
    seen.sound = differential::RunE2fsck(image).empty();
    if (!seen.sound) return seen;
    fs::remove_all(files);
    fs::create_directories(files);
    const std::string command =
        "PATH=$PATH:/sbin:/usr/sbin debugfs -R 'rdump / " + files + "' " + image + " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
    for (const auto& entry : fs::directory_iterator(files)) {
      if (entry.is_regular_file()) LookAt(run, entry.path(), seen.wrong);
    }
    return seen;
  }

  // Each byte is zero or one that was written there: byte by byte, by printing every write anew.
  static void LookAt(const RecordedRun& run, const fs::path& path, WrongSectors& wrong) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    const std::string bytes = text.str();
    std::vector<bool> right(bytes.size());
    const std::string name = path.filename();
    const auto writes = run.options.rules.writes->find(name);
    for (size_t i = 0; i < bytes.size(); ++i) right[i] = bytes[i] == 0;
    for (size_t w = 0; w < writes->second.size(); ++w) {
      const TaggedWrite& write = writes->second[w];
      for (uint64_t at = 0; at < write.size_bytes; at += 16) {
        char unit[17];
        snprintf(unit, sizeof(unit), "%04x:%010llx\n", write.tag,
                 static_cast<unsigned long long>(write.offset_bytes + at));
        for (uint64_t i = 0; i < 16 && at + i < write.size_bytes; ++i) {
          const uint64_t place = write.offset_bytes + at + i;
          if (place < bytes.size() && bytes[place] == unit[i]) right[place] = true;
        }
      }
    }
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (!right[i]) wrong.insert({name, i / kSector});
    }
  }

  // What is said of the family after so many entries.
  static Seen Said(const RecordingResult& result, uint32_t entries) {
    Seen said;
    for (const RecordingFinding& finding : result.findings) {
      const CrashPoint point{entries};
      if (std::find(finding.crash_points.begin(), finding.crash_points.end(), point) ==
          finding.crash_points.end()) {
        continue;
      }
      if (finding.kind != "stale_data") said.sound = false;
      for (uint64_t at = finding.begin; finding.kind == "stale_data" && at < finding.end; ++at) {
        said.wrong.insert({finding.path, at / kSector});
      }
    }
    return said;
  }

  // Just outside of findings: the entries before and after.
  static std::set<uint32_t> Edges(const RecordingResult& result) {
    std::set<uint32_t> edges;
    for (const RecordingFinding& finding : result.findings) {
      edges.insert(finding.crash_points.front().entries - 1);
      edges.insert(finding.crash_points.back().entries + 1);
    }
    return edges;
  }

  // Of `count` families of at most kMaxStates states, and more than one, all states. Of those where
  // a finding begins or ends the oldest state, whose faults must be among those said: that is where
  // one that is missed would show.
  void Compare(const std::string& name, size_t count, uint64_t seed) {
    const RecordedRun run(name);
    const RecordingResult result = run.Check();
    const std::set<uint32_t> edges = Edges(result);
    ContentTable contents(kSector);
    Medium medium(contents,
                  std::string_view(run.base).substr(0, result.blocks * result.block_bytes));
    sim::RandomStream random(seed, "families");
    for (uint32_t i = 0; i < run.recording.entries.size(); ++i) {
      medium.Submit(run.recording.entries[i], i);
      uint64_t states = 1;
      for (const uint64_t unit : medium.varying()) {
        states = std::min<uint64_t>(states * medium.At(unit).size(), UINT32_MAX);
      }
      if (edges.contains(i + 1)) CompareOldest(run, result, contents, medium, i + 1);
      if (states == 1 || states > kMaxStates || count == 0) continue;
      if (random.UniformBelow(8) != 0) continue;
      --count;
      CompareWhole(run, result, contents, medium, i + 1);
    }
    EXPECT_EQ(count, 0u);
  }

  void CompareWhole(const RecordedRun& run, const RecordingResult& result,
                    const ContentTable& contents, const Medium& medium, uint32_t entries) {
    Seen all;
    std::vector<size_t> choice(medium.varying().size());
    for (bool more = true; more;) {
      const Seen seen = Recover(run, Build(run, contents, medium, choice));
      all.sound &= seen.sound;
      all.wrong.insert(seen.wrong.begin(), seen.wrong.end());
      more = false;
      size_t i = 0;
      for (const uint64_t unit : medium.varying()) {
        if (++choice[i] < medium.At(unit).size()) {
          more = true;
          break;
        }
        choice[i++] = 0;
      }
    }
    const Seen said = Said(result, entries);
    EXPECT_EQ(all.sound, said.sound) << "after " << entries;
    EXPECT_EQ(all.wrong, said.wrong) << "after " << entries;
  }

  void CompareOldest(const RecordedRun& run, const RecordingResult& result,
                     const ContentTable& contents, const Medium& medium, uint32_t entries) {
    // But the superblock, which would have to be torn to be anything but the newest one.
    std::vector<size_t> choice;
    for (const uint64_t unit : medium.varying()) {
      choice.push_back(unit * kSector / 1024 == 1 ? medium.At(unit).size() - 1 : 0);
    }
    const Seen seen = Recover(run, Build(run, contents, medium, choice));
    const Seen said = Said(result, entries);
    EXPECT_TRUE(seen.sound || !said.sound) << "after " << entries;
    for (const auto& [path, sector] : seen.wrong) {
      EXPECT_TRUE(said.wrong.contains({path, sector}))
          << "after " << entries << ": " << path << " at " << sector * kSector;
    }
  }

  std::string directory_;
};

TEST_F(EnumerateTest, FamiliesAreWhatTheirStatesAre) {
  Compare("1k-extend-nodelalloc-writeback", 1, 1);
  Compare("1k-rewrite-nodelalloc-writeback", 1, 2);
  Compare("1k-extend-ordered", 1, 3);
}

// The state that is written for a finding shows it.
TEST_F(EnumerateTest, EachFindingsImageShowsIt) {
  const RecordedRun run("1k-rewrite-nodelalloc-writeback");
  const RecordingResult result = run.Check();
  EXPECT_EQ(result.findings.size(), 3u);
  for (const RecordingFinding& finding : result.findings) {
    const Seen seen = Recover(run, StateBytes(run.base, run.recording, run.options, finding));
    EXPECT_EQ(seen.sound, finding.kind == "stale_data") << finding.message;
    for (uint64_t at = finding.begin; at < finding.end; ++at) {
      EXPECT_TRUE(seen.wrong.contains({finding.path, at / kSector})) << finding.message;
    }
  }
}

}  // namespace
}  // namespace model
