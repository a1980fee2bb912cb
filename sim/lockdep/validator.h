// The lock validator: lockdep's rules over a stream of lock events [kernel/locking/lockdep.c].
//
// It does not care where the events come from: the engine's locks, a lock program, a trace
// recorded on a real kernel. It verifies, at each acquisition before the wait:
//   - recursion: a class taken while held, by lockdep's rules for recursive readers, subclasses
//     and nest_lock [check_deadlock()];
//   - order: each new dependency against all those seen before, cycles of any length through
//     exclusive and shared acquisitions [check_prevs_add(), check_noncircular()];
//   - interrupts: usage bits, and dependencies from irq-safe to irq-unsafe classes
//     [mark_lock(), check_irq_usage()];
//   - wait types [check_wait_context()]; and on the other calls, misuse.
// Dependencies come from each lock held back to and including the nearest that was neither tried
// nor taken as a recursive reader, within one interrupt context. (The kernel stops at recursive
// readers, too, and so misses orders across them.) A lock that is tried gets none.
//
// Unlike lockdep it never stops: each distinct fault is reported once, a cycle as the shortest
// through the dependency that closed it; locks released out of order are handled; there are no
// table limits. Waits for events are dependencies like locks: whoever must end the wait *holds*
// the event's class, a waiter calls Sync().
//
// Who ends a wait is declared (by who *holds* the event), or learnt from executions: LearnEnd() is
// told each time an event comes about, with what whoever did it had waited for since it began. What
// every end of an event came after, whoever was the one, its waiters wait for as well; one end
// without takes that away, and one by an interrupt takes everything. So it is learnt from all
// executions together, and counts only in Conclude(). Instances of a class share what all of them
// have in common: those that are ended in other ways never get a dependency that is not theirs.
// Other executions than those seen may end a wait in other ways: such a dependency is a reason to
// look for the deadlock.
//
// Within a class, locks that have an index nest in ascending order of it (what lock_set_cmp_fn() is
// for in the kernel).
//
// Not modelled: cross-release; a limit on the number of locks held; other compare functions, which
// would only remove reports that a subclass or nest_instance removes.
//
// The graph accumulates over any number of executions, each with HeldLocks of its own. Merge()
// joins the work of several validators: if they took consecutive parts of a list of executions,
// merging them in that order gives what one validator would have had after all of them.
//
// What is found is in reports(); nothing is steered. A chain of locks already seen costs one
// probe of the chain cache; everything else happens on the first sight of something.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/engine/ids.h"
#include "sim/lockdep/chain_cache.h"
#include "sim/lockdep/cycles.h"
#include "sim/lockdep/held_locks.h"
#include "sim/lockdep/lock_graph.h"
#include "sim/lockdep/lock_types.h"
#include "sim/lockdep/report.h"
#include "sim/lockdep/usage.h"
#include "sim/lockdep/usage_reach.h"

namespace sim {

struct LockOptions {
  // Tell spinlocks from raw ones, as for PREEMPT_RT [CONFIG_PROVE_RAW_LOCK_NESTING].
  bool raw_lock_nesting = false;
};

class Validator {
 public:
  explicit Validator(LockOptions options = {}) : options_(options) {}

  // The class of this name: the same for the same name. The traits of the first call count.
  LockClassId Class(std::string_view name, LockClassTraits traits = {});
  const std::string& ClassName(LockClassId id) const { return classes_[id.value].name; }

  // What is seen from now on carries this number in reports.
  void set_execution(uint64_t execution) { execution_ = execution; }

  // The context is about to wait for a lock, and will then hold it [lock_acquire()]. For a
  // trylock: it has succeeded.
  void Acquire(HeldLocks& held, const Acquisition& acquisition) {
    const uint64_t chain_key = NextKey(ChainKey(held), acquisition);
    Check(held, acquisition, ProbeKey(chain_key, held, false), false);
    held.locks_.push_back({acquisition, chain_key, held.irq_context()});
  }

  // The context is about to wait for what others hold, and will not hold it itself
  // [lock_sync()].
  void Sync(HeldLocks& held, const Acquisition& acquisition) {
    const uint64_t chain_key = NextKey(ChainKey(held), acquisition);
    Check(held, acquisition, ProbeKey(chain_key, held, true), true);
  }

  // `held` gives up its innermost hold of this instance; the caller may be another context. An
  // instance that is not held is reported, with `lock_class` as its class.
  void Release(HeldLocks& held, LockClassId lock_class, uint64_t instance, const Here& at) {
    if (!held.locks_.empty() && held.locks_.back().acquisition.instance == instance &&
        held.locks_.back().pins == 0) {
      held.locks_.pop_back();
    } else {
      ReleaseInner(held, lock_class, instance, at);
    }
  }

  // `to` holds from now on what `from` held: a lock that one context takes and another releases.
  // No dependency arises. Requires: `from` holds the instance.
  void Transfer(HeldLocks& from, HeldLocks& to, uint64_t instance);

  // The hold becomes a shared one [lock_downgrade()]. Requires: held exclusively.
  void Downgrade(HeldLocks& held, uint64_t instance);

  // The lock held is of another class from now on, as if it had been taken so
  // [lock_set_class()]. An instance that is not held is reported, with `lock_class` as its class.
  void SetClass(HeldLocks& held, LockClassId lock_class, uint32_t subclass, uint64_t instance,
                const Here& at);

  // Until as many Unpin() nobody may release the lock; whoever does is reported, and so is a pin
  // or unpin of a lock that is not held or not pinned [lock_pin_lock(), lock_unpin_lock()].
  void Pin(HeldLocks& held, LockClassId lock_class, uint64_t instance, const Here& at);
  void Unpin(HeldLocks& held, LockClassId lock_class, uint64_t instance, const Here& at);

  // Interrupts begin, end, or are switched; switching them on marks the locks held as irq-unsafe.
  void SetIrqState(HeldLocks& held, const IrqState& irq, const Here& at);

  // Misuse, reported if so: the context ends, or returns to user space, with locks held; a lock is
  // initialised or freed while `held` holds it; a lock that should be held is not.
  void CheckNoneHeld(HeldLocks& held, const Here& at, ReportKind kind = ReportKind::kHeldAtExit);
  void CheckNotHeld(HeldLocks& held, uint64_t instance, const Here& at);
  void CheckHeld(HeldLocks& held, LockClassId lock_class, uint64_t instance, const Here& at);

  // `by` has brought `event` about; it had waited for `waits` before, since it began.
  void LearnEnd(const HeldLocks& by, const Acquisition& event, std::span<const Acquisition> waits);

  // Reports what the caller has found by rules of its own; `headline` names the rule.
  void Misuse(HeldLocks& held, std::string_view headline, const Acquisition& lock);

  // What another checker knew, as its records tell it instead of events: no hold, and nothing is
  // concluded from the acquisitions but what is said. `source` stands for the task.
  void KnowUsage(const Acquisition& lock, UsageBit bit, std::string_view source);
  void KnowDependency(const Acquisition& held, const Acquisition& next, std::string_view source);
  void KnowChain(std::span<const Acquisition> locks, uint8_t irq_context);

  // A task that was declared unique is not: there is another of its name.
  void RevokeUniqueTask(const std::string& name) { not_unique_.insert(name); }

  // In order of discovery; grows only. Cycles have no verdict here: what is seen later may change
  // it. That a cycle is there is known as soon as it is closed; which one is the shortest is found
  // when somebody asks, and is what it was then. Requires: no other thread asks at once.
  const std::vector<LockReport>& reports() const {
    ReportCycles();
    return reports_;
  }

  // All elementary cycles of what has been seen so far, shortest first, each once, and each with
  // its verdict. It is *possible* unless, in whatever contexts its edges were seen, two of its
  // waits exclude each other: both under one lock (guarded), or both in the same unique task. If
  // one task could do both of these waits' parts one within the other, then all of its waits must
  // exclude each other.
  //
  // Where tasks can deadlock through orders that were seen, at least one of the cycles among the
  // locks that they hold is *possible* (tests/lockdep/verdict_test.cc).
  struct CycleReports {
    std::vector<LockReport> cycles;
    bool cut_off = false;  // by a limit: there may be more
  };
  CycleReports Cycles(const CycleLimits& limits = {}) const;

  // What is to be said when everything has been seen: the reports, and the cycles with verdicts in
  // the place of those reported as they arose. Of these, what lies beyond the limits stays.
  struct Conclusions {
    std::vector<LockReport> found;
    std::vector<LockReport> excluded;  // cycles that cannot become deadlocks
    bool more_cycles = false;          // a limit cut their list off
  };
  Conclusions Conclude(const CycleLimits& limits = {}) const;

  // Adds what `other` saw as if it had been seen after all that this validator saw; its executions
  // are then numbered from `first_execution` on. Requires: the same options.
  void Merge(const Validator& other, uint64_t first_execution = 0);

  // Sizes, as in /proc/lockdep_stats: classes in use (each subclass counts), direct
  // dependencies, and dependency chains.
  uint32_t class_count() const { return graph_.node_count(); }
  uint64_t dependency_count() const { return graph_.edges().size(); }
  uint64_t chain_count() const { return chain_ends_.size(); }
  // Grows when something is seen for the first time.
  uint64_t events_learnt() const { return events_.size(); }
  // The same, of everything that Merge() takes over, also of what is no event.
  uint64_t things_learnt() const {
    return events_.size() + chain_ends_.size() + not_unique_.size() + classes_.size();
  }
  // In which of the executions that event was: the `index`-th.
  uint64_t ExecutionOfEvent(uint64_t index) const { return events_[index].execution; }

  struct ChainLink {
    LockNodeId node;
    ReadMode read = ReadMode::kExclusive;
  };
  // The locks of a chain, outermost first; chains in order of first sight.
  std::vector<ChainLink> Chain(uint64_t index) const;
  // In which it was seen. Bit 0: hardirq, bit 1: softirq.
  uint8_t ChainContext(uint64_t index) const { return chain_contexts_[index]; }

  const LockGraph& graph() const { return graph_; }
  // Who was first seen with that dependency.
  LockEdge FirstSeen(const LockGraph::Edge& edge) const;
  LockName NodeName(LockNodeId node) const;

 private:
  struct LockClass {
    std::string name;
    LockClassTraits traits;
    // By subclass, once used; those that kernels have without a search.
    std::array<LockNodeId, 8> nodes;
    std::map<uint32_t, LockNodeId> more_nodes;
  };
  struct Node {
    LockClassId lock_class;
    uint32_t subclass = 0;
    UsageMask usage = 0;
    std::array<uint32_t, 9> first_use = {};  // by UsageBit: the Event
  };
  // An Acquisition without what lives no longer than its execution.
  struct Use {
    LockNodeId node;
    ReadMode read = ReadMode::kExclusive;
    bool trylock = false, check = true, nest = false, sync = false;
    uint8_t irq_context = 0;
    uint32_t instance_name = 0;  // in names_
    StackId stack;               // in stacks_
    Site site;
  };
  // Something seen for the first time: an acquisition, a release, a change of interrupts; and
  // what the context held just before.
  struct Event {
    Use lock;
    uint32_t task_name = 0;  // in names_
    TaskId task;
    uint64_t execution = 0, step = 0;
    IrqState irq;
    bool unique_task = false;                 // and not in an interrupt
    uint32_t first_held = 0, held_count = 0;  // in held_
  };
  // What an event taught, in order; merging means to learn it again.
  struct Fact {
    // kEnd: of an event, which the held locks are the waits before.
    enum class Kind : uint8_t { kUsage, kDependency, kContext, kFault, kEnd } kind = Kind::kUsage;
    UsageBit bit = UsageBit::kUsed;             // kUsage
    ReportKind fault = ReportKind::kLockCycle;  // kFault
    uint32_t event = 0;
    uint32_t held = UINT32_MAX;  // which lock held, if it is about one of them
    uint32_t headline = 0;       // kMisuse: in names_
    bool learnt = false;         // kDependency: from ends
  };
  // The event at hand, recorded when it first teaches something.
  class Pending;

  static constexpr uint64_t kEmptyChain = 0x452821e638d01377;

  static constexpr uint64_t kHashFactor = 0x9e3779b97f4a7c15;

  static uint64_t Mix(uint64_t key, uint64_t value) {
    key = (key ^ value) * kHashFactor;
    return key ^ (key >> 29);
  }
  static uint64_t NextKey(uint64_t key, const Acquisition& acquisition) {
    return Mix(key, (static_cast<uint64_t>(acquisition.lock_class.value) << 32) |
                        (static_cast<uint64_t>(acquisition.subclass) << 5) |
                        (static_cast<uint64_t>(acquisition.read) << 3) |
                        (acquisition.trylock ? 4 : 0) | (acquisition.check ? 2 : 0) |
                        (acquisition.nest_instance != 0 ? 1 : 0));
  }
  // Then the chain of classes alone does not decide.
  static bool DependsOnInstance(const HeldLocks& held, const Acquisition& acquisition) {
    if (acquisition.nest_instance != 0) return true;
    if (acquisition.name.index == InstanceName::kNoNumber) return false;
    for (const HeldLock& lock : held.locks_) {
      if (lock.acquisition.lock_class == acquisition.lock_class) return true;
    }
    return false;
  }
  // May `next` be taken while `held`, of its class, is? The order that the class declares.
  static bool InOrderOfIndex(const Acquisition& held, const Acquisition& next) {
    return held.lock_class == next.lock_class && next.name.index != InstanceName::kNoNumber &&
           held.name.number == next.name.number && held.name.index < next.name.index;
  }
  // Nested like this, and of the class of the innermost lock: the kernel keeps one entry with a
  // count for both, and checks no more [__lock_acquire()].
  static bool CountsAsOneHold(const HeldLocks& held, const Acquisition& next) {
    if (next.nest_instance == 0 || held.locks_.empty()) return false;
    const Acquisition& innermost = held.locks_.back().acquisition;
    return innermost.lock_class == next.lock_class && innermost.subclass == next.subclass;
  }
  static uint64_t ChainKey(const HeldLocks& held) {
    if (held.locks_.empty()) return held.chain_seed_;
    const HeldLock& last = held.locks_.back();
    return last.irq_context == held.irq_context() ? last.chain_key : held.chain_seed_;
  }
  static uint64_t ProbeKey(uint64_t chain_key, const HeldLocks& held, bool sync) {
    return Mix(chain_key, held.irq_flags_ | (sync ? 32 : 0)) * kHashFactor;
  }

  void Check(const HeldLocks& held, const Acquisition& acquisition, uint64_t probe_key, bool sync) {
    if (!checked_.Contains(probe_key)) {
      CheckNewChain(held, acquisition, probe_key, sync);
    } else if (DependsOnInstance(held, acquisition)) {
      CheckInstances(held, acquisition, sync);
    }
  }
  // First sight: what the kernel does for a chain that is not in its cache.
  void CheckNewChain(const HeldLocks& held, const Acquisition& acquisition, uint64_t probe_key,
                     bool sync);
  // What differs between acquisitions with the same chain.
  void CheckInstances(const HeldLocks& held, const Acquisition& acquisition, bool sync);
  void CheckInstances(Pending& pending);
  void CheckWaitContext(Pending& pending);
  void MarkUsage(Pending& pending);
  // Whether dependencies from the locks held are of interest.
  bool CheckRecursion(Pending& pending);
  void AddDependencies(Pending& pending);
  void AddChain(const Pending& pending);
  void AddChain(const std::vector<ChainLink>& links, uint8_t irq_context);
  void MarkHeld(const HeldLocks& held, UsageBit bit, const Here& at);
  void ReleaseInner(HeldLocks& held, LockClassId lock_class, uint64_t instance, const Here& at);
  // Chain keys, and dependencies, of the locks from `index` on, after a change below them.
  // `recursion`: they may have become locks of the same class as one below.
  void Rechain(HeldLocks& held, size_t index, bool recursion = false);

  // Each takes a fact in if it is news, and reports what it breaks.
  void Learn(const Fact& fact);
  void LearnUsage(const Fact& fact);
  void LearnDependency(const Fact& fact);
  void LearnContext(const Fact& fact);
  void LearnFault(const Fact& fact);
  void LearnEnd(const Fact& fact);
  // Dependencies from each event to what all of its ends came after.
  void ConcludeFromEnds();
  Conclusions ConcludeFromGraph(const CycleLimits& limits) const;
  void CheckInconsistentUsage(const Fact& fact, LockNodeId node);
  void CheckIrqInversion(const Fact& fact, LockNodeId node);
  void CheckIrqOrder(const Fact& fact);
  // False: it was reported before.
  bool Report(LockReport report);
  // Makes reports of closing_.
  void ReportCycles() const;
  bool Keep(LockReport report) const;

  class Judge;
  std::span<const Use> HeldAt(const Event& event) const {
    return {held_.data() + event.first_held, event.held_count};
  }

  // From tables to plain data; usage as it was after event `as_of`.
  static constexpr uint32_t kNow = UINT32_MAX;
  const Use& HeldUse(const Fact& fact) const;
  LockUse MakeUse(const Use& use, uint32_t as_of = kNow) const;
  LockActor MakeActor(const Event& event) const;
  LockEdge MakeEdge(const Fact& fact, uint32_t as_of = kNow) const;
  void AddPath(const LockGraph::Path& path, uint32_t as_of, std::vector<LockEdge>& edges) const;
  LockReport MakeReport(ReportKind kind, const Fact& fact, uint32_t as_of = kNow) const;
  UsageMask UsageAsOf(LockNodeId node, uint32_t as_of) const;
  void SetConflict(LockReport& report, LockNodeId safe, LockNodeId unsafe, UsageMask safe_bits,
                   UsageMask unsafe_bits) const;

  LockNodeId NodeOf(LockClassId lock_class, uint32_t subclass);
  const LockClassTraits& TraitsOf(LockNodeId node) const {
    return classes_[nodes_[node.value].lock_class.value].traits;
  }
  bool IsPerCpu(LockNodeId node) const { return TraitsOf(node).per_cpu; }
  // In the kernel's numbers, which depend on raw_lock_nesting.
  uint8_t WaitLevel(WaitType type) const;
  uint8_t OuterLevel(LockNodeId node) const;
  uint32_t Intern(std::string_view name);
  StackId InternStack(const StackTable* stacks, StackId stack);
  LockNodeId ImportNode(const Validator& other, LockNodeId node);
  uint32_t Import(const Validator& other, const Event& event, uint64_t first_execution);

  LockOptions options_;
  uint64_t execution_ = 0;
  std::vector<LockClass> classes_;
  std::map<std::string, LockClassId, std::less<>> class_by_name_;
  ChainCache checked_;     // chains and contexts of which everything is known
  ChainCache chain_keys_;  // of the chains below
  std::vector<ChainLink> chain_links_;
  std::vector<uint32_t> chain_ends_;     // in chain_links_
  std::vector<uint8_t> chain_contexts_;  // by chain, as chain_ends_
  LockGraph graph_;
  std::vector<Node> nodes_;  // by LockNodeId
  UsageReach usage_reach_;
  std::vector<Event> events_;
  std::vector<Use> held_;
  std::vector<Fact> facts_;
  StackTable stacks_;
  std::vector<std::string> names_;
  std::map<std::string, uint32_t, std::less<>> name_index_;
  std::set<std::vector<uint32_t>> contexts_;  // those of facts of kContext
  std::set<std::vector<uint32_t>> ends_;      // those of facts of kEnd
  std::set<std::string> not_unique_;          // names of tasks
  // Made when asked for.
  mutable std::vector<uint32_t> closing_;  // facts that closed a cycle which is not in reports_ yet
  mutable std::set<std::string> reported_;  // messages
  mutable std::vector<LockReport> reports_;
};

}  // namespace sim
