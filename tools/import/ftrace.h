// Lock traces recorded on a real kernel: ftrace text with lock_acquire and lock_release events,
// from tracefs or trace-cmd report, fed to the validator.
//
//   comm-pid [cpu] flags time: lock_acquire: <address> [try] [read] <name> [sub= read= nest=]
//   comm-pid [cpu] flags time: lock_release: <address> <name>
//   <seq> TAB comm-pid TAB cpu TAB context TAB lock_acquire TAB <name> @<n> [try] [read=] ...
//
// Stock kernels print address, flags and name; the fields after the name are taken when they are
// there. One held-lock stack per thread (per CPU for the idle threads, which share pid 0; threads
// of one pid are told by their names), with the interrupts on top of it; the flags tell which
// context a line is in. Without flags usage bits stay unset.
//
// A trace is a window, and says less than the kernel knows. Where that leaves a doubt, the
// importer drops an order rather than invent one:
//   - A release without an acquisition (the window began in between) is counted.
//   - A lock released by another thread than took it (&rq->__lock across a context switch) ends
//     the first one's hold, if that is exclusive.
//   - A hold must end with its interrupt; and when another thread acquires the same lock
//     exclusively; and, if it was taken with interrupts off, when its thread changes CPU. If it did
//     not, its release was lost (a trace of some threads lacks that of &rq->__lock, which the
//     next thread makes).
//   - A thread that takes a lock it holds already has deadlocked, unless the lock is seen
//     acquired or released by it later: then a release was lost.
//   - After lost events, or a line cut within a lock event, all holds are forgotten. A last line
//     without an end is not used: a name cut short would be another lock.
//   - Locks of one name need not be of one class: names carry no class version, and stock kernels
//     print no subclass. A second instance of a name taken while a first is held is taken for a
//     class of its own, <name>#2 where subclasses are printed and <name>/1 where not. Other
//     classes that share a name are taken for one; a cycle through them names a false order.
//   - rcu_read_lock and &dev->mutex are held without being checked, as in the kernel.
//   - A stock "read" is recursive for RCU, seqcounts, and in interrupts, else not.
// Not read: wait types, since the events do not carry them; sched events.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/lockdep/validator.h"
#include "tools/import/unused_lines.h"

namespace tools {

// Held, but not checked: no order begins or ends at locks of that name. rcu_lock_acquire() says
// so, and lockdep_set_novalidate_class().
bool IsUnchecked(std::string_view name);

class FtraceImporter {
 public:
  // Both must outlive this.
  FtraceImporter(sim::Validator& validator, UnusedLines& unused)
      : validator_(validator), unused_(unused) {}

  // One file, of any bytes. Holds do not carry over from one file to the next, orders do.
  // `name`, for reports, outlives the validator.
  void AddFile(const char* name, std::string_view text);

  uint64_t line_count() const { return line_count_; }
  uint64_t lock_event_count() const { return lock_event_count_; }    // used or not
  uint64_t other_event_count() const { return other_event_count_; }  // not about locks

 private:
  enum class Verb : uint8_t { kAcquire, kAcquired, kContended, kRelease, kOther };

  // One line, taken apart.
  struct Line {
    std::string_view comm;
    uint64_t pid = 0, cpu = 0;
    bool has_flags = false;
    sim::IrqState irq;
    Verb verb = Verb::kOther;
    uint64_t address = 0;
    std::string_view name;
    bool trylock = false, read = false;
    int read_level = -1, subclass = -1;  // -1: not printed
    uint64_t nest = 0;
  };
  // Pid, CPU if the pid is 0, and name: what two threads of one pid differ in.
  using ThreadKey = std::tuple<uint64_t, uint64_t, std::string>;
  struct Context {
    sim::HeldLocks held;
    uint64_t cpu = 0;
    std::set<uint64_t> taken_irqs_off;  // instances
    // Acquisitions of locks that it seemed to hold: deadlocks, if they never return.
    std::vector<sim::Acquisition> repeated;
  };

  enum class Parsed : uint8_t { kLine, kNothing, kLost, kUnusable };
  static Parsed Parse(std::string_view text, Line& line);
  static Parsed ParseText(std::string_view text, Line& line);
  static Parsed ParseTable(std::string_view text, Line& line);
  static bool ParseLock(std::string_view text, Line& line);

  void AddLine(std::string_view text);
  void Apply(const Line& line, std::string_view text);
  void Acquire(Context& context, const Line& line);
  void Acquired(Context& context, const Line& line);
  void Release(Context& context, const Line& line, std::string_view text);
  // Drops holds of interrupts that are over, and of CPUs that the thread has left.
  void DropStaleHolds(Context& context, const Line& line);
  void ForgetHolds();
  void EndFile();
  void CountUnused(const char* why, std::string_view text) {
    unused_.Add(why, file_, line_in_file_, text);
  }
  sim::Acquisition MakeAcquisition(const Context& context, const Line& line);
  sim::Here At() const;

  sim::Validator& validator_;
  UnusedLines& unused_;
  const char* file_ = "";
  std::map<ThreadKey, Context> contexts_;
  uint64_t line_in_file_ = 0;
  uint64_t line_count_ = 0, lock_event_count_ = 0, other_event_count_ = 0, release_count_ = 0;
};

}  // namespace tools
