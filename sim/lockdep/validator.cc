#include "sim/lockdep/validator.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"

namespace sim {

class Validator::Pending {
 public:
  Pending(Validator& validator, const HeldLocks& held, const Acquisition& acquisition,
          bool sync = false)
      : validator_(validator),
        held_(held),
        acquisition_(acquisition),
        sync_(sync),
        facts_before_(validator.facts_.size()),
        node_(validator.NodeOf(acquisition.lock_class, acquisition.subclass)) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  // An event that taught nothing is forgotten.
  ~Pending() {
    if (event_ == kNone || validator_.facts_.size() > facts_before_) return;
    validator_.held_.resize(validator_.events_.back().first_held);
    validator_.events_.pop_back();
  }

  const HeldLocks& held() const { return held_; }
  const Acquisition& acquisition() const { return acquisition_; }
  bool sync() const { return sync_; }
  LockNodeId node() const { return node_; }

  void Learn(Fact::Kind kind, Fact fact, uint32_t held = kNone) {
    fact.kind = kind;
    fact.held = held;
    fact.event = Record();
    validator_.Learn(fact);
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t Record() {
    if (event_ != kNone) return event_;
    Event event;
    event.lock = MakeUse(acquisition_, held_.irq_context());
    event.lock.sync = sync_;
    event.task_name = validator_.Intern(held_.task_name());
    event.task = held_.task();
    event.execution = validator_.execution_;
    event.step = acquisition_.at.step;
    event.irq = held_.irq();
    event.unique_task = held_.unique_task_ && held_.irq_context() == 0;
    event.first_held = static_cast<uint32_t>(validator_.held_.size());
    event.held_count = static_cast<uint32_t>(held_.locks().size());
    for (const HeldLock& lock : held_.locks()) {
      validator_.held_.push_back(MakeUse(lock.acquisition, lock.irq_context));
    }
    event_ = static_cast<uint32_t>(validator_.events_.size());
    validator_.events_.push_back(event);
    return event_;
  }

  Use MakeUse(const Acquisition& acquisition, uint8_t irq_context) {
    Use use;
    use.node = validator_.NodeOf(acquisition.lock_class, acquisition.subclass);
    use.read = acquisition.read;
    use.trylock = acquisition.trylock;
    use.check = acquisition.check;
    use.irq_context = irq_context;
    use.instance_name = validator_.Intern(acquisition.name.Text());
    use.stack = validator_.InternStack(held_.stacks(), acquisition.at.stack);
    use.site = acquisition.at.site;
    return use;
  }

  Validator& validator_;
  const HeldLocks& held_;
  const Acquisition& acquisition_;
  bool sync_ = false;
  size_t facts_before_ = 0;
  LockNodeId node_;
  uint32_t event_ = kNone;
};

LockClassId Validator::Class(std::string_view name, LockClassTraits traits) {
  if (auto it = class_by_name_.find(name); it != class_by_name_.end()) return it->second;
  const LockClassId id{static_cast<uint32_t>(classes_.size())};
  classes_.push_back({std::string(name), traits});
  class_by_name_.emplace(name, id);
  return id;
}

LockNodeId Validator::NodeOf(LockClassId lock_class, uint32_t subclass) {
  SIM_CHECK(lock_class.value < classes_.size());
  SIM_CHECK(subclass < kMaxSubclasses);
  LockClass& of = classes_[lock_class.value];
  LockNodeId& node = subclass < of.nodes.size() ? of.nodes[subclass] : of.more_nodes[subclass];
  if (!node.valid()) {
    node = graph_.AddNode();
    nodes_.push_back({lock_class, subclass});
    usage_reach_.AddNode();
  }
  return node;
}

void Validator::CheckNewChain(const HeldLocks& held, const Acquisition& acquisition,
                              uint64_t probe_key, bool sync) {
  if (CountsAsOneHold(held, acquisition)) return;
  Pending pending(*this, held, acquisition, sync);
  CheckWaitContext(pending);
  MarkUsage(pending);
  if (!acquisition.trylock && acquisition.check) AddChain(pending);
  CheckInstances(pending);
  if (!acquisition.trylock && acquisition.check && !held.empty()) {
    pending.Learn(Fact::Kind::kContext, {});
  }
  checked_.Insert(probe_key);
}

void Validator::CheckInstances(const HeldLocks& held, const Acquisition& acquisition, bool sync) {
  if (CountsAsOneHold(held, acquisition)) return;
  Pending pending(*this, held, acquisition, sync);
  CheckInstances(pending);
}

void Validator::CheckInstances(Pending& pending) {
  const Acquisition& next = pending.acquisition();
  if (next.nest_instance != 0 && pending.held().Find(next.nest_instance) == nullptr) {
    pending.Learn(Fact::Kind::kFault, {.fault = ReportKind::kNestNotHeld});
  }
  if (next.trylock || !next.check) return;
  if (CheckRecursion(pending)) AddDependencies(pending);
}

// check_wait_context()
void Validator::CheckWaitContext(Pending& pending) {
  const uint8_t outer = OuterLevel(pending.node());
  if (outer == 0 || pending.acquisition().trylock) return;
  const HeldLocks& held = pending.held();
  uint8_t allowed = UINT8_MAX;
  if (held.irq().in_hardirq) {
    allowed = WaitLevel(held.irq().threaded ? WaitType::kConfig : WaitType::kSpin);
  } else if (held.irq().in_softirq) {
    allowed = WaitLevel(WaitType::kConfig);
  }
  uint32_t strictest = UINT32_MAX;
  for (size_t i = held.locks().size(); i-- > 0;) {
    const HeldLock& lock = held.locks()[i];
    if (lock.irq_context != held.irq_context()) break;
    const uint8_t inner = WaitLevel(classes_[lock.acquisition.lock_class.value].traits.inner);
    if (inner == 0 || inner >= allowed) continue;
    allowed = inner;
    strictest = static_cast<uint32_t>(i);
  }
  if (outer > allowed) {
    pending.Learn(Fact::Kind::kFault, {.fault = ReportKind::kWaitContext}, strictest);
  }
}

// mark_usage()
void Validator::MarkUsage(Pending& pending) {
  auto mark = [&](UsageBit bit) {
    if ((nodes_[pending.node().value].usage & Mask(bit)) == 0) {
      pending.Learn(Fact::Kind::kUsage, {.bit = bit});
    }
  };
  const Acquisition& acquisition = pending.acquisition();
  const IrqState& irq = pending.held().irq();
  const bool read = acquisition.read != ReadMode::kExclusive;
  if (acquisition.check) {
    if (!acquisition.trylock) {
      if (irq.in_hardirq) mark(WithRead(UsageBit::kInHardirq, read));
      if (irq.in_softirq) mark(WithRead(UsageBit::kInSoftirq, read));
    }
    if (irq.hardirqs_on && !pending.sync()) {
      mark(WithRead(UsageBit::kHardirqOn, read));
      if (irq.softirqs_on) mark(WithRead(UsageBit::kSoftirqOn, read));
    }
  }
  mark(UsageBit::kUsed);
}

// check_deadlock()
bool Validator::CheckRecursion(Pending& pending) {
  const Acquisition& next = pending.acquisition();
  const auto& locks = pending.held().locks();
  bool nested = false;
  for (uint32_t i = 0; i < locks.size(); ++i) {
    const Acquisition& held = locks[i].acquisition;
    if (next.nest_instance != 0 && held.instance == next.nest_instance) nested = true;
    if (held.lock_class != next.lock_class || held.subclass != next.subclass) continue;
    if (InOrderOfIndex(held, next)) continue;
    if (next.read == ReadMode::kSharedRecursive && held.read != ReadMode::kExclusive) return false;
    if (nested) return false;
    pending.Learn(Fact::Kind::kFault, {.fault = ReportKind::kRecursiveLock}, i);
    return true;
  }
  return true;
}

// check_prevs_add()
void Validator::AddDependencies(Pending& pending) {
  const auto& locks = pending.held().locks();
  for (size_t i = locks.size(); i-- > 0;) {
    if (locks[i].irq_context != pending.held().irq_context()) break;
    const Acquisition& held = locks[i].acquisition;
    if (!held.check) continue;
    const LockNodeId from = NodeOf(held.lock_class, held.subclass);
    const EdgeKind kind = KindOf(held.read, pending.acquisition().read);
    if (from != pending.node() && !graph_.Has(from, pending.node(), kind)) {
      pending.Learn(Fact::Kind::kDependency, {}, static_cast<uint32_t>(i));
    }
    // From here on back, that lock's own dependencies lead here.
    if (!held.trylock && held.read != ReadMode::kSharedRecursive) break;
  }
}

void Validator::AddChain(const Pending& pending) {
  std::vector<ChainLink> links;
  for (const HeldLock& lock : pending.held().locks()) {
    if (lock.irq_context != pending.held().irq_context()) {
      links.clear();
      continue;
    }
    links.push_back(
        {NodeOf(lock.acquisition.lock_class, lock.acquisition.subclass), lock.acquisition.read});
  }
  links.push_back({pending.node(), pending.acquisition().read});
  AddChain(links, pending.held().irq_context());
}

void Validator::AddChain(const std::vector<ChainLink>& links, uint8_t irq_context) {
  uint64_t key = Mix(kEmptyChain, irq_context);
  for (const ChainLink& link : links) {
    key =
        Mix(key, (static_cast<uint64_t>(link.node.value) << 2) | static_cast<uint64_t>(link.read));
  }
  if (!chain_keys_.Insert(key * kHashFactor)) return;
  chain_links_.insert(chain_links_.end(), links.begin(), links.end());
  chain_ends_.push_back(static_cast<uint32_t>(chain_links_.size()));
  chain_contexts_.push_back(irq_context);
}

std::vector<Validator::ChainLink> Validator::Chain(uint64_t index) const {
  const auto begin = chain_links_.begin() + (index == 0 ? 0 : chain_ends_[index - 1]);
  return {begin, chain_links_.begin() + chain_ends_[index]};
}

void Validator::KnowUsage(const Acquisition& lock, UsageBit bit, std::string_view source) {
  const LockNodeId node = NodeOf(lock.lock_class, lock.subclass);
  if ((nodes_[node.value].usage & Mask(bit)) != 0) return;
  const HeldLocks none(TaskId{}, std::string(source));
  Pending(*this, none, lock).Learn(Fact::Kind::kUsage, {.bit = bit});
}

void Validator::KnowDependency(const Acquisition& held, const Acquisition& next,
                               std::string_view source) {
  const LockNodeId from = NodeOf(held.lock_class, held.subclass);
  const LockNodeId to = NodeOf(next.lock_class, next.subclass);
  SIM_CHECK(from != to);
  HeldLocks holder(TaskId{}, std::string(source));
  holder.locks_.push_back({held});
  Pending pending(*this, holder, next);
  pending.Learn(Fact::Kind::kContext, {});  // in which nothing guards
  if (graph_.Has(from, to, KindOf(held.read, next.read))) return;
  pending.Learn(Fact::Kind::kDependency, {}, 0);
}

void Validator::LearnEnd(const HeldLocks& by, const Acquisition& event,
                         std::span<const Acquisition> waits) {
  HeldLocks waiter(by.task(), by.task_name(), by.stacks());
  for (const Acquisition& wait : waits) waiter.locks_.push_back({wait});
  Pending(*this, waiter, event).Learn(Fact::Kind::kEnd, {});
}

void Validator::KnowChain(std::span<const Acquisition> locks, uint8_t irq_context) {
  std::vector<ChainLink> links;
  for (const Acquisition& lock : locks) {
    links.push_back({NodeOf(lock.lock_class, lock.subclass), lock.read});
  }
  AddChain(links, irq_context);
}

// __lock_release() of a lock that is not the innermost
void Validator::ReleaseInner(HeldLocks& held, LockClassId lock_class, uint64_t instance,
                             const Here& at) {
  const HeldLock* lock = held.Find(instance);
  if (lock == nullptr) {
    const Acquisition released{.lock_class = lock_class, .instance = instance, .at = at};
    Pending(*this, held, released).Learn(Fact::Kind::kFault, {.fault = ReportKind::kUnlockBalance});
    return;
  }
  if (lock->pins > 0) {
    Acquisition pinned = lock->acquisition;
    pinned.at = at;
    Misuse(held, "WARNING: releasing a pinned lock", pinned);
  }
  const size_t index = static_cast<size_t>(lock - held.locks_.data());
  held.locks_.erase(held.locks_.begin() + static_cast<ptrdiff_t>(index));
  Rechain(held, index);
}

// reacquire_held_locks(): each lock above follows now directly on what is below.
void Validator::Rechain(HeldLocks& held, size_t index, bool recursion) {
  const IrqState irq = held.irq_;
  std::vector<HeldLock> above(held.locks_.begin() + static_cast<ptrdiff_t>(index),
                              held.locks_.end());
  held.locks_.resize(index);
  for (const HeldLock& lock : above) {
    held.set_irq({.in_hardirq = (lock.irq_context & 1) != 0,
                  .in_softirq = (lock.irq_context & 2) != 0,
                  .hardirqs_on = irq.hardirqs_on && lock.irq_context == 0,
                  .softirqs_on = irq.softirqs_on && lock.irq_context == 0,
                  .threaded = irq.threaded});
    const uint64_t chain_key = NextKey(ChainKey(held), lock.acquisition);
    const uint64_t probe_key = ProbeKey(chain_key, held, false);
    if (recursion || lock.acquisition.nest_instance != 0 || !checked_.Contains(probe_key)) {
      Check(held, lock.acquisition, probe_key, false);
    }
    held.locks_.push_back({lock.acquisition, chain_key, held.irq_context(), lock.pins});
  }
  held.set_irq(irq);
}

void Validator::Transfer(HeldLocks& from, HeldLocks& to, uint64_t instance) {
  const HeldLock* lock = from.Find(instance);
  SIM_CHECK(lock != nullptr);
  const size_t index = static_cast<size_t>(lock - from.locks_.data());
  Acquisition acquisition = lock->acquisition;
  from.locks_.erase(from.locks_.begin() + static_cast<ptrdiff_t>(index));
  Rechain(from, index);
  acquisition.trylock = true;  // `to` never waited for it
  const uint64_t chain_key = NextKey(ChainKey(to), acquisition);
  to.locks_.push_back({acquisition, chain_key, to.irq_context()});
}

void Validator::Downgrade(HeldLocks& held, uint64_t instance) {
  const HeldLock* lock = held.Find(instance);
  SIM_CHECK(lock != nullptr);
  SIM_CHECK(lock->acquisition.read == ReadMode::kExclusive);
  const size_t index = static_cast<size_t>(lock - held.locks_.data());
  held.locks_[index].acquisition.read = ReadMode::kShared;
  Rechain(held, index);
}

void Validator::SetClass(HeldLocks& held, LockClassId lock_class, uint32_t subclass,
                         uint64_t instance, const Here& at) {
  HeldLock* lock = held.FindMutable(instance);
  if (lock == nullptr) return ReleaseInner(held, lock_class, instance, at);
  lock->acquisition.lock_class = lock_class;
  lock->acquisition.subclass = subclass;
  Rechain(held, static_cast<size_t>(lock - held.locks_.data()), /*recursion=*/true);
}

void Validator::Pin(HeldLocks& held, LockClassId lock_class, uint64_t instance, const Here& at) {
  if (HeldLock* lock = held.FindMutable(instance)) {
    ++lock->pins;
  } else {
    Misuse(held, "WARNING: pinning an unheld lock",
           {.lock_class = lock_class, .instance = instance, .at = at});
  }
}

void Validator::Unpin(HeldLocks& held, LockClassId lock_class, uint64_t instance, const Here& at) {
  HeldLock* lock = held.FindMutable(instance);
  if (lock != nullptr && lock->pins > 0) {
    --lock->pins;
  } else {
    Misuse(held,
           lock == nullptr ? "WARNING: unpinning an unheld lock"
                           : "WARNING: unpinning an unpinned lock",
           {.lock_class = lock_class, .instance = instance, .at = at});
  }
}

void Validator::SetIrqState(HeldLocks& held, const IrqState& irq, const Here& at) {
  const bool hardirqs_came_on = irq.hardirqs_on && !held.irq_.hardirqs_on;
  const bool softirqs_came_on = irq.softirqs_on && !held.irq_.softirqs_on;
  held.set_irq(irq);
  if (irq.in_hardirq) return;
  if (hardirqs_came_on) MarkHeld(held, UsageBit::kHardirqOn, at);
  if (irq.hardirqs_on && irq.softirqs_on && (hardirqs_came_on || softirqs_came_on)) {
    MarkHeld(held, UsageBit::kSoftirqOn, at);
  }
}

// mark_held_locks()
void Validator::MarkHeld(const HeldLocks& held, UsageBit bit, const Here& at) {
  for (uint32_t i = 0; i < held.locks().size(); ++i) {
    Acquisition lock = held.locks()[i].acquisition;
    const LockNodeId node = NodeOf(lock.lock_class, lock.subclass);
    const UsageBit used = WithRead(bit, lock.read != ReadMode::kExclusive);
    if (!lock.check || (nodes_[node.value].usage & Mask(used)) != 0) continue;
    lock.at = at;
    Pending(*this, held, lock).Learn(Fact::Kind::kUsage, {.bit = used});
  }
}

void Validator::CheckNoneHeld(HeldLocks& held, const Here& at, ReportKind kind) {
  if (held.empty()) return;
  Acquisition lock = held.locks().front().acquisition;
  lock.at = at;
  Pending(*this, held, lock).Learn(Fact::Kind::kFault, {.fault = kind});
}

void Validator::Misuse(HeldLocks& held, std::string_view headline, const Acquisition& lock) {
  const uint32_t name = Intern(headline);
  Pending(*this, held, lock)
      .Learn(Fact::Kind::kFault, {.fault = ReportKind::kMisuse, .headline = name});
}

void Validator::CheckNotHeld(HeldLocks& held, uint64_t instance, const Here& at) {
  const HeldLock* found = held.Find(instance);
  if (found == nullptr) return;
  Acquisition lock = found->acquisition;
  lock.at = at;
  Pending(*this, held, lock).Learn(Fact::Kind::kFault, {.fault = ReportKind::kHeldFreed});
}

void Validator::CheckHeld(HeldLocks& held, LockClassId lock_class, uint64_t instance,
                          const Here& at) {
  if (held.Find(instance) != nullptr) return;
  const Acquisition lock{.lock_class = lock_class, .instance = instance, .at = at};
  Pending(*this, held, lock).Learn(Fact::Kind::kFault, {.fault = ReportKind::kNotHeld});
}

uint8_t Validator::WaitLevel(WaitType type) const {
  const auto level = static_cast<uint8_t>(type);
  return !options_.raw_lock_nesting && type >= WaitType::kConfig ? level - 1 : level;
}

uint8_t Validator::OuterLevel(LockNodeId node) const {
  const LockClassTraits& traits = TraitsOf(node);
  if (traits.inner == WaitType::kInvalid) return 0;
  return WaitLevel(traits.outer == WaitType::kInvalid ? traits.inner : traits.outer);
}

uint32_t Validator::Intern(std::string_view name) {
  if (auto it = name_index_.find(name); it != name_index_.end()) return it->second;
  const auto index = static_cast<uint32_t>(names_.size());
  names_.emplace_back(name);
  name_index_.emplace(name, index);
  return index;
}

StackId Validator::InternStack(const StackTable* stacks, StackId stack) {
  StackId interned = StackTable::kEmpty;
  if (stacks == nullptr) return interned;
  const auto frames = stacks->Frames(stack);
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
    interned = stacks_.Push(interned, *frame);
  }
  return interned;
}

}  // namespace sim
