// One instance of everything simulated: tasks, virtual time, pending events, choices, findings.
//
// Nothing mutable lives outside a world, so any number of them run side by side, one thread each at
// a time. A task runs alone from one choice point to the next: Step() is where others may come in
// between. Waiting is Park(); whoever ends the wait calls Wake().
//
// Daemons that are there when Run() is called are up before anything else happens: each gets to
// where it first waits, as whoever starts a kernel thread waits for it. These are no turns. If one
// does not come to a wait (1,000 choice points, of all together), the rest of them are turns.
//
// Events (I/O completions, timers) run like interrupts: at once, on whatever stack is there, in no
// task, and they never wait.
//
// Time: every turn of a task takes a few hundred virtual nanoseconds, drawn from the seed; events
// happen at their time or later. When a strategy follows time, the earliest goes next, as if each
// task had a processor of its own; otherwise anything that can happen may, and time only grows.
//
// Not modelled: a limited number of processors, priorities, and preemption between choice points.
// What other tasks may see changes at choice points only, so no order of visible operations is
// lost.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "sim/engine/access_listener.h"
#include "sim/engine/digest.h"
#include "sim/engine/event_log.h"
#include "sim/engine/event_queue.h"
#include "sim/engine/finding.h"
#include "sim/engine/random.h"
#include "sim/engine/strategy.h"
#include "sim/engine/task.h"

namespace sim {

class LockTracker;  // sim/locking

// Told when a task's body has returned, while it is still the running task.
class TaskListener {
 public:
  virtual ~TaskListener() = default;
  virtual void OnTaskEnd(Task& task) = 0;
};

struct WorldOptions {
  uint64_t seed = 0;
  // A runaway execution ends here, with ExecutionEnd::kTurnLimit or kTimeLimit ...
  uint64_t max_turns = 1'000'000;
  Nanos max_time = 3'600'000'000'000;
  // ... or, if there is one, this strategy goes on with it, for as many turns and as long again.
  Strategy* beyond_limit = nullptr;
  // Of no use to a search, which can run an execution again for its schedule.
  bool keeps_schedule = true;
};

enum class ExecutionEnd : uint8_t {
  kFinished,   // every user task has returned and nothing is pending
  kDeadlock,   // nobody can go on and somebody waits
  kTurnLimit,  // somebody starves, nobody gets anywhere, or the limit is too low
  kTimeLimit,
  kAbandoned,  // by the strategy
};

class World {
 public:
  // All must outlive the world. `stack_table` may be shared by many worlds in turn.
  World(const WorldOptions& options, Strategy& strategy, StackPool& pool, StackTable& stack_table);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The task becomes ready at once. From anywhere.
  Task& Spawn(std::string name, TaskKind kind, absl::AnyInvocable<void()> body);
  // Runs to the end; once per world. Tasks that did not get to their end are unwound by the
  // destructor, during which tearing_down() holds and nothing may wait or be unlocked.
  ExecutionEnd Run();
  bool tearing_down() const { return tearing_down_; }

  // From 1 on.
  ObjectId NewObject() { return NewObjects(1); }
  // The first of `count` in a row.
  ObjectId NewObjects(uint32_t count) {
    return ObjectId{std::exchange(next_object_, next_object_ + count)};
  }
  // Fields are numbered apart, so that to declare one more changes nothing for the rest.
  static constexpr uint32_t kFirstField = uint32_t{1} << 31;
  ObjectId NewField() { return ObjectId{next_field_++}; }
  Nanos now() const { return now_; }
  // now(), to decide by: then what a turn does depends on more than what it touches.
  Nanos ReadClock() {
    clock_read_ = true;
    return now_;
  }
  bool clock_read() const { return clock_read_; }
  uint64_t turns() const { return turns_; }
  uint64_t max_turns() const { return max_turns_; }
  // A limit was reached, and WorldOptions::beyond_limit goes on.
  bool beyond_limit() const { return beyond_limit_; }
  // A random stream of its own for `name`: one more draw in one leaves the others alone.
  RandomStream Stream(std::string_view name) const { return RandomStream(seed_, name); }

  // --- On tasks ---------------------------------------------------------------------------------
  Task& current() const { return *current_; }
  // True inside an event, where current() is nobody.
  bool in_irq() const { return current_ == nullptr; }

  // A choice point: what follows starts with `access` to `object`.
  void Step(ObjectId object, Access access) { StepTo({object, access}, nullptr); }
  // The same where what follows may be to park at `gate`.
  void Step(const Waitable& gate, Access access) { StepTo({gate.object(), access}, &gate); }
  // One more access within the running turn.
  void Touch(ObjectId object, Access access) {
    if (records_accesses_) accesses_.push_back({object, access});
  }

  // What the running context does to synchronise; see AccessListener.
  void Released(ObjectId sync, bool exclusive = true) {
    if (access_listener_ != nullptr) access_listener_->OnRelease(sync, exclusive);
  }
  void Acquired(ObjectId sync, bool exclusive = true) {
    if (access_listener_ != nullptr) access_listener_->OnAcquire(sync, exclusive);
  }
  // It reads or writes a field; also an access within the running turn.
  void Accessed(const Field& field, Access access) {
    Touch(field.object, access);
    if (access_listener_ != nullptr) access_listener_->OnAccess(field, access);
  }

  // Parks the running task until Wake(). Not a choice point.
  void Park(const Waitable& on, Site site = Site::Here());
  // The same with a deadline; false if that ended the wait.
  [[nodiscard]] bool ParkUntil(const Waitable& on, Nanos deadline, Site site = Site::Here());
  // Parks a daemon that has nothing to do; false once the execution is over: return then. A
  // deadline does not keep the execution going: nothing happens at it once all else has ended.
  static constexpr Nanos kNever = INT64_MAX;
  [[nodiscard]] bool ParkIdle(const Waitable& on, Nanos deadline = kNever,
                              Site site = Site::Here());
  void SleepFor(Nanos duration, Site site = Site::Here());

  // The running task has done a part of what it is there for, such as a system call.
  void MadeProgress() { current_->progress_at_ = turns_; }

  // --- From tasks and events --------------------------------------------------------------------
  // `task` must be parked; it goes on after the running turn, when it is chosen, with `next` to
  // what it waited for.
  void Wake(Task& task, Access next = Access::kRead);
  // `handler(self, arg)` runs at `at` or later; `object` is what it touches first.
  EventId At(Nanos at, ObjectId object, Event::Run handler, void* self, uint64_t arg);
  void Cancel(EventId event) { events_.Cancel(event); }
  // While the count is not zero no event runs: interrupts are off somewhere.
  void BlockIrqs() { ++irqs_blocked_; }
  void UnblockIrqs();

  void Report(Finding finding);
  // Mixes something that happened into the execution's digest.
  void Record(uint64_t word) { digest_.Add(word); }

  // Where everything that happens is written, for people; null, the default: nowhere.
  void set_event_log(EventLog* log) { event_log_ = log; }
  bool logging() const { return event_log_ != nullptr; }
  // By the running task or event: `event` says what. Requires: logging().
  void Log(LoggedEvent event);

  // --- Looking at it ----------------------------------------------------------------------------
  // By id.
  absl::Span<Task* const> tasks() const { return tasks_; }
  const std::vector<Finding>& findings() const { return findings_; }
  // Empty without WorldOptions::keeps_schedule.
  const std::vector<ScheduleRun>& schedule() const { return schedule_; }
  const Digest128& digest() const { return digest_; }
  StackTable& stack_table() const { return stack_table_; }
  // The stack of the running code.
  StackId stack() const { return Task::Current().stack(); }
  size_t pending_events() const { return events_.size(); }
  // Tasks and events that there have been.
  uint64_t actors() const { return tasks_.size() + events_.next_id().value; }

  LockTracker& lock_tracker() const { return *lock_tracker_; }
  void set_lock_tracker(LockTracker& tracker) { lock_tracker_ = &tracker; }
  void set_task_listener(TaskListener& listener) { task_listener_ = &listener; }
  // Null, the default: nobody listens. Returns who did.
  AccessListener* set_access_listener(AccessListener* listener) {
    return std::exchange(access_listener_, listener);
  }

 private:
  friend class Task;
  static constexpr Nanos kTurnNanos = 100;
  // A task that waits while only idle daemons' timers tick is stuck after so many of those.
  static constexpr int kMaxIdleTicks = 64;
  static constexpr int kMaxSettlingSteps = 1000;
  // Up to so many, a world allocates nothing for them but stacks.
  static constexpr size_t kFewTasks = 8;

  void StepTo(Footprint next, const Waitable* gate) {
    Task& task = *current_;
    task.next_ = next;
    task.gate_ = gate;
    const Nanos ready_at = now_ + kTurnNanos + static_cast<Nanos>(costs_.Next() >> 56);
    if (follows_time_ && ready_at <= horizon_ && turns_ < max_turns_) {
      now_ = ready_at;
      BeginTurn(task);
      return;
    }
    Yield(task, ready_at);
  }

  void BeginTurn(Task& task) {
    ++turns_;
    digest_.Add(uint64_t{task.id_.value} << 40 | uint64_t{task.next_.object.value} << 8 |
                static_cast<uint64_t>(task.next_.access));
    if (keeps_schedule_) AddToSchedule({Actor::Kind::kTask, task.id_.value});
    if (records_accesses_) StartAccesses({Actor::Kind::kTask, task.id_.value}, task.next_);
  }

  Task* NewTask(TaskId id, std::string name, TaskKind kind, absl::AnyInvocable<void()> body);
  void DeleteTask(Task* task);
  void RescheduleLogged(const Task& task, const Waitable& on);
  void LogWake(const Task& task);
  void EndWait(Task& task, Access next);
  void Yield(Task& task, Nanos ready_at);
  void Block(Task& task, const Waitable& on, Site site);
  void Reschedule();
  // The next to go on after this turn; runs events on the way. Null when the execution is over.
  Task* PickNext();
  Task* PickUnsettled();
  // Ends the running turn. If the execution is over, sets end_.
  bool IsOver() {
    if (records_accesses_) EndTurn();
    if ((turns_ >= max_turns_ || now_ > max_time_) && EndsAtLimit()) [[unlikely]]
      return true;
    return ready_.empty() && NothingGoesOn();
  }
  // False: the next strategy goes on.
  bool EndsAtLimit();
  bool NothingGoesOn();
  void Follow(Strategy& strategy);
  // None: the strategy abandons the execution.
  // Good until something happens; null: the execution is given up.
  const Candidate* Choose();
  const Candidate* ChooseByTime();
  bool MarkBlocked();
  bool StopDaemons();
  void RunEvent(EventId id);
  void AddToSchedule(Actor actor);
  void StartAccesses(Actor actor, Footprint first);
  void EndTurn();
  void TimeOut(Task& task);
  void MakeReady(Task& task);
  void Unready(const Task& task);
  Candidate CandidateOf(const Task& task, Nanos ready_at) const {
    return {.actor = {Actor::Kind::kTask, task.id_.value},
            .next = task.next_,
            .ready_at = ready_at,
            .asks = task.gate_ != nullptr,
            .since = turns_};
  }
  // Where `task` is in ready_; it must be.
  Candidate* FindReady(const Task& task);
  bool OnlyIdleLeft() const;

  Strategy* strategy_;
  Strategy* next_strategy_ = nullptr;  // WorldOptions::beyond_limit, until then
  StackPool& pool_;
  StackTable& stack_table_;
  LockTracker* lock_tracker_ = nullptr;
  TaskListener* task_listener_ = nullptr;
  AccessListener* access_listener_ = nullptr;
  EventLog* event_log_ = nullptr;
  uint64_t seed_ = 0;
  uint64_t max_turns_ = 0;
  Nanos max_time_ = 0;
  bool follows_time_ = false;
  bool records_accesses_ = false;
  bool keeps_schedule_ = false;
  bool beyond_limit_ = false;

  Task* current_ = nullptr;
  Nanos now_ = 0;
  // The running task may go on until then without anybody else being earlier.
  Nanos horizon_ = 0;
  uint64_t turns_ = 0;
  RandomStream costs_;
  Digest128 digest_;

  Fiber main_;
  absl::InlinedVector<Task*, kFewTasks> tasks_;  // by id
  Task* boot_ = nullptr;                         // the stack that the first events run on
  // Who is ready, and the running task as it was when it was picked; by id.
  std::vector<Candidate> ready_;
  EventQueue events_;
  int user_tasks_left_ = 0;
  int idle_timers_ = 0;  // events that only an idle daemon waits for
  int idle_ticks_ = 0;
  int irqs_blocked_ = 0;
  int settling_steps_left_ = kMaxSettlingSteps;  // 0: the daemons are up
  bool stopping_ = false;
  bool clock_read_ = false;
  bool tearing_down_ = false;
  ExecutionEnd end_ = ExecutionEnd::kFinished;

  std::vector<ScheduleRun> schedule_;
  Actor turn_actor_;
  std::vector<Footprint> accesses_;  // of the running turn
  absl::InlinedVector<Candidate, kFewTasks> candidates_;
  Candidate earliest_event_ = {.actor = {Actor::Kind::kEvent, 0}};
  std::vector<Event> pending_;
  std::vector<Finding> findings_;
  uint32_t next_object_ = 1;  // 0 is no object
  uint32_t next_field_ = kFirstField;
};

// Names the modelled kernel function in the stacks of reports. First line of its body.
class FrameGuard {
 public:
  explicit FrameGuard(const FrameSite* frame) : task_(Task::Current()), saved_(task_.stack()) {
    task_.set_stack(task_.world().stack_table().Push(saved_, frame));
  }
  ~FrameGuard() { task_.set_stack(saved_); }
  FrameGuard(const FrameGuard&) = delete;
  FrameGuard& operator=(const FrameGuard&) = delete;

 private:
  Task& task_;
  StackId saved_;
};

}  // namespace sim

#define SIM_FRAME(function)                                                        \
  static constexpr ::sim::FrameSite sim_frame_site{function, ::sim::Site::Here()}; \
  const ::sim::FrameGuard sim_frame_guard(&sim_frame_site)
