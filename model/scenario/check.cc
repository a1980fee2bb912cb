#include "model/scenario/check.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "model/scenario/compile_program.h"
#include "model/scenario/nearest_name.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

constexpr int64_t kInodeBytes = 256;
// Superblock (and the boot block before it when blocks are small), group descriptors, two bitmaps,
// two directories.
constexpr int64_t kFixedBlocks = 7;

int64_t BlocksOf(int64_t bytes, int64_t block_bytes) {
  return (bytes + block_bytes - 1) / block_bytes;
}

std::set<std::string_view> CreatedFiles(const Scenario& scenario) {
  std::set<std::string_view> created;
  for (const ThreadConfig& thread : scenario.threads) {
    for (const Op& op : thread.ops) {
      if (op.kind == OpKind::kCreate) created.insert(op.file);
      if (op.kind == OpKind::kRename) created.insert(op.to);
    }
  }
  return created;
}

class Checker {
 public:
  explicit Checker(const Scenario& scenario) : scenario_(scenario) {}

  std::vector<Problem> Check() {
    if (!scenario_.program) {
      CheckSizes();
      CheckDevice();
      CheckFiles();
    }
    CheckThreads();
    if (scenario_.program) (void)CompileProgram(scenario_, problems_);
    CheckExpectation();
    return std::move(problems_);
  }

 private:
  void Add(std::string pointer, std::string message) {
    problems_.push_back({std::move(pointer), std::move(message)});
  }

  void CheckSizes() {
    const FsConfig& fs = scenario_.fs;
    const int64_t device_bytes = scenario_.device.size_sectors * kSectorBytes;
    if (device_bytes % fs.block_bytes != 0) {
      Add("/device/size_sectors", Cat("want a whole number of blocks of ", fs.block_bytes,
                                      " bytes, got ", device_bytes, " bytes"));
    }
    int64_t file_blocks = 0;
    for (const FileConfig& file : scenario_.files) {
      if (file.content == FileContent::kHole || file.inline_data) continue;
      file_blocks += BlocksOf(file.size_bytes, fs.block_bytes);
    }
    const int64_t blocks = device_bytes / fs.block_bytes;
    const int64_t layout = kFixedBlocks + BlocksOf(fs.inodes * kInodeBytes, fs.block_bytes);
    const int64_t journal =
        fs.journal_device == JournalDevice::kInternal ? fs.journal_blocks : int64_t{0};
    if (layout + journal + file_blocks > blocks) {
      Add("/device/size_sectors",
          Cat("want room for ", layout, " blocks of layout, ", journal, " of journal and ",
              file_blocks, " of files, got ", blocks, " blocks"));
    }
    if (static_cast<int64_t>(scenario_.files.size()) > fs.inodes) {
      Add("/fs/inodes",
          Cat("want one for each of ", scenario_.files.size(), " files, got ", fs.inodes));
    }
    if (fs.dirty_background_bytes > fs.dirty_limit_bytes) {
      Add("/fs/dirty_background_bytes",
          Cat("want at most dirty_limit_bytes (", fs.dirty_limit_bytes, "), got ",
              fs.dirty_background_bytes));
    }
  }

  void CheckDevice() {
    const DeviceConfig& device = scenario_.device;
    const FsConfig& fs = scenario_.fs;
    const bool external = fs.journal_device == JournalDevice::kExternal;
    const int64_t sectors_of_journal =
        external ? fs.journal_blocks * (fs.block_bytes / kSectorBytes) : 0;
    CheckLatency("/device/write_latency_ns", device.write_latency_ns);
    CheckLatency("/device/read_latency_ns", device.read_latency_ns);
    CheckLatency("/device/flush_latency_ns", device.flush_latency_ns);
    for (size_t i = 0; i < device.faults.size(); ++i) {
      const DeviceFault& fault = device.faults[i];
      const std::string pointer = PointerTo("/device/faults", i);
      const bool misdirected = fault.kind == FaultKind::kMisdirectedWrite;
      if (misdirected && !(fault.nth && !fault.sector && fault.lands_at)) {
        Add(pointer, "want nth and lands_at: only writes of file data are misdirected");
      } else if (fault.kind == FaultKind::kFailingSector && (fault.nth || !fault.sector)) {
        Add(pointer, "want sector: one that cannot be read");
      } else if (fault.nth.has_value() == fault.sector.has_value()) {
        Add(pointer, "want either nth or sector");
      }
      if (fault.lands_at && !misdirected) {
        Add(PointerTo(pointer, "lands_at"), "want it of a misdirected_write only");
      }
      CheckSector(PointerTo(pointer, "sector"), fault.sector,
                  device.size_sectors + sectors_of_journal);
      // File data, which cannot come to lie on another device.
      CheckSector(PointerTo(pointer, "lands_at"), fault.lands_at, device.size_sectors);
    }
  }

  void CheckSector(std::string pointer, const std::optional<int64_t>& sector, int64_t sectors) {
    if (!sector || *sector < sectors) return;
    Add(std::move(pointer), Cat("want a sector of the device, below ", sectors, ", got ", *sector));
  }

  void CheckLatency(std::string pointer, LatencyRange range) {
    if (range.lo_ns > range.hi_ns) {
      Add(std::move(pointer),
          Cat("want the lowest first, got [", range.lo_ns, ", ", range.hi_ns, "]"));
    }
  }

  void CheckFiles() {
    for (size_t i = 0; i < scenario_.files.size(); ++i) {
      const FileConfig& file = scenario_.files[i];
      const std::string pointer = PointerTo("/files", i);
      const auto same = [&](const FileConfig& other) { return other.name == file.name; };
      if (std::any_of(scenario_.files.begin(), scenario_.files.begin() + static_cast<long>(i),
                      same)) {
        Add(PointerTo(pointer, "name"), Cat("the file \"", file.name, "\" is there twice"));
      }
      if (file.inline_data && !scenario_.fs.inline_data) {
        Add(PointerTo(pointer, "inline_data"), "want fs.inline_data for a file with inline data");
      }
      if (file.inline_data && file.size_bytes > kInodeBytes) {
        Add(PointerTo(pointer, "size_bytes"),
            Cat("want at most ", kInodeBytes, " bytes of inline data, got ", file.size_bytes));
      }
      if (!file.exists && file.size_bytes > 0) {
        Add(PointerTo(pointer, "size_bytes"), "want 0 for a file that does not exist at first");
      }
    }
  }

  void CheckThreads() {
    if (scenario_.threads.empty()) Add("/threads", "want at least one thread, got a list of 0");
    std::set<std::string_view> names;
    for (size_t i = 0; i < scenario_.threads.size(); ++i) {
      const ThreadConfig& thread = scenario_.threads[i];
      const std::string pointer = PointerTo("/threads", i);
      if (!names.insert(thread.name).second) {
        Add(PointerTo(pointer, "name"), Cat("the thread \"", thread.name, "\" is there twice"));
      }
      const std::string ops = PointerTo(pointer, "ops");
      if (thread.ops.empty()) Add(ops, "want at least one operation, got a list of 0");
      for (size_t j = 0; j < thread.ops.size(); ++j) CheckOp(thread.ops[j], PointerTo(ops, j));
    }
  }

  void CheckOp(const Op& op, const std::string& pointer) {
    std::vector<std::string_view> known;
    for (const FileConfig& file : scenario_.files) known.push_back(file.name);
    if (!op.file.empty() && std::find(known.begin(), known.end(), op.file) == known.end()) {
      Add(PointerTo(pointer, "file"),
          Cat("no such file: \"files\" does not have it, and nobody creates it",
              Suggestion(op.file, known)));
    }
    if (op.async && !op.direct) Add(PointerTo(pointer, "async"), "want a direct write");
    if (op.async && op.fault_at_bytes) {
      Add(PointerTo(pointer, "fault_at_bytes"), "want a write that is not asynchronous");
    }
    constexpr int64_t kPageBytes = 4096;
    if (op.kind == OpKind::kMsync && op.pos_bytes % kPageBytes != 0) {
      Add(PointerTo(pointer, "pos_bytes"),
          Cat("want the start of a page of ", kPageBytes, " bytes, got ", op.pos_bytes));
    }
    if (op.sync && op.dsync) {
      Add(PointerTo(pointer, "dsync"), "want either sync or dsync");
    }
    if (op.fault_at_bytes && *op.fault_at_bytes > op.len_bytes) {
      Add(PointerTo(pointer, "fault_at_bytes"),
          Cat("want at most len_bytes (", op.len_bytes, "), got ", *op.fault_at_bytes));
    }
  }

  void CheckExpectation() {
    const bool any = std::any_of(scenario_.policy.begin(), scenario_.policy.end(),
                                 [](const auto& policy) { return policy.second; });
    if (scenario_.expect.without_policy && !any) {
      Add("/expect/without_policy", "want a policy that is true, for a run without it");
    }
  }

  const Scenario& scenario_;
  std::vector<Problem> problems_;
};

}  // namespace

void CompleteFiles(Scenario& scenario) {
  const bool any_declared = !scenario.files.empty();
  const std::set<std::string_view> created = CreatedFiles(scenario);
  for (const ThreadConfig& thread : scenario.threads) {
    for (const Op& op : thread.ops) {
      const auto same = [&](const FileConfig& file) { return file.name == op.file; };
      const bool is_created = created.contains(op.file);
      if (op.file.empty() || (any_declared && !is_created) ||
          std::any_of(scenario.files.begin(), scenario.files.end(), same)) {
        continue;
      }
      scenario.files.push_back({.name = op.file,
                                .buffered = scenario.fs.buffered_iomap ? BufferedPath::kIomap
                                                                       : BufferedPath::kBufferHead,
                                .exists = !is_created});
    }
  }
}

std::vector<Problem> CheckScenario(const Scenario& scenario) { return Checker(scenario).Check(); }

}  // namespace scenario
