// A scenario: one experiment as plain data, as a JSON file under scenarios/ has it.
//
// Either on a file system, or a lock program: threads of plain operations on declared locks,
// without one. Identity, world, threads, policy, search, expectation, in that order. The member
// initialisers are the defaults of the file format; fields.cc gives every member its key, range and
// meaning. A Scenario that comes out of parse.h is complete and consistent: every file that an
// operation names is in `files`, and what check.h lists holds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scenario {

// Enumerators and names go in step: kDataModeNames[int(mode)] is the spelling in a file.
enum class DataMode { kOrdered, kWriteback };
inline constexpr std::array<std::string_view, 2> kDataModeNames = {"ordered", "writeback"};

enum class JournalDevice { kInternal, kExternal };
inline constexpr std::array<std::string_view, 2> kJournalDeviceNames = {"internal", "external"};

enum class JournalChecksum { kNone, kV3 };
inline constexpr std::array<std::string_view, 2> kJournalChecksumNames = {"none", "v3"};

// Mount and mkfs options. One geometry for the whole file system.
struct FsConfig {
  int64_t block_bytes = 4096;  // 1024, 2048 or 4096
  int64_t folio_bytes = 4096;  // power of two, 4096 to 65536
  DataMode data = DataMode::kOrdered;
  int64_t journal_blocks = 64;
  JournalDevice journal_device = JournalDevice::kInternal;
  JournalChecksum journal_checksum = JournalChecksum::kV3;
  int64_t inodes = 16;  // for files; the reserved ones come on top
  bool delalloc = true;
  bool dioread_nolock = true;
  bool buffered_iomap = false;  // which path files take that do not say it themselves
  bool inline_data = false;
  bool data_err_abort = false;
  bool auto_da_alloc = true;
  bool barrier = true;
  int64_t commit_interval_ns = 5'000'000'000;
  int64_t dirty_background_bytes = 16 << 20;  // the flusher starts
  int64_t dirty_limit_bytes = 64 << 20;       // balance_dirty_pages() makes writers wait
};

enum class FaultKind { kWriteError, kShortWrite, kLostWrite, kMisdirectedWrite, kFailingSector };
inline constexpr std::array<std::string_view, 5> kFaultKindNames = {
    "write_error", "short_write", "lost_write", "misdirected_write", "failing_sector"};

// One injected device fault. Exactly one of `nth` and `sector` is there; of a misdirected write it
// is `nth`, of a failing sector `sector`.
struct DeviceFault {
  FaultKind kind = FaultKind::kWriteError;
  std::optional<int64_t> nth;       // the N-th data write, counted from 1
  std::optional<int64_t> sector;    // every write that covers this sector
  std::optional<int64_t> lands_at;  // of a misdirected write, and only of one: at which sector
};

// Latencies are drawn evenly from lo to hi, both included.
struct LatencyRange {
  int64_t lo_ns = 0;
  int64_t hi_ns = 0;
};

inline constexpr int64_t kSectorBytes = 512;

// The file system's device; an external journal's is like it.
struct DeviceConfig {
  int64_t size_sectors = 8192;  // of kSectorBytes; an external journal's come behind them
  bool volatile_cache = true;
  LatencyRange write_latency_ns = {20'000, 90'000};
  LatencyRange read_latency_ns = {20'000, 90'000};
  LatencyRange flush_latency_ns = {100'000, 400'000};
  bool ignore_flush = false;  // a device that lies: flushes complete and do nothing
  bool ignore_fua = false;    // the same of FUA writes alone
  std::vector<DeviceFault> faults;
};

enum class BufferedPath { kBufferHead, kIomap };
inline constexpr std::array<std::string_view, 2> kBufferedPathNames = {"buffer_head", "iomap"};

enum class FileContent { kHole, kUnwritten, kWritten };
inline constexpr std::array<std::string_view, 3> kFileContentNames = {"hole", "unwritten",
                                                                      "written"};

// A file as it is, durable, before the threads start.
struct FileConfig {
  std::string name;
  BufferedPath buffered = BufferedPath::kBufferHead;
  int64_t size_bytes = 0;
  FileContent content = FileContent::kHole;  // kWritten when the file gives a size and no content
  bool inline_data = false;
  bool exists = true;  // false: not there at first, a `create` makes it
};

enum class OpKind {
  kWrite,
  kRead,
  kTruncate,
  kFallocate,
  kFsync,
  kFdatasync,
  kSync,
  kWriteback,
  kCreate,
  kUnlink,
  kRename,
  kOpen,
  kClose,
  kCommit,
  kEmergency,
  kDropCaches,
  kFreeze,
  kShutdown,
  kMmapWrite,
  kMsync,
  kIoGetevents,
  kSleep,  // the last one on a file system, the first one of lock programs
  kLock,
  kTrylock,
  kUnlock,
  kDowngrade,
  kAssertHeld,
  kWait,
  kOwe,
  kSignal,
  kClear,
  kSubmit,
  kWaitUntil,
  kLoad,
  kStore,
  kAdd,
  kCas,
  kLet,
  kAssert,
  kIrqOff,
  kIrqOn,
  kBhOff,
  kBhOn,
  kNofsSave,
  kNofsRestore,
  kNoioSave,
  kNoioRestore,
  kAlloc,
  kReclaimBegin,
  kReclaimEnd,
  kQueue,
  kFlush,
  kIf,  // from here on: blocks
  kElse,
  kWhile,
  kRepeat,
  kEnd,
};
inline constexpr std::array<std::string_view, 57> kOpKindNames = {
    "write",         "read",        "truncate",     "fallocate",   "fsync",        "fdatasync",
    "sync",          "writeback",   "create",       "unlink",      "rename",       "open",
    "close",         "commit",      "emergency",    "drop_caches", "freeze",       "shutdown",
    "mmap_write",    "msync",       "io_getevents", "sleep",       "lock",         "trylock",
    "unlock",        "downgrade",   "assert_held",  "wait",        "owe",          "signal",
    "clear",         "submit",      "wait_until",   "load",        "store",        "add",
    "cas",           "let",         "assert",       "irq_off",     "irq_on",       "bh_off",
    "bh_on",         "nofs_save",   "nofs_restore", "noio_save",   "noio_restore", "alloc",
    "reclaim_begin", "reclaim_end", "queue",        "flush",       "if",           "else",
    "while",         "repeat",      "end"};

// In the order of model::FallocMode.
enum class FallocateMode {
  kAllocate,
  kAllocateKeepSize,
  kPunchHole,
  kZeroRange,
  kZeroRangeKeepSize,
};
inline constexpr std::array<std::string_view, 5> kFallocateModeNames = {
    "allocate", "allocate_keep_size", "punch_hole", "zero_range", "zero_range_keep_size"};

// What a shutdown writes first, in the order of model::GoingFlags.
enum class ShutdownFlush { kDefault, kLog, kNone };
inline constexpr std::array<std::string_view, 3> kShutdownFlushNames = {"default", "log", "none"};

// What a call returns: an errno such as "ENOSPC", or, when that is empty, a number.
struct OpResult {
  std::string errno_name;
  int64_t value = 0;  // bytes for read and write, 0 for the other calls
  bool operator==(const OpResult&) const = default;
};

enum class GfpFlags { kKernel, kNofs, kNoio, kAtomic };
inline constexpr std::array<std::string_view, 4> kGfpNames = {"kernel", "nofs", "noio", "atomic"};

// What an operation of a lock program works on; see fields.cc. An object is a name or, of an array,
// "name[expression]"; for expressions see model/program/expression.h.
struct ProgramOperands {
  std::string lock, event, variable, queue, work;
  std::string into;              // a register
  std::string value, old_value;  // expressions
  std::string condition;
  std::string message;
  bool read = false;
  int64_t subclass = 0;
  int64_t times = 1;
  LatencyRange latency_ns;
  GfpFlags gfp = GfpFlags::kKernel;
};

// One call of a thread. Members that the kind does not use keep their initialisers.
struct Op {
  OpKind kind = OpKind::kSync;
  std::string file;       // a name in Scenario::files; empty for calls without one
  std::string to;         // rename: the new name
  int64_t pos_bytes = 0;  // write, mmap_write, read, fallocate, msync, writeback
  int64_t len_bytes = 0;  // write, mmap_write, read, fallocate, msync
  FallocateMode mode = FallocateMode::kAllocate;
  bool sync = false;                              // write: as with O_SYNC
  bool dsync = false;                             // write: as with O_DSYNC
  bool direct = false;                            // write, read: as with O_DIRECT
  bool async = false;                             // write: by io_submit(2)
  std::optional<int64_t> fault_at_bytes;          // write: user memory is readable up to here only
  int64_t size_bytes = 0;                         // truncate
  int64_t duration_ns = 0;                        // sleep
  ShutdownFlush flush = ShutdownFlush::kDefault;  // shutdown
  std::optional<OpResult> returns;                // any other outcome is a finding
  ProgramOperands on;                             // lock programs
};

enum class ThreadContext { kTask, kHardirq, kSoftirq };
inline constexpr std::array<std::string_view, 3> kThreadContextNames = {"task", "hardirq",
                                                                        "softirq"};

struct ThreadConfig {
  std::string name;
  int64_t repeat = 1;  // how often the list of operations is run
  ThreadContext context = ThreadContext::kTask;
  bool daemon = false;  // runs as long as others do, starting over and over
  std::vector<Op> ops;
};

enum class LockKind { kMutex, kRwsem, kPercpuRwsem, kSpinlock, kRawSpinlock, kFolio };
inline constexpr std::array<std::string_view, 6> kLockKindNames = {
    "mutex", "rwsem", "percpu_rwsem", "spinlock", "raw_spinlock", "folio"};

struct LockConfig {
  std::string name;
  std::string lock_class;  // empty: the name
  LockKind kind = LockKind::kMutex;
  int64_t count = 0;     // of an array; 0: no array
  bool ordered = false;  // elements may nest in ascending order
  bool unique = false;   // the only lock of its class that there can be
};

struct EventConfig {
  std::string name;
  std::string lock_class;  // empty: the name
  int64_t initial = 0;
  bool counting = false;
};

// In the order of sim::Sharing.
enum class VariableSharing { kPlain, kLocklessReads, kAtomic, kOrdered };
inline constexpr std::array<std::string_view, 4> kVariableSharingNames = {"plain", "lockless_reads",
                                                                          "atomic", "ordered"};

struct VariableConfig {
  std::string name;
  VariableSharing sharing = VariableSharing::kOrdered;
  int64_t count = 0;
  int64_t initial = 0;
};

struct QueueConfig {
  std::string name;
  int64_t max_active = 1;
};

struct WorkConfig {
  std::string name;
  std::vector<Op> ops;
};

// The world of a lock program.
struct ProgramConfig {
  std::vector<LockConfig> locks;
  std::vector<EventConfig> events;
  std::vector<VariableConfig> variables;
  std::vector<QueueConfig> queues;
  std::vector<WorkConfig> works;
};

// Each is a file of sim/explore. The last two are systematic: they come to an end.
enum class StrategyKind { kTimed, kRandom, kPct, kPos, kRoundRobin, kDepthFirst, kDpor };
inline constexpr std::array<std::string_view, 7> kStrategyNames = {
    "timed", "random", "pct", "pos", "round_robin", "depth_first", "dpor"};

// Where the device may lose power: at each change of what it may hold, around each flush, nowhere.
enum class CrashAt { kEachChange, kEachFlush, kNone };
inline constexpr std::array<std::string_view, 3> kCrashAtNames = {"each_change", "each_flush",
                                                                  "none"};

struct SearchConfig {
  StrategyKind strategy = StrategyKind::kTimed;
  std::optional<int64_t> executions;       // not given: one, or, in a systematic search, all
  int64_t pct_depth = 3;                   // ordering constraints that a bug takes
  std::optional<int64_t> max_preemptions;  // systematic: of one execution; none: any number
  uint64_t seed = 1;
  CrashAt crash_at = CrashAt::kEachChange;
  int64_t max_steps = 1'000'000;          // of one execution; then it goes on fairly
  int64_t max_time_ns = 600'000'000'000;  // virtual, of one execution; the same
};

// Every kind of finding there is.
inline constexpr std::array<std::string_view, 17> kFindingKinds = {
    "lock_cycle", "recursive_lock", "irq_inversion", "lock_misuse", "data_race", "deadlock",
    "starvation", "livelock",       "unfinished",    "stale_data",  "lost_data", "torn_operation",
    "metadata",   "unreadable",     "reservation",   "invariant",   "wrong_read"};

struct ExpectedFinding {
  std::string kind;     // one of kFindingKinds
  std::string message;  // must occur in the message of a finding of that kind; empty: any will do
};

struct Expectation {
  std::vector<ExpectedFinding> findings;
  std::optional<int64_t> all_executions;  // the search is complete after exactly so many
  // What the same search finds with every policy at its default; not run when absent.
  std::optional<std::vector<ExpectedFinding>> without_policy;
};

struct Scenario {
  std::string name;
  std::string about;
  std::vector<std::string> models;       // kernel functions, "fs/ext4/inode.c:ext4_truncate"
  std::optional<ProgramConfig> program;  // a lock program: no file system, device or files
  FsConfig fs;
  DeviceConfig device;
  std::vector<FileConfig> files;
  std::vector<ThreadConfig> threads;
  std::vector<std::pair<std::string, bool>> policy;  // as in the file; the others are at default
  SearchConfig search;
  Expectation expect;
};

inline constexpr int64_t kSchemaVersion = 1;

}  // namespace scenario
