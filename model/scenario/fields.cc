#include "model/scenario/fields.h"

#include <array>
#include <utility>

namespace scenario {
namespace {

// The reference of a file has a word for each of its granules, holes or not.
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 26;
constexpr uint64_t kMaxCallBytes = uint64_t{1} << 24;
constexpr uint64_t kMaxTimeNs = 1'000'000'000'000'000;
constexpr IntegerRange kFileBytes = {0, kMaxFileBytes};
constexpr IntegerRange kTimeNs = {0, kMaxTimeNs};
constexpr IntegerRange kNonzeroTimeNs = {1, kMaxTimeNs};
constexpr std::array<int64_t, 1> kSchemaVersions = {kSchemaVersion};
constexpr std::array<int64_t, 3> kBlockBytes = {1024, 2048, 4096};
constexpr std::array<int64_t, 5> kFolioBytes = {4096, 8192, 16384, 32768, 65536};
constexpr std::array<std::string_view, 15> kErrnoNames = {
    "EAGAIN", "EDQUOT", "EEXIST", "EFAULT", "EFBIG",  "EINTR", "EINVAL", "EIO",
    "ENOENT", "ENOMEM", "ENOSPC", "EPERM",  "ERANGE", "EROFS", "EUCLEAN"};

void VisitFs(FieldVisitor& v, FsConfig& fs) {
  v.IntegerOf({"block_bytes", "Size of a file system block."}, kBlockBytes, fs.block_bytes);
  v.IntegerOf({"folio_bytes", "Size of every page cache folio."}, kFolioBytes, fs.folio_bytes);
  v.Name({"data", "Data mode: ordered makes a commit wait for the data of its new blocks."},
         kDataModeNames, fs.data);
  v.Integer({"journal_blocks", "Length of the journal, its superblock included."}, {16, 1 << 20},
            fs.journal_blocks);
  v.Integer({"inodes", "Inodes for files, on top of the reserved ones."}, {1, 1 << 16}, fs.inodes);
  v.Boolean({"delalloc", "Delayed allocation."}, fs.delalloc);
  v.Boolean({"dioread_nolock", "Buffered writes allocate unwritten extents."}, fs.dioread_nolock);
  v.Boolean({"buffered_iomap", "Regular files take the iomap buffered path by default."},
            fs.buffered_iomap);
  v.Boolean({"inline_data", "Small files may live in their inode."}, fs.inline_data);
  v.Boolean({"data_err_abort", "A failed write of ordered data aborts the journal."},
            fs.data_err_abort);
  v.Boolean({"barrier", "Commits flush the device cache."}, fs.barrier);
  v.Integer({"commit_interval_ns", "Age at which a transaction is committed."}, kNonzeroTimeNs,
            fs.commit_interval_ns);
  v.Integer({"dirty_background_bytes", "Dirty page cache at which the flusher starts."}, kFileBytes,
            fs.dirty_background_bytes);
  v.Integer({"dirty_limit_bytes", "Dirty page cache at which writers wait for writeback."},
            {1, kMaxFileBytes}, fs.dirty_limit_bytes);
}

void VisitDevice(FieldVisitor& v, DeviceConfig& device) {
  constexpr IntegerRange kSectors = {64, uint64_t{1} << 26};
  v.Integer({"size_sectors", "Size of the device in sectors of 512 bytes."}, kSectors,
            device.size_sectors);
  v.Boolean({"volatile_cache", "Completed writes are lost with power until flushed."},
            device.volatile_cache);
  const auto latency = [&v](std::string_view name, std::string_view about, LatencyRange& range) {
    v.Pair({name, about}, kTimeNs, range.lo_ns, range.hi_ns);
  };
  latency("write_latency_ns", "Shortest and longest write.", device.write_latency_ns);
  latency("read_latency_ns", "Shortest and longest read.", device.read_latency_ns);
  latency("flush_latency_ns", "Shortest and longest cache flush.", device.flush_latency_ns);
  v.Boolean({"ignore_flush", "The device lies: a flush completes and does nothing."},
            device.ignore_flush);
  v.List<DeviceFault>({"faults", "Faults to inject; each has either nth or sector."}, device.faults,
                      [&v](DeviceFault& fault) {
                        v.Name({"kind", "What happens to the write.", Need::kRequired},
                               kFaultKindNames, fault.kind);
                        v.Integer({"nth", "Only the N-th write of file data, counted from 1."},
                                  {1, 1'000'000'000}, fault.nth);
                        v.Integer({"sector", "Every write that covers this sector."},
                                  {0, kSectors.max - 1}, fault.sector);
                      });
}

void VisitFile(FieldVisitor& v, const FsConfig& fs, FileConfig& file) {
  v.Text({"name", "What operations call it.", Need::kRequired}, TextRule::kName, file.name);
  if (!v.Name({"buffered", "Its buffered I/O path; by default as fs.buffered_iomap says.",
               Need::kDerived},
              kBufferedPathNames, file.buffered)) {
    file.buffered = fs.buffered_iomap ? BufferedPath::kIomap : BufferedPath::kBufferHead;
  }
  v.Integer({"size_bytes", "Its size."}, kFileBytes, file.size_bytes);
  if (!v.Name({"content", "What its blocks are; by default written, a hole when the size is 0.",
               Need::kDerived},
              kFileContentNames, file.content)) {
    file.content = file.size_bytes > 0 ? FileContent::kWritten : FileContent::kHole;
  }
  v.Boolean({"inline_data", "Its data lives in the inode."}, file.inline_data);
  v.Boolean({"exists", "Whether it is there at first; if not, a create makes it."}, file.exists);
}

bool NamesFile(OpKind kind) {
  switch (kind) {
    case OpKind::kSync:
    case OpKind::kCommit:
    case OpKind::kSleep:
    case OpKind::kEmergency:
    case OpKind::kDropCaches:
      return false;
    default:
      return true;
  }
}

void VisitOp(FieldVisitor& v, Op& op) {
  int kind = static_cast<int>(op.kind);
  const Key key = {"op", "The call.", Need::kRequired};
  v.Kind(key, kOpKindNames, kind, [&] {
    op.kind = static_cast<OpKind>(kind);
    if (NamesFile(op.kind)) {
      v.Text({"file", "The file it works on.", Need::kRequired}, TextRule::kName, op.file);
    }
    if (op.kind == OpKind::kWrite || op.kind == OpKind::kRead || op.kind == OpKind::kMmapWrite) {
      v.Integer({"pos_bytes", "Where in the file it starts.", Need::kRequired}, kFileBytes,
                op.pos_bytes);
      v.Integer({"len_bytes", "How much it transfers.", Need::kRequired}, {1, kMaxCallBytes},
                op.len_bytes);
    }
    if (op.kind == OpKind::kWrite) {
      v.Boolean({"sync", "As with O_SYNC."}, op.sync);
      v.Integer({"fault_at_bytes", "User memory is readable up to here only: a short copy."},
                {0, kMaxCallBytes}, op.fault_at_bytes);
    }
    if (op.kind == OpKind::kTruncate) {
      v.Integer({"size_bytes", "The new size.", Need::kRequired}, kFileBytes, op.size_bytes);
    }
    if (op.kind == OpKind::kSleep) {
      v.Integer({"duration_ns", "How long.", Need::kRequired}, kTimeNs, op.duration_ns);
    }
    v.Result({"returns", "What it must return: a number (bytes, 0) or an errno."}, op.returns);
  });
}

void VisitThread(FieldVisitor& v, ThreadConfig& thread) {
  v.Text({"name", "What reports call it.", Need::kRequired}, TextRule::kName, thread.name);
  v.Integer({"repeat", "How often the operations are run."}, {1, 1'000'000}, thread.repeat);
  v.List<Op>({"ops", "System calls and events, one after the other.", Need::kRequired}, thread.ops,
             [&v](Op& op) { VisitOp(v, op); });
}

void VisitSearch(FieldVisitor& v, SearchConfig& search) {
  v.Name({"strategy", "Who goes next: the earliest event, or a random one."}, kStrategyNames,
         search.strategy);
  v.Integer({"executions", "How many executions to run."}, {1, 1'000'000'000}, search.executions);
  v.Integer({"seed", "Start of all random numbers."}, {}, search.seed);
  v.Name({"crash_at", "Where power may fail."}, kCrashAtNames, search.crash_at);
  v.Integer({"max_steps", "Steps after which an execution counts as stuck."},
            {1, 1'000'000'000'000}, search.max_steps);
  v.Integer({"max_time_ns", "Virtual time after which an execution counts as stuck."},
            kNonzeroTimeNs, search.max_time_ns);
}

void VisitFinding(FieldVisitor& v, ExpectedFinding& finding) {
  int kind = 0;
  for (size_t i = 0; i < kFindingKinds.size(); ++i) {
    if (kFindingKinds[i] == finding.kind) kind = static_cast<int>(i);
  }
  v.Name({"kind", "Kind of finding.", Need::kRequired}, kFindingKinds, kind);
  finding.kind = std::string(kFindingKinds[static_cast<size_t>(kind)]);
  v.Text({"message", "Text that must occur in the message of a finding of this kind."},
         TextRule::kText, finding.message);
}

void VisitExpect(FieldVisitor& v, Expectation& expect) {
  const auto element = [&v](ExpectedFinding& finding) { VisitFinding(v, finding); };
  v.List<ExpectedFinding>({"findings", "Exactly these kinds are found.", Need::kRequired},
                          expect.findings, element, "kind");
  std::optional<size_t> size;
  std::vector<ExpectedFinding> without;
  if (expect.without_policy) {
    without = *expect.without_policy;
    size = without.size();
  }
  const Key key = {"without_policy",
                   "Found by the same search when no policy is set; run if given.", Need::kDerived};
  const bool given = v.ListOf(key, "kind", size, [&](size_t index) {
    if (without.size() <= index) without.resize(index + 1);
    element(without[index]);
  });
  if (given) expect.without_policy = std::move(without);
}

}  // namespace

Names ErrnoNames() { return kErrnoNames; }

void VisitScenario(FieldVisitor& v, absl::Span<const PolicyField> policies, Scenario& scenario) {
  int64_t version = kSchemaVersion;
  v.IntegerOf({"schema", "Version of the file format.", Need::kRequired}, kSchemaVersions, version);
  v.Text({"name", "What goes on, in a few words.", Need::kRequired}, TextRule::kName,
         scenario.name);
  v.Text({"about", "What the scenario is for, in a sentence or two."}, TextRule::kText,
         scenario.about);
  v.TextList({"models", "Kernel functions it exercises: file:function."}, TextRule::kText,
             scenario.models);
  v.Object({"fs", "File system geometry and mount options."}, [&] { VisitFs(v, scenario.fs); });
  v.Object({"device", "Block device."}, [&] { VisitDevice(v, scenario.device); });
  v.List<FileConfig>({"files", "Files that are there, durable, before the threads start."},
                     scenario.files, [&](FileConfig& file) { VisitFile(v, scenario.fs, file); });
  v.List<ThreadConfig>({"threads", "User threads.", Need::kRequired}, scenario.threads,
                       [&](ThreadConfig& thread) { VisitThread(v, thread); });
  v.Flags({"policy", "Kernel decisions that are reversed."}, policies, scenario.policy);
  v.Object({"search", "Which executions to run."}, [&] { VisitSearch(v, scenario.search); });
  v.Object({"expect", "What the search must find.", Need::kRequired},
           [&] { VisitExpect(v, scenario.expect); });
}

}  // namespace scenario
