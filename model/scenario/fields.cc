#include "model/scenario/fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/lockdep/lock_types.h"

namespace scenario {
namespace {

// The reference of a file has a word for each of its granules, holes or not.
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 26;
constexpr uint64_t kMaxCallBytes = uint64_t{1} << 24;
constexpr uint64_t kMaxTimeNs = 1'000'000'000'000'000;
constexpr IntegerRange kFileBytes = {0, kMaxFileBytes};
constexpr IntegerRange kSectors = {64, uint64_t{1} << 26};
constexpr IntegerRange kSectorOfDevice = {0, kSectors.max - 1};
constexpr IntegerRange kTimeNs = {0, kMaxTimeNs};
constexpr uint64_t kMostExecutions = 1'000'000'000;
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
  v.Name({"journal_device",
          "Where the journal is; external: a device of its own, with a cache of its own."},
         kJournalDeviceNames, fs.journal_device);
  v.Name({"journal_checksum",
          "Checksums of the log's blocks; none: the journal has none of the features."},
         kJournalChecksumNames, fs.journal_checksum);
  v.Integer({"inodes", "Inodes for files, on top of the reserved ones."}, {1, 1 << 16}, fs.inodes);
  v.Boolean({"delalloc", "Delayed allocation."}, fs.delalloc);
  v.Boolean({"dioread_nolock", "Buffered writes allocate unwritten extents."}, fs.dioread_nolock);
  v.Boolean({"buffered_iomap", "Regular files take the iomap buffered path by default."},
            fs.buffered_iomap);
  v.Boolean({"inline_data", "Small files may live in their inode."}, fs.inline_data);
  v.Boolean({"data_err_abort", "A failed write of ordered data aborts the journal."},
            fs.data_err_abort);
  v.Boolean({"auto_da_alloc", "A rename over a file starts to write the new one first."},
            fs.auto_da_alloc);
  v.Boolean({"barrier", "Commits flush the device cache."}, fs.barrier);
  v.Integer({"commit_interval_ns", "Age at which a transaction is committed."}, kNonzeroTimeNs,
            fs.commit_interval_ns);
  v.Integer({"dirty_background_bytes", "Dirty page cache at which the flusher starts."}, kFileBytes,
            fs.dirty_background_bytes);
  v.Integer({"dirty_limit_bytes", "Dirty page cache at which writers wait for writeback."},
            {1, kMaxFileBytes}, fs.dirty_limit_bytes);
}

void VisitDevice(FieldVisitor& v, DeviceConfig& device) {
  v.Integer({"size_sectors",
             "Size of the device in sectors of 512 bytes; an external journal's come behind them."},
            kSectors, device.size_sectors);
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
  v.Boolean({"ignore_fua", "The device lies: a FUA write waits in the cache like any other."},
            device.ignore_fua);
  v.List<DeviceFault>(
      {"faults", "Faults to inject; each has either nth or sector."}, device.faults,
      [&v](DeviceFault& fault) {
        v.Name({"kind", "What happens to the write, or to the sector.", Need::kRequired},
               kFaultKindNames, fault.kind);
        v.Integer({"nth", "Only the N-th write of file data, counted from 1."}, {1, 1'000'000'000},
                  fault.nth);
        v.Integer(
            {"sector", "Every write that covers this sector; or the sector that cannot be read."},
            kSectorOfDevice, fault.sector);
        v.Integer({"lands_at", "The sector at which a misdirected write comes to lie."},
                  kSectorOfDevice, fault.lands_at);
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
    case OpKind::kEmergency:
    case OpKind::kDropCaches:
    case OpKind::kFreeze:
    case OpKind::kShutdown:
    case OpKind::kIoGetevents:
      return false;
    default:
      return true;
  }
}

void VisitCall(FieldVisitor& v, Op& op) {
  if (NamesFile(op.kind)) {
    v.Text({"file", "The file it works on.", Need::kRequired}, TextRule::kName, op.file);
  }
  if (op.kind == OpKind::kFallocate) {
    v.Name({"mode", "What becomes of the range."}, kFallocateModeNames, op.mode);
  }
  if (op.kind == OpKind::kWrite || op.kind == OpKind::kRead || op.kind == OpKind::kMmapWrite ||
      op.kind == OpKind::kFallocate || op.kind == OpKind::kMsync) {
    v.Integer({"pos_bytes", "Where in the file it starts.", Need::kRequired}, kFileBytes,
              op.pos_bytes);
    v.Integer({"len_bytes", "How much it covers.", Need::kRequired}, {1, kMaxCallBytes},
              op.len_bytes);
  }
  if (op.kind == OpKind::kWrite) {
    v.Boolean({"sync", "As with O_SYNC."}, op.sync);
    v.Boolean({"dsync", "As with O_DSYNC."}, op.dsync);
    v.Boolean({"direct", "As with O_DIRECT."}, op.direct);
    v.Boolean({"async", "By io_submit: the thread goes on; io_getevents, or its end, waits."},
              op.async);
    v.Integer({"fault_at_bytes", "User memory is readable up to here only: a short copy."},
              {0, kMaxCallBytes}, op.fault_at_bytes);
  }
  if (op.kind == OpKind::kRead) v.Boolean({"direct", "As with O_DIRECT."}, op.direct);
  if (op.kind == OpKind::kWriteback) {
    v.Integer({"pos_bytes", "Where in the file it starts."}, kFileBytes, op.pos_bytes);
    v.Integer({"len_bytes", "How much it covers; 0: to the end."}, kFileBytes, op.len_bytes);
  }
  if (op.kind == OpKind::kShutdown) {
    v.Name({"flush", "What it writes first: default everything, log the journal, none nothing.",
            Need::kRequired},
           kShutdownFlushNames, op.flush);
  }
  if (op.kind == OpKind::kTruncate) {
    v.Integer({"size_bytes", "The new size.", Need::kRequired}, kFileBytes, op.size_bytes);
  }
  if (op.kind == OpKind::kRename) {
    v.Text({"to", "The new name; a file that has it is replaced.", Need::kRequired},
           TextRule::kName, op.to);
  }
  v.Result({"returns", "What it must return: a number (bytes, 0) or an errno."}, op.returns);
}

void VisitMemoryOp(FieldVisitor& v, OpKind kind, ProgramOperands& on) {
  if (kind != OpKind::kLet) {
    v.Text({"variable", "The shared variable: a name, or \"name[expression]\".", Need::kRequired},
           TextRule::kText, on.variable);
  }
  if (kind == OpKind::kCas) {
    v.Formula({"old", "The new value is written if this one is there.", Need::kRequired},
              on.old_value);
  }
  if (kind != OpKind::kLoad) {
    v.Formula({"value", "What is written, added, or waited for.", Need::kRequired}, on.value);
  }
  const Need need =
      kind == OpKind::kLoad || kind == OpKind::kLet ? Need::kRequired : Need::kDerived;
  if (kind != OpKind::kStore && kind != OpKind::kWaitUntil) {
    v.Text({"into", "The register that gets the value, before it is changed.", need},
           TextRule::kName, on.into);
  }
}

void VisitProgramOp(FieldVisitor& v, OpKind kind, ProgramOperands& on) {
  switch (kind) {
    case OpKind::kLock:
    case OpKind::kTrylock:
    case OpKind::kUnlock:
    case OpKind::kDowngrade:
    case OpKind::kAssertHeld:
      v.Text({"lock", "The lock: a name, or \"name[expression]\" of an array.", Need::kRequired},
             TextRule::kText, on.lock);
      if (kind == OpKind::kLock || kind == OpKind::kTrylock) {
        v.Boolean({"read", "Shared, of a lock with readers."}, on.read);
      }
      if (kind == OpKind::kLock) {
        v.Integer({"subclass", "Nesting annotation."}, {0, sim::kMaxSubclasses - 1}, on.subclass);
      }
      return;
    case OpKind::kWait:
    case OpKind::kOwe:
    case OpKind::kSignal:
    case OpKind::kClear:
    case OpKind::kSubmit:
      v.Text({"event", "The event: a name, or \"name[expression]\" of an array.", Need::kRequired},
             TextRule::kText, on.event);
      if (kind == OpKind::kSubmit) {
        v.Pair({"latency_ns", "The event comes by itself after so long."}, kTimeNs,
               on.latency_ns.lo_ns, on.latency_ns.hi_ns);
      }
      return;
    case OpKind::kWaitUntil:
    case OpKind::kLoad:
    case OpKind::kStore:
    case OpKind::kAdd:
    case OpKind::kCas:
    case OpKind::kLet:
      return VisitMemoryOp(v, kind, on);
    case OpKind::kAssert:
    case OpKind::kIf:
    case OpKind::kWhile:
      v.Formula({"condition", "An expression; 0 is false.", Need::kRequired}, on.condition);
      if (kind == OpKind::kAssert) {
        v.Text({"message", "What the finding says instead of the condition.", Need::kDerived},
               TextRule::kText, on.message);
      }
      if (kind != OpKind::kWhile) return;
      [[fallthrough]];
    case OpKind::kRepeat:
      v.Integer({"times", "How often, at most.", Need::kRequired}, {1, 1'000'000}, on.times);
      return;
    case OpKind::kAlloc:
      v.Name({"gfp", "What reclaim the allocation may enter."}, kGfpNames, on.gfp);
      return;
    case OpKind::kQueue:
    case OpKind::kFlush:
      v.Text({"queue", "The workqueue.", Need::kRequired}, TextRule::kName, on.queue);
      if (kind == OpKind::kQueue) {
        v.Text({"work", "The work item.", Need::kRequired}, TextRule::kName, on.work);
      }
      return;
    default:
      return;
  }
}

// Calls into a file system, or operations of lock programs; some visitors want both.
void VisitOp(FieldVisitor& v, bool in_program, Op& op) {
  const bool all = v.VisitsAll();
  constexpr size_t kSleep = static_cast<size_t>(OpKind::kSleep);
  const Names names(kOpKindNames);
  const size_t first = in_program && !all ? kSleep : 0;
  const size_t end = in_program || all ? names.size() : kSleep + 1;
  int kind = static_cast<int>(op.kind) - static_cast<int>(first);
  kind = std::clamp(kind, 0, static_cast<int>(end - first) - 1);
  v.Kind({"op", "What is done.", Need::kRequired}, names.subspan(first, end - first), kind, [&] {
    op.kind = static_cast<OpKind>(kind + static_cast<int>(first));
    if (op.kind == OpKind::kSleep) {
      v.Integer({"duration_ns", "How long.", Need::kRequired}, kTimeNs, op.duration_ns);
    } else if (op.kind < OpKind::kSleep) {
      VisitCall(v, op);
    } else {
      VisitProgramOp(v, op.kind, op.on);
    }
  });
}

void VisitThread(FieldVisitor& v, bool in_program, ThreadConfig& thread) {
  v.Text({"name", "What reports call it.", Need::kRequired}, TextRule::kName, thread.name);
  v.Integer({"repeat", "How often the operations are run."}, {1, 1'000'000}, thread.repeat);
  if (in_program || v.VisitsAll()) {
    v.Name({"context", "Lock programs: an interrupt's rules for the lock checker."},
           kThreadContextNames, thread.context);
    v.Boolean({"daemon", "Lock programs: starts over and over, and ends with the others."},
              thread.daemon);
  }
  v.List<Op>({"ops", "What it does, one after the other.", Need::kRequired}, thread.ops,
             [&](Op& op) { VisitOp(v, in_program, op); });
}

constexpr IntegerRange kElements = {0, 1024};

void VisitProgram(FieldVisitor& v, ProgramConfig& program) {
  const auto name = [&v](std::string& value) {
    v.Text({"name", "What operations and reports call it.", Need::kRequired}, TextRule::kName,
           value);
  };
  const auto lock_class = [&v](std::string& value) {
    v.Text({"class", "Its lock class; without, the name.", Need::kDerived}, TextRule::kText, value);
  };
  v.List<LockConfig>({"locks", "Locks."}, program.locks, [&](LockConfig& lock) {
    name(lock.name);
    lock_class(lock.lock_class);
    v.Name({"kind", "Which rules it follows."}, kLockKindNames, lock.kind);
    v.Integer({"count", "Elements, for an array; 0: none."}, kElements, lock.count);
    v.Boolean({"ordered", "Elements may nest in ascending order."}, lock.ordered);
    v.Boolean(
        {"unique",
         "Never is there another lock of its class: waits that are only ever under it exclude "
         "each other."},
        lock.unique);
  });
  v.List<EventConfig>(
      {"events", "What threads wait for and signal."}, program.events, [&](EventConfig& event) {
        name(event.name);
        lock_class(event.lock_class);
        v.Integer({"initial", "Signals that have come before the start."}, {0, 1'000'000},
                  event.initial);
        v.Boolean({"counting", "A signal lets one wait pass; else all until it is cleared."},
                  event.counting);
      });
  v.List<VariableConfig>(
      {"variables", "Integers that threads share."}, program.variables,
      [&](VariableConfig& variable) {
        name(variable.name);
        v.Name({"sharing",
                "How it may be accessed: conflicting accesses must be ordered (plain), only the "
                "writes among each other (lockless_reads), none (atomic); or none, and they order "
                "what is around them (ordered)."},
               kVariableSharingNames, variable.sharing);
        v.Integer({"count", "Elements, for an array; 0: none."}, kElements, variable.count);
        v.Integer({"initial", "Its first value."}, {0, 1'000'000'000}, variable.initial);
      });
  v.List<QueueConfig>({"queues", "Workqueues."}, program.queues, [&](QueueConfig& queue) {
    name(queue.name);
    v.Integer({"max_active", "How many items run at a time."}, {1, 64}, queue.max_active);
  });
  v.List<WorkConfig>({"works", "Work items."}, program.works, [&](WorkConfig& work) {
    name(work.name);
    v.List<Op>({"ops", "What it does, one after the other.", Need::kRequired}, work.ops,
               [&](Op& op) { VisitOp(v, true, op); });
  });
}

void VisitSearch(FieldVisitor& v, SearchConfig& search) {
  v.Name(
      {"strategy",
       "Who goes next: the earliest (timed), anyone (random), by random priorities of tasks (pct) "
       "or of turns (pos), all in turn (round_robin); or every order there is (depth_first), "
       "every one that matters (dpor)."},
      kStrategyNames, search.strategy);
  v.Integer({"executions",
             "How many executions to run; by default 1, with depth_first and dpor as many as there "
             "are.",
             Need::kDerived},
            {1, kMostExecutions}, search.executions);
  v.Integer({"pct_depth", "For pct: how many ordering constraints a bug may take."}, {1, 16},
            search.pct_depth);
  v.Integer({"max_preemptions",
             "For depth_first and dpor: preemptions in one execution; by default any number.",
             Need::kDerived},
            {0, 1'000'000}, search.max_preemptions);
  v.Integer({"seed", "Start of all random numbers."}, {}, search.seed);
  v.Name({"crash_at", "Where power may fail."}, kCrashAtNames, search.crash_at);
  v.Integer({"max_steps",
             "Steps after which an execution goes on under a fair scheduler, for as many again."},
            {1, 1'000'000'000'000}, search.max_steps);
  v.Integer({"max_time_ns", "The same in virtual time."}, kNonzeroTimeNs, search.max_time_ns);
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
  v.Integer({"all_executions", "The search ends because every execution has been run: this many.",
             Need::kDerived},
            {1, kMostExecutions}, expect.all_executions);
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

void VisitFileSystem(FieldVisitor& v, Scenario& scenario) {
  v.Object({"fs", "File system geometry and mount options."}, [&] { VisitFs(v, scenario.fs); });
  v.Object({"device", "Block device."}, [&] { VisitDevice(v, scenario.device); });
  v.List<FileConfig>({"files", "Files that are there, durable, before the threads start."},
                     scenario.files, [&](FileConfig& file) { VisitFile(v, scenario.fs, file); });
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
  v.ObjectIf(scenario.program.has_value(),
             {"program", "A lock program's locks and what else its threads share."}, [&] {
               if (!scenario.program) scenario.program.emplace();
               VisitProgram(v, *scenario.program);
             });
  const bool in_program = scenario.program.has_value();
  if (!in_program || v.VisitsAll()) VisitFileSystem(v, scenario);
  v.List<ThreadConfig>({"threads", "User threads.", Need::kRequired}, scenario.threads,
                       [&](ThreadConfig& thread) { VisitThread(v, in_program, thread); });
  if (!in_program || v.VisitsAll()) {
    v.Flags({"policy", "Kernel decisions that are reversed."}, policies, scenario.policy);
  }
  v.Object({"search", "Which executions to run."}, [&] { VisitSearch(v, scenario.search); });
  v.Object({"expect", "What the search must find.", Need::kRequired},
           [&] { VisitExpect(v, scenario.expect); });
}

}  // namespace scenario
