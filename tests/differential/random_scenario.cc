#include "tests/differential/random_scenario.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "sim/engine/random.h"

namespace differential {
namespace {

using scenario::Op;
using scenario::OpKind;

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed, "differential") {}

  scenario::Scenario Make(uint64_t seed, bool broken) {
    scenario_.name = absl::StrCat(broken ? "broken_" : "random_", seed);
    MakeFilesystem();
    MakeFiles();
    const int64_t threads = long_ ? 1 : 1 + Below(3);
    for (int64_t i = 0; i < threads; ++i) MakeThread(absl::StrCat("thread", i));
    if (broken && random_.OneIn(3)) {
      MakeTheDeviceLie();
    } else if (broken) {
      BreakARule();
    }
    scenario_.search.strategy =
        random_.OneIn(2) ? scenario::StrategyKind::kRandom : scenario::StrategyKind::kTimed;
    scenario_.search.seed = seed;
    if (sim::RandomStream(seed, "journal device").OneIn(4)) {
      scenario_.fs.journal_device = scenario::JournalDevice::kExternal;
    }
    return std::move(scenario_);
  }

 private:
  int64_t Below(int64_t n) {
    return static_cast<int64_t>(random_.UniformBelow(static_cast<uint64_t>(n)));
  }

  void MakeFilesystem() {
    scenario::FsConfig& fs = scenario_.fs;
    fs.block_bytes = int64_t{1024} << Below(3);
    // Most logs are short, and wrap soon; a few need no padding, and wrap if the run is long.
    long_ = random_.OneIn(12);
    fs.journal_blocks = long_ || random_.OneIn(8) ? 1024 : 64 + Below(64);
    fs.data = random_.OneIn(4) ? scenario::DataMode::kWriteback : scenario::DataMode::kOrdered;
    fs.delalloc = !random_.OneIn(3);
    fs.dioread_nolock = !random_.OneIn(3);
    fs.buffered_iomap = random_.OneIn(2);
    fs.inline_data = random_.OneIn(6);
    if (random_.OneIn(4)) fs.journal_checksum = scenario::JournalChecksum::kNone;
    const int64_t blocks = 512 + fs.journal_blocks + Below(1024);
    scenario_.device.size_sectors = blocks * fs.block_bytes / scenario::kSectorBytes;
  }

  void MakeFiles() {
    const int64_t files = 2 + Below(4);
    for (int64_t i = 0; i < files; ++i) {
      scenario::FileConfig file;
      file.name = absl::StrCat("file", i);
      file.buffered = scenario_.fs.buffered_iomap || random_.OneIn(4)
                          ? scenario::BufferedPath::kIomap
                          : scenario::BufferedPath::kBufferHead;
      file.exists = !random_.OneIn(4);
      if (file.exists && scenario_.fs.inline_data && random_.OneIn(4)) {
        file.inline_data = true;
        file.size_bytes = Below(60);
      } else if (file.exists) {
        file.size_bytes = random_.OneIn(3) ? 0 : Below(12 * scenario_.fs.block_bytes);
        file.content = static_cast<scenario::FileContent>(Below(3));
      }
      if (file.size_bytes == 0) file.content = scenario::FileContent::kHole;
      scenario_.files.push_back(std::move(file));
    }
  }

  void MakeThread(std::string name) {
    scenario::ThreadConfig thread;
    thread.name = std::move(name);
    thread.repeat = long_ ? 60 + Below(100) : random_.OneIn(6) ? 8 : 1;
    const int64_t ops = 4 + Below(12);
    for (int64_t i = 0; i < ops; ++i) {
      thread.ops.push_back(MakeOp());
      if (long_ && i % 4 == 3) thread.ops.push_back({.kind = OpKind::kCommit});
    }
    if (random_.OneIn(12)) {
      thread.ops.push_back(
          {.kind = OpKind::kShutdown, .flush = static_cast<scenario::ShutdownFlush>(Below(3))});
    }
    scenario_.threads.push_back(std::move(thread));
  }

  Op MakeOp() {
    Op op;
    const scenario::FileConfig& file =
        scenario_.files[static_cast<size_t>(Below(static_cast<int64_t>(scenario_.files.size())))];
    op.file = file.name;
    // Inline data cannot be written; such a file can still go.
    const int64_t kind = file.inline_data ? 13 : Below(24);
    const int64_t far = 24 * scenario_.fs.block_bytes;
    if (kind < 7) {
      op.kind = OpKind::kWrite;
      // Mostly near; now and then scattered, so that trees get deep.
      op.pos_bytes = random_.OneIn(3) ? Below(8 * far) : Below(far);
      op.len_bytes = 1 + Below(4 * scenario_.fs.block_bytes);
      op.sync = random_.OneIn(6);
      if (random_.OneIn(3)) MakeDirect(op);
    } else if (kind < 10) {
      op.kind = OpKind::kTruncate;
      op.size_bytes = random_.OneIn(4) ? 0 : Below(far);
    } else if (kind < 13) {
      op.kind = random_.OneIn(2) ? OpKind::kFsync : OpKind::kFdatasync;
    } else if (kind == 13 && !file.inline_data && random_.OneIn(2)) {
      op.kind = OpKind::kRename;
      op.to = absl::StrCat("file", Below(static_cast<int64_t>(scenario_.files.size())));
    } else if (kind == 13) {
      op.kind = OpKind::kUnlink;
    } else if (kind < 16) {
      op.kind = OpKind::kCreate;
    } else if (kind == 23) {
      op.kind = OpKind::kIoGetevents;
      op.file.clear();
    } else if (kind >= 20) {
      op.kind = OpKind::kFallocate;
      op.mode = static_cast<scenario::FallocateMode>(Below(5));
      op.pos_bytes = Below(far);
      op.len_bytes = 1 + Below(8 * scenario_.fs.block_bytes);
    } else if (kind == 16) {
      op.kind = random_.OneIn(2) ? OpKind::kWriteback : OpKind::kMsync;
      op.pos_bytes = Below(6) * 4096;
      op.len_bytes = 1 + Below(far);
    } else {
      op.kind = kind == 17 ? OpKind::kSync : OpKind::kCommit;
      op.file.clear();
    }
    return op;
  }

  // Whole sectors, which blocks need not be; half of them asynchronous.
  void MakeDirect(Op& op) {
    const int64_t sectors = op.len_bytes / scenario::kSectorBytes + 1;
    op.pos_bytes -= op.pos_bytes % scenario::kSectorBytes;
    op.len_bytes = sectors * scenario::kSectorBytes;
    op.direct = true;
    op.async = random_.OneIn(2);
    op.dsync = !op.sync && random_.OneIn(3);
  }

  void BreakARule() {
    static constexpr const char* kRules[] = {
        "commit_without_flush",        "skip_revoke_record",         "orphan_after_first_free",
        "free_reusable_before_commit", "tail_advance_without_flush", "dio_extends_without_orphan"};
    // The first is the one that shows most.
    const size_t rule = random_.OneIn(2) ? 0 : random_.UniformBelow(std::size(kRules));
    scenario_.policy.push_back({kRules[rule], true});
  }

  void MakeTheDeviceLie() {
    scenario::DeviceConfig& device = scenario_.device;
    const int64_t how = Below(6);
    if (how == 0) device.ignore_fua = true;
    if (how == 1) device.ignore_flush = true;
    if (how < 2) return;
    using Kind = scenario::FaultKind;
    scenario::DeviceFault fault{.kind = how < 4 ? Kind::kLostWrite : Kind::kMisdirectedWrite};
    const int64_t sector = Below(device.size_sectors);
    if (how == 2) fault.sector = random_.OneIn(2) ? sector : Below(device.size_sectors / 8);
    if (how > 2) fault.nth = 1 + Below(6);
    // Half of them around the journal's superblock.
    const int64_t near = scenario_.fs.block_bytes / scenario::kSectorBytes * (8 + Below(12));
    if (how > 3) fault.lands_at = how == 4 ? sector : near;
    device.faults.push_back(fault);
  }

  sim::RandomStream random_;
  bool long_ = false;  // enough commits for a log of 1024 blocks to wrap
  scenario::Scenario scenario_;
};

}  // namespace

scenario::Scenario RandomScenario(uint64_t seed, bool broken) {
  return Generator(seed).Make(seed, broken);
}

}  // namespace differential
