#include "model/program/machine.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"

namespace model {
namespace {

using sim::Site;

// A routine on the running task.
class Runner {
 public:
  Runner(Machine& machine, const Routine& routine)
      : machine_(machine),
        routine_(routine),
        world_(machine.world()),
        tracker_(world_.lock_tracker()),
        objects_(machine.objects()),
        registers_(routine.registers, 0),
        frame_(&routine.frame) {}

  void Run() {
    Begin();
    for (int64_t i = 0; going_on_ && (routine_.daemon || i < routine_.repeat); ++i) RunOnce();
    End();
  }

 private:
  static constexpr uint64_t kMaxJumpsInATurn = 1'000'000;

  void Begin() {
    tracker_.BeginsAnew();
    if (IsInterrupt()) {
      irq_ = routine_.irq;
      tracker_.SetIrqState(irq_, routine_.frame.site);
      tracker_.SpinlockTaken();  // nothing may sleep
    }
    for (uint32_t event : routine_.owes) Owe(event, routine_.frame.site);
  }
  void End() {
    while (!owed_.empty()) Pay(owed_.back(), routine_.frame.site);
    if (IsInterrupt()) tracker_.SpinlockReleased();
  }
  bool IsInterrupt() const { return routine_.irq.in_hardirq || routine_.irq.in_softirq; }

  void RunOnce() {
    if (routine_.daemon) tracker_.BeginsAnew();
    std::fill(registers_.begin(), registers_.end(), 0);
    registers_[0] = routine_.me;
    at_ = 0;
    while (going_on_ && at_ < routine_.code.size()) {
      const Instruction& op = routine_.code[at_++];
      Step(op);
      if (op.gets_on) world_.MadeProgress();
      if (op.op == Opcode::kJump) CheckProgress(op.site);
    }
  }

  // Loops may be long, but not for ever alone.
  void CheckProgress(Site site) {
    if (world_.turns() != turn_) jumps_ = 0;
    turn_ = world_.turns();
    if (++jumps_ <= kMaxJumpsInATurn) return;
    world_.Report({"starvation", absl::StrCat(routine_.name, ": loops without a choice point"),
                   absl::StrCat("  at ", site.file, ":", site.line, "\n")});
    going_on_ = false;
  }

  void Step(const Instruction& op) {
    switch (op.op) {
      case Opcode::kLock:
      case Opcode::kTrylock:
      case Opcode::kUnlock:
      case Opcode::kDowngrade:
      case Opcode::kAssertHeld:
        return StepLock(op);
      case Opcode::kWait:
      case Opcode::kOwe:
      case Opcode::kSignal:
      case Opcode::kClear:
      case Opcode::kSubmit:
        return StepEvent(op);
      case Opcode::kWaitUntil:
      case Opcode::kLoad:
      case Opcode::kStore:
      case Opcode::kAdd:
      case Opcode::kCas:
        return StepVariable(op);
      case Opcode::kLet:
        return Set(op.into, Value(op.value));
      case Opcode::kJumpUnless:
        if (Value(op.value) == 0) at_ = op.jump;
        return;
      case Opcode::kJump:
        at_ = op.jump;
        return;
      case Opcode::kAssert:
        if (Value(op.value) == 0) Fail(absl::StrCat("assertion failed: ", op.text), op.site);
        return;
      case Opcode::kSleep:
        tracker_.MightSleep("sleep", op.site);
        return world_.SleepFor(op.lo_ns, op.site);
      case Opcode::kQueue:
      case Opcode::kFlush:
        return StepQueue(op);
      default:
        return StepContext(op);
    }
  }

  void StepLock(const Instruction& op) {
    AnyLock* lock = Pick(objects_.locks, op);
    if (lock == nullptr) return;
    if (op.op == Opcode::kLock) {
      lock->lock(op.read, static_cast<sim::Subclass>(op.subclass), op.site);
    } else if (op.op == Opcode::kTrylock) {
      if (!lock->trylock(op.read, op.site)) at_ = op.jump;
    } else if (op.op == Opcode::kUnlock) {
      lock->unlock(op.site);
    } else if (op.op == Opcode::kDowngrade) {
      lock->downgrade(op.site);
    } else {
      tracker_.AssertHeld(lock->lock(), op.site);
    }
  }

  void StepEvent(const Instruction& op) {
    ProgramEvent* event = Pick(objects_.events, op);
    if (event == nullptr) return;
    const auto number = static_cast<uint32_t>(op.first + Value(op.index));
    if (op.op == Opcode::kWait) {
      if (!routine_.daemon || at_ != 1) return event->wait(op.site);
      going_on_ = event->wait_idle(op.site);
    } else if (op.op == Opcode::kOwe) {
      Owe(number, op.site);
    } else if (op.op == Opcode::kSignal) {
      event->signal(op.site);
      Pay(number, op.site);
    } else if (op.op == Opcode::kClear) {
      event->clear();
    } else {
      world_.Step(event->queue().object(), sim::Access::kWrite);
      event->submit(op.lo_ns + static_cast<int64_t>(machine_.random().UniformBelow(
                                   static_cast<uint64_t>(op.hi_ns - op.lo_ns) + 1)));
    }
  }

  void StepVariable(const Instruction& op) {
    Variable* variable = Pick(objects_.variables, op);
    if (variable == nullptr) return;
    if (op.op == Opcode::kWaitUntil) {
      variable->wait_until(Value(op.value), op.site);
    } else if (op.op == Opcode::kLoad) {
      Set(op.into, variable->load());
    } else if (op.op == Opcode::kStore) {
      variable->store(Value(op.value), op.site);
    } else if (op.op == Opcode::kAdd) {
      Set(op.into, variable->add(Value(op.value), op.site));
    } else {
      Set(op.into, variable->cas(Value(op.old_value), Value(op.value), op.site));
    }
  }

  void StepQueue(const Instruction& op) {
    sim::Workqueue& queue = objects_.queues[op.first];
    if (op.op == Opcode::kFlush) return queue.flush_workqueue(op.site);
    const Routine& work = machine_.program().works[op.work];
    if (world_.logging()) world_.Log({.what = "queue", .subject = work.name});
    queue.queue_work([machine = &machine_, &work] { machine->Run(work); });
  }

  void StepContext(const Instruction& op) {
    switch (op.op) {
      case Opcode::kIrqOff:
      case Opcode::kIrqOn:
        irq_.hardirqs_on = op.op == Opcode::kIrqOn;
        return tracker_.SetIrqState(irq_, op.site);
      case Opcode::kBhOff:
      case Opcode::kBhOn:
        bh_off_ += op.op == Opcode::kBhOff ? 1 : -1;
        irq_.softirqs_on = bh_off_ <= 0;
        return tracker_.SetIrqState(irq_, op.site);
      case Opcode::kNofsSave:
      case Opcode::kNofsRestore:
        scopes_.nofs += op.op == Opcode::kNofsSave ? 1 : -1;
        return;
      case Opcode::kNoioSave:
      case Opcode::kNoioRestore:
        scopes_.noio += op.op == Opcode::kNoioSave ? 1 : -1;
        return;
      case Opcode::kReclaimBegin:
        ++scopes_.in_reclaim;
        return tracker_.Acquire(objects_.fs_reclaim, sim::ReadMode::kExclusive,
                                sim::Subclass::kNormal, false, op.site);
      case Opcode::kReclaimEnd:
        --scopes_.in_reclaim;
        return tracker_.Release(objects_.fs_reclaim, op.site);
      default:
        if (op.gfp != sim::Gfp::kAtomic) tracker_.MightSleep("allocation", op.site);
        if (scopes_.MayReclaimFs(op.gfp)) tracker_.Sync(objects_.fs_reclaim, op.site);
    }
  }

  void Owe(uint32_t event, Site site) {
    tracker_.Adopt(objects_.events[event].queue(), site);
    owed_.push_back(event);
  }
  void Pay(uint32_t event, Site site) {
    const auto it = std::find(owed_.begin(), owed_.end(), event);
    if (it == owed_.end()) return;
    owed_.erase(it);
    tracker_.Release(objects_.events[event].queue(), site);
  }

  // The object that the instruction names; null, and reported: there is none.
  template <class Object>
  Object* Pick(std::deque<Object>& objects, const Instruction& op) {
    const int64_t index = Value(op.index);
    if (index >= 0 && index < op.count) return &objects[op.first + static_cast<size_t>(index)];
    Fail(absl::StrCat("index ", index, " of an array of ", op.count), op.site);
    return nullptr;
  }
  int64_t Value(const Expression& expression) const { return expression.Value(registers_); }
  void Set(int32_t into, int64_t value) {
    if (into >= 0) registers_[static_cast<size_t>(into)] = value;
  }
  void Fail(const std::string& what, Site site) {
    world_.Report({"invariant", absl::StrCat(routine_.name, ": ", what),
                   absl::StrCat("  at ", site.file, ":", site.line, "\n")});
    going_on_ = false;
  }

  Machine& machine_;
  const Routine& routine_;
  sim::World& world_;
  sim::LockTracker& tracker_;
  Objects& objects_;
  absl::InlinedVector<int64_t, 8> registers_;
  absl::InlinedVector<uint32_t, 4> owed_;
  sim::FrameGuard frame_;
  sim::IrqState irq_;
  sim::ReclaimScopes scopes_;
  int bh_off_ = 0;
  size_t at_ = 0;
  bool going_on_ = true;
  uint64_t turn_ = 0;   // in which it jumped last, ...
  uint64_t jumps_ = 0;  // ... and how often
};

}  // namespace

Machine::Machine(sim::World& world, const LockProgram& program)
    : world_(world), program_(program), objects_(world, program), random_(world.Stream("device")) {
  if (program.learns_ends) world.lock_tracker().LearnEnds();
  for (const Routine& routine : program.threads) {
    world.Spawn(routine.name, routine.daemon ? sim::TaskKind::kDaemon : sim::TaskKind::kUser,
                [this, &routine] { Run(routine); });
  }
}

void Machine::Run(const Routine& routine) { Runner(*this, routine).Run(); }

}  // namespace model
