#include "sim/engine/world.h"

#include <algorithm>
#include <new>

#include "sim/check.h"

namespace sim {

Task::Task(World& world, TaskId id, std::string name, TaskKind kind, std::byte* room,
           absl::AnyInvocable<void()> body)
    : world_(world),
      fiber_(room, &Task::Enter),
      id_(id),
      kind_(kind),
      name_(std::move(name)),
      body_(std::move(body)) {}

void Task::Enter(void* task) {
  Task& self = *static_cast<Task*>(task);
  World& world = self.world_;
  self.started_ = true;
  bool unwound = false;
  try {
    self.body_();
    if (world.task_listener_ != nullptr && &self != world.boot_) {
      world.task_listener_->OnTaskEnd(self);
    }
  } catch (const FiberUnwind&) {
    unwound = true;
  }
  if (unwound) self.fiber_.SwitchAwayForever(world.main_);  // outside, or the exception leaks
  self.state_ = State::kDone;
  if (&self != world.boot_) world.Unready(self);
  if (self.kind_ == TaskKind::kUser) --world.user_tasks_left_;
  Task* next = world.PickNext();
  self.fiber_.SwitchAwayForever(next != nullptr ? next->fiber_ : world.main_);
}

namespace {

// What is run next, by time, is mostly a task that sleeps. With many asleep it is in no cache: the
// task, and below it the end of its stack. This hides much of the way from memory behind the event
// at hand (tests/bench: Sleepers).
// Inlined by force: GCC takes a function that only prefetches for one without effect.
[[gnu::always_inline]] inline void Prefetch(const void* self) {
  constexpr ptrdiff_t kLine = 64, kStackLines = 8, kTaskLines = 4;
  const auto* const at = static_cast<const std::byte*>(self);
  if (at == nullptr) return;
#pragma GCC unroll 16
  for (ptrdiff_t line = -kStackLines; line < kTaskLines; ++line) {
    __builtin_prefetch(at + line * kLine);
  }
}

}  // namespace

World::World(const WorldOptions& options, Strategy& strategy, StackPool& pool,
             StackTable& stack_table)
    : strategy_(&strategy),
      next_strategy_(options.beyond_limit),
      pool_(pool),
      stack_table_(stack_table),
      seed_(options.seed),
      max_turns_(options.max_turns),
      max_time_(options.max_time),
      keeps_schedule_(options.keeps_schedule),
      costs_(options.seed, "schedule") {
  ready_.reserve(kFewTasks);
  Follow(strategy);
}

World::~World() {
  tearing_down_ = true;
  for (Task* const task : tasks_) {
    if (task->started_ && task->state_ != Task::State::kDone) {
      current_ = task;
      task->fiber_.UnwindFrom(main_);
    }
  }
  for (Task* const task : tasks_) DeleteTask(task);
  if (boot_ != nullptr) DeleteTask(boot_);
}

Task* World::NewTask(TaskId id, std::string name, TaskKind kind, absl::AnyInvocable<void()> body) {
  static_assert(sizeof(Task) <= kOwnerBytes);
  std::byte* const room = pool_.Acquire();
  return new (room) Task(*this, id, std::move(name), kind, room, std::move(body));
}

void World::DeleteTask(Task* task) {
  task->~Task();
  pool_.Release(reinterpret_cast<std::byte*>(task));
}

Task& World::Spawn(std::string name, TaskKind kind, absl::AnyInvocable<void()> body) {
  const TaskId id{static_cast<uint32_t>(tasks_.size())};
  tasks_.push_back(NewTask(id, std::move(name), kind, std::move(body)));
  if (kind == TaskKind::kUser) ++user_tasks_left_;
  if (access_listener_ != nullptr) access_listener_->OnSpawn(*tasks_.back());
  MakeReady(*tasks_.back());
  return *tasks_.back();
}

ExecutionEnd World::Run() {
  SIM_CHECK(boot_ == nullptr);
  boot_ = NewTask(TaskId{}, "boot", TaskKind::kDaemon, [] {});
  main_.SwitchTo(boot_->fiber_);
  current_ = nullptr;
  if (records_accesses_) EndTurn();
  strategy_->OnEnd();
  return end_;
}

void World::Park(const Waitable& on, Site site) { Block(*current_, on, site); }

bool World::ParkUntil(const Waitable& on, Nanos deadline, Site site) {
  Task& task = *current_;
  task.timeout_ = At(
      deadline, on.object(),
      [](void* self, uint64_t) {
        auto& sleeper = *static_cast<Task*>(self);
        sleeper.world_.TimeOut(sleeper);
      },
      &task, 0);
  Block(task, on, site);
  return !task.timed_out_;
}

bool World::ParkIdle(const Waitable& on, Nanos deadline, Site site) {
  if (stopping_) return false;
  Task& task = *current_;
  task.idle_ = true;
  if (deadline == kNever) {
    Block(task, on, site);
  } else {
    ++idle_timers_;
    (void)ParkUntil(on, deadline, site);
  }
  return !stopping_;
}

void World::SleepFor(Nanos duration, Site site) {
  struct Sleep final : Waitable {
    using Waitable::Waitable;
    std::string Describe() const override { return "a timer"; }
  };
  const Sleep timer(NewObject());
  (void)ParkUntil(timer, now_ + duration, site);
}

void World::Block(Task& task, const Waitable& on, Site site) {
  SIM_CHECK(!tearing_down_);
  task.state_ = Task::State::kParked;
  task.waiting_on_ = &on;
  task.waiting_at_ = site;
  Unready(task);
  if (logging()) {
    RescheduleLogged(task, on);
  } else {
    Reschedule();
  }
  task.waiting_on_ = nullptr;
  task.idle_ = false;
}

// `on` may be gone afterwards.
void World::RescheduleLogged(const Task& task, const Waitable& on) {
  std::string owners;
  for (const TaskId owner : on.Owners()) {
    owners += (owners.empty() ? "" : ", ") + tasks_[owner.value]->name_;
  }
  LoggedEvent event = {
      .what = "park", .subject = on.Describe(), .id = on.object().value, .note = std::move(owners)};
  Log(event);
  Reschedule();
  event.what = "resume";
  event.note = task.timed_out_ ? "timed out" : "";
  Log(std::move(event));
}

void World::Wake(Task& task, Access next) {
  if (logging()) LogWake(task);
  EndWait(task, next);
}

void World::LogWake(const Task& task) {
  Log({.what = "wake", .subject = task.name_, .id = task.id_.value});
}

void World::EndWait(Task& task, Access next) {
  SIM_CHECK(task.state_ == Task::State::kParked);
  if (access_listener_ != nullptr) access_listener_->OnWake(task);
  task.timed_out_ = false;
  if (task.timeout_.valid()) {
    events_.Cancel(task.timeout_);
    task.timeout_ = EventId{};
    if (task.idle_) --idle_timers_;
  }
  task.next_ = {task.waiting_on_->object(), next};
  task.gate_ = nullptr;
  MakeReady(task);
}

[[gnu::flatten]] void World::TimeOut(Task& task) {
  task.timeout_ = EventId{};  // it is what runs now: nothing to cancel
  if (task.idle_) --idle_timers_;
  Wake(task);
  task.timed_out_ = true;
}

EventId World::At(Nanos at, ObjectId object, Event::Run handler, void* self, uint64_t arg) {
  if (irqs_blocked_ == 0) horizon_ = std::min(horizon_, at);
  const EventId event = events_.Push(at, handler, self, arg, object);
  if (access_listener_ != nullptr) access_listener_->OnSchedule(event);
  return event;
}

void World::UnblockIrqs() {
  SIM_CHECK(irqs_blocked_ > 0);
  if (--irqs_blocked_ == 0) horizon_ = std::min(horizon_, events_.earliest_at());
}

void World::Log(LoggedEvent event) {
  const auto frames = stack_table_.Frames(stack());
  event.turn = turns_;
  event.at = now_;
  event.task = in_irq() ? TaskId{} : current_->id_;
  event.actor = in_irq() ? "irq" : current_->name_;
  event.frame = frames.empty() ? "" : frames[0]->function;
  event_log_->events.push_back(std::move(event));
}

void World::Report(Finding finding) {
  finding.step = turns_;
  finding.at = now_;
  findings_.push_back(std::move(finding));
}

void World::Yield(Task& task, Nanos ready_at) {
  SIM_CHECK(!in_irq());  // an event has no choice points
  task.state_ = Task::State::kReady;
  *FindReady(task) = CandidateOf(task, ready_at);
  Reschedule();
}

void World::Reschedule() {
  Task& self = *current_;
  Task* next = PickNext();
  if (next == &self) return;
  self.fiber_.SwitchTo(next != nullptr ? next->fiber_ : main_);
}

// Flat, as TimeOut() is: more than a tenth of a wake-up's instructions were calls and returns.
[[gnu::flatten]] Task* World::PickNext() {
  if (settling_steps_left_ > 0) [[unlikely]] {
    if (Task* const daemon = PickUnsettled(); daemon != nullptr) return daemon;
  }
  while (!IsOver()) {
    const Candidate* chosen = follows_time_ ? ChooseByTime() : Choose();
    if (chosen == nullptr) {
      end_ = ExecutionEnd::kAbandoned;
      return nullptr;
    }
    if (chosen->actor.kind == Actor::Kind::kEvent) {
      RunEvent(EventId{chosen->actor.id});
      continue;
    }
    Task& task = *tasks_[chosen->actor.id];
    if (task.kind_ == TaskKind::kUser) idle_ticks_ = 0;
    now_ = std::max(now_, chosen->ready_at);
    task.state_ = Task::State::kRunning;
    current_ = &task;
    BeginTurn(task);
    return &task;
  }
  return nullptr;
}

// A daemon that has not come to its first wait; null: there is none, and none will be looked for.
Task* World::PickUnsettled() {
  accesses_.clear();
  for (const Candidate& candidate : ready_) {
    Task& task = *tasks_[candidate.actor.id];
    if (task.kind_ != TaskKind::kDaemon) continue;
    if (--settling_steps_left_ == 0) break;  // it does not wait
    task.state_ = Task::State::kRunning;
    current_ = &task;
    return &task;
  }
  current_ = nullptr;
  settling_steps_left_ = 0;
  return nullptr;
}

bool World::NothingGoesOn() {
  if (OnlyIdleLeft()) {
    if (user_tasks_left_ == 0) {
      if (StopDaemons()) return false;
      const bool all_done = std::all_of(tasks_.begin(), tasks_.end(), [](const Task* task) {
        return task->state_ == Task::State::kDone;
      });
      end_ = all_done ? ExecutionEnd::kFinished : ExecutionEnd::kDeadlock;
      return true;
    }
    if (events_.empty() || ++idle_ticks_ > kMaxIdleTicks) {
      end_ = ExecutionEnd::kDeadlock;
      return true;
    }
  }
  if (irqs_blocked_ > 0) {  // who switched them off is parked
    end_ = ExecutionEnd::kDeadlock;
    return true;
  }
  return false;
}

bool World::EndsAtLimit() {
  if (next_strategy_ == nullptr) {
    end_ = turns_ >= max_turns_ ? ExecutionEnd::kTurnLimit : ExecutionEnd::kTimeLimit;
    return true;
  }
  strategy_->OnEnd();
  beyond_limit_ = true;
  max_time_ = now_ + max_time_;
  max_turns_ = turns_ + max_turns_;
  Follow(*std::exchange(next_strategy_, nullptr));
  return false;
}

void World::Follow(Strategy& strategy) {
  strategy_ = &strategy;
  follows_time_ = strategy.follows_time();
  records_accesses_ = strategy.wants_turns();
  strategy.OnStart(*this);
}

const Candidate* World::ChooseByTime() {
  const Candidate* first = nullptr;
  Nanos second_at = kNever;
  for (const Candidate& task : ready_) {  // by id, which breaks ties
    if (first == nullptr || task.ready_at < first->ready_at) {
      if (first != nullptr) second_at = first->ready_at;
      first = &task;
    } else {
      second_at = std::min(second_at, task.ready_at);
    }
  }
  const Nanos event_at = irqs_blocked_ == 0 ? events_.earliest_at() : kNever;
  if (first == nullptr || event_at <= first->ready_at) {
    SIM_CHECK(!events_.empty() && irqs_blocked_ == 0);
    earliest_event_.actor.id = events_.earliest_id().value;
    return &earliest_event_;
  }
  horizon_ = std::min(second_at, event_at);
  return first;
}

const Candidate* World::Choose() {
  candidates_.assign(ready_.begin(), ready_.end());
  // Ticks of idle daemons alone would put off for ever that the blocked tasks park.
  const bool stuck = records_accesses_ && MarkBlocked() && OnlyIdleLeft();
  if (irqs_blocked_ == 0 && !events_.empty() && !stuck) {
    events_.ListPending(pending_);
    for (const Event& event : pending_) {
      candidates_.push_back(
          {{Actor::Kind::kEvent, event.id.value}, {event.object, Access::kWrite}, event.at});
    }
  }
  SIM_CHECK(!candidates_.empty());
  if (candidates_.size() == 1 && !records_accesses_) return &candidates_.front();
  TaskId running;
  if (current_ != nullptr && current_->state_ == Task::State::kReady) running = current_->id_;
  const size_t chosen =
      strategy_->Choose({candidates_, turns_, running, events_.next_id(), stopping_,
                         ObjectId{next_object_}, ObjectId{next_field_}});
  if (chosen == Strategy::kAbandon) return nullptr;
  SIM_CHECK(chosen < candidates_.size());
  return &candidates_[chosen];
}

// Of the candidates, all tasks so far: are there any, and would all do nothing but park?
bool World::MarkBlocked() {
  bool all_blocked = !candidates_.empty();
  for (Candidate& task : candidates_) {
    task.blocked = task.asks && !tasks_[task.actor.id]->gate_->Admits(task.next.access);
    all_blocked &= task.blocked;
  }
  return all_blocked;
}

void World::RunEvent(EventId id) {
  const Event event = id == events_.earliest_id() ? events_.PopEarliest() : events_.Pop(id);
  Prefetch(events_.earliest_self());
  now_ = std::max(now_, event.at);
  ++turns_;
  digest_.Add(uint64_t{1} << 63 | id.value);
  if (keeps_schedule_) AddToSchedule({Actor::Kind::kEvent, id.value});
  if (records_accesses_) {
    StartAccesses({Actor::Kind::kEvent, id.value}, {event.object, Access::kWrite});
  }
  Task& host = Task::Current();  // whose stack we are on, as an interrupt is
  const StackId saved = host.stack();
  Task* const interrupted = current_;
  host.set_stack(StackTable::kEmpty);
  current_ = nullptr;
  if (access_listener_ != nullptr) access_listener_->OnEventStart(event.id);
  event();
  if (access_listener_ != nullptr) access_listener_->OnEventEnd();
  current_ = interrupted;
  host.set_stack(saved);
}

bool World::StopDaemons() {
  stopping_ = true;
  bool any = false;
  for (Task* const task : tasks_) {
    if (task->state_ == Task::State::kParked && task->idle_) {
      EndWait(*task, Access::kRead);
      any = true;
    }
  }
  return any;
}

bool World::OnlyIdleLeft() const { return events_.size() == static_cast<size_t>(idle_timers_); }

void World::AddToSchedule(Actor actor) {
  if (!schedule_.empty() && schedule_.back().actor == actor) {
    ++schedule_.back().turns;
  } else {
    schedule_.push_back({actor, 1});
  }
}

void World::StartAccesses(Actor actor, Footprint first) {
  EndTurn();
  turn_actor_ = actor;
  accesses_.assign({first});
}

void World::EndTurn() {
  if (!accesses_.empty()) strategy_->OnTurn({turn_actor_, accesses_});
  accesses_.clear();
}

void World::MakeReady(Task& task) {
  task.state_ = Task::State::kReady;
  horizon_ = std::min(horizon_, now_);
  auto place = ready_.end();
  while (place != ready_.begin() && place[-1].actor.id > task.id_.value) --place;
  ready_.insert(place, CandidateOf(task, now_));
}

void World::Unready(const Task& task) {
  Candidate* const place = FindReady(task);
  if (place == &ready_.back()) {
    ready_.pop_back();
  } else {
    ready_.erase(ready_.begin() + (place - ready_.data()));
  }
}

Candidate* World::FindReady(const Task& task) {
  Candidate* place = ready_.data();
  while (place->actor.id != task.id_.value) ++place;
  return place;
}

}  // namespace sim
