// Random workloads, several threads on one or two files, that keep every rule: whatever is found in
// one is a false alarm, or a mistake of the model. Each kind of inode has a file system of its own,
// as they are not safe side by side (scenarios/designs).
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"
#include "sim/engine/random.h"
#include "tests/suite/suite.h"

namespace {

using scenario::Op;
using scenario::OpKind;
using scenario::Scenario;

class Workload {
 public:
  explicit Workload(uint64_t seed) : random_(seed, "workload") { made_.search.seed = seed; }

  Scenario Make(bool iomap) {
    made_.name = absl::StrCat("random_", made_.search.seed);
    MakeFilesystem(iomap);
    MakeFiles();
    const int64_t threads = 2 + Below(3);
    for (int64_t t = 0; t < threads; ++t) MakeThread(absl::StrCat("t", t));
    using Strategy = scenario::StrategyKind;
    made_.search.strategy = OneOf({Strategy::kRandom, Strategy::kPct, Strategy::kPos});
    if (random_.OneIn(3)) {
      made_.fs.journal_device = scenario::JournalDevice::kExternal;
      // Without, it is no longer true that they keep every rule (scenarios/regressions).
      made_.policy = {{"flush_data_device_always", true}};
    }
    return std::move(made_);
  }

 private:
  int64_t Below(int64_t n) {
    return static_cast<int64_t>(random_.UniformBelow(static_cast<uint64_t>(n)));
  }
  template <class T>
  T OneOf(std::initializer_list<T> values) {
    return values.begin()[random_.UniformBelow(values.size())];
  }

  void MakeFilesystem(bool iomap) {
    scenario::FsConfig& fs = made_.fs;
    fs.buffered_iomap = iomap;
    fs.block_bytes = OneOf<int64_t>({1024, 4096});
    fs.folio_bytes = OneOf<int64_t>({4096, 4096, 16384});
    fs.journal_blocks = OneOf<int64_t>({128, 256});
    fs.data = OneOf({scenario::DataMode::kOrdered, scenario::DataMode::kWriteback});
    fs.delalloc = !random_.OneIn(3);
    // Without either, a hole takes ordered data with it (scenarios/regressions).
    fs.dioread_nolock = !fs.delalloc || random_.OneIn(2);
    if (random_.OneIn(4)) fs.commit_interval_ns = OneOf<int64_t>({1'000, 100'000});
    if (random_.OneIn(4)) {
      fs.dirty_background_bytes = 8192;
      fs.dirty_limit_bytes = 32768;
    }
  }

  void MakeFiles() {
    for (const char* name : {"a", "b"}) {
      scenario::FileConfig file;
      file.name = name;
      file.buffered = made_.fs.buffered_iomap ? scenario::BufferedPath::kIomap
                                              : scenario::BufferedPath::kBufferHead;
      if (random_.OneIn(2)) file.size_bytes = OneOf<int64_t>({1, 1000, 4096, 9000, 20000});
      if (file.size_bytes == 0) file.content = scenario::FileContent::kHole;
      made_.files.push_back(std::move(file));
    }
  }

  void MakeThread(std::string name) {
    scenario::ThreadConfig thread;
    thread.name = std::move(name);
    const int64_t ops = 1 + Below(4);
    for (int64_t i = 0; i < ops; ++i) thread.ops.push_back(MakeOp());
    made_.threads.push_back(std::move(thread));
  }

  Op MakeOp() {
    using enum OpKind;
    Op op;
    op.kind = OneOf({kWrite, kWrite, kWrite, kWrite, kRead, kTruncate, kTruncate, kFallocate,
                     kFallocate, kFsync, kFsync, kFdatasync, kMmapWrite, kMmapWrite, kWriteback,
                     kWriteback, kDropCaches, kCommit, kSync});
    if (op.kind == kSync || op.kind == kCommit || op.kind == kDropCaches) return op;
    op.file = OneOf({"a", "a", "b"});
    if (op.kind == kTruncate) {
      op.size_bytes = OneOf<int64_t>({0, 1, 1000, 4096, 5000, 12000, 30000});
    } else if (op.kind != kFsync && op.kind != kFdatasync) {
      op.pos_bytes = OneOf<int64_t>({0, 0, 100, 1024, 4096, 5000, 8192, 16384});
      op.len_bytes = OneOf<int64_t>({1, 512, 1024, 4096, 6000, 10000, 20000});
    }
    if (op.kind == kMmapWrite) op.len_bytes = std::min<int64_t>(op.len_bytes, 4096);
    if (op.kind == kWrite) op.sync = random_.OneIn(8);
    if (op.kind == kFallocate) op.mode = static_cast<scenario::FallocateMode>(Below(5));
    return op;
  }

  sim::RandomStream random_;
  Scenario made_;
};

class RandomWorkloadsTest : public testing::TestWithParam<bool> {};

TEST_P(RandomWorkloadsTest, ThatKeepEveryRuleFindNothing) {
  constexpr uint64_t kWorkloads = 150;
  constexpr int64_t kExecutions = 10;
  for (uint64_t seed = 1; seed <= kWorkloads; ++seed) {
    const Scenario made = Workload(seed).Make(GetParam());
    for (const scenario::FoundFinding& finding : suite::Search(made, kExecutions).findings) {
      ADD_FAILURE() << finding.kind << ": " << finding.message << "\n" << ToJson(made).dump();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, RandomWorkloadsTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Iomap" : "BufferHead"; });

}  // namespace
