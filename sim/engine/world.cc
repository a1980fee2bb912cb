#include "sim/engine/world.h"

#include <algorithm>

#include "sim/check.h"

namespace sim {

Task::Task(World& world, TaskId id, std::string name, TaskKind kind, StackPool& pool,
           absl::AnyInvocable<void()> body)
    : world_(world),
      id_(id),
      name_(std::move(name)),
      kind_(kind),
      body_(std::move(body)),
      fiber_(pool, &Task::Enter, this) {}

void Task::Enter(void* task) {
  Task& self = *static_cast<Task*>(task);
  World& world = self.world_;
  self.started_ = true;
  bool unwound = false;
  try {
    self.body_();
    if (world.task_listener_ != nullptr && &self != world.boot_.get()) {
      world.task_listener_->OnTaskEnd(self);
    }
  } catch (const FiberUnwind&) {
    unwound = true;
  }
  if (unwound) self.fiber_.SwitchAwayForever(world.main_);  // outside, or the exception leaks
  self.state_ = State::kDone;
  if (&self != world.boot_.get()) world.RemoveReady(self);
  if (self.kind_ == TaskKind::kUser) --world.user_tasks_left_;
  Task* next = world.PickNext();
  self.fiber_.SwitchAwayForever(next != nullptr ? next->fiber_ : world.main_);
}

World::World(const WorldOptions& options, Strategy& strategy, StackPool& pool,
             StackTable& stack_table)
    : strategy_(strategy),
      pool_(pool),
      stack_table_(stack_table),
      seed_(options.seed),
      max_turns_(options.max_turns),
      max_time_(options.max_time),
      follows_time_(strategy.follows_time()),
      records_accesses_(strategy.wants_turns()),
      costs_(options.seed, "schedule") {}

World::~World() {
  tearing_down_ = true;
  for (const auto& task : tasks_) {
    if (task->started_ && task->state_ != Task::State::kDone) {
      current_ = task.get();
      task->fiber_.UnwindFrom(main_);
    }
  }
}

Task& World::Spawn(std::string name, TaskKind kind, absl::AnyInvocable<void()> body) {
  const TaskId id{static_cast<uint32_t>(tasks_.size())};
  tasks_.push_back(
      std::make_unique<Task>(*this, id, std::move(name), kind, pool_, std::move(body)));
  if (kind == TaskKind::kUser) ++user_tasks_left_;
  MakeReady(*tasks_.back());
  return *tasks_.back();
}

ExecutionEnd World::Run() {
  SIM_CHECK(boot_ == nullptr);
  boot_ = std::make_unique<Task>(*this, TaskId{}, "boot", TaskKind::kDaemon, pool_, [] {});
  main_.SwitchTo(boot_->fiber_);
  current_ = nullptr;
  if (records_accesses_) EndTurn();
  strategy_.OnEnd();
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
  RemoveReady(task);
  Reschedule();
  task.waiting_on_ = nullptr;
  task.idle_ = false;
}

void World::Wake(Task& task, Access next) {
  SIM_CHECK(task.state_ == Task::State::kParked);
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

void World::TimeOut(Task& task) {
  task.timeout_ = EventId{};  // it is what runs now: nothing to cancel
  if (task.idle_) --idle_timers_;
  Wake(task);
  task.timed_out_ = true;
}

EventId World::At(Nanos at, ObjectId object, Event::Run handler, void* self, uint64_t arg) {
  if (irqs_blocked_ == 0) horizon_ = std::min(horizon_, at);
  return events_.Push(at, handler, self, arg, object);
}

void World::UnblockIrqs() {
  SIM_CHECK(irqs_blocked_ > 0);
  if (--irqs_blocked_ == 0) horizon_ = std::min(horizon_, events_.earliest_at());
}

void World::Log(const char* what, std::string subject) {
  const auto frames = stack_table_.Frames(stack());
  event_log_->events.push_back({turns_, now_, in_irq() ? "irq" : current_->name_, what,
                                std::move(subject), frames.empty() ? "" : frames[0]->function});
}

void World::Report(Finding finding) {
  finding.step = turns_;
  finding.at = now_;
  findings_.push_back(std::move(finding));
}

void World::Yield(Task& task) {
  SIM_CHECK(!in_irq());  // an event has no choice points
  task.state_ = Task::State::kReady;
  task.ready_since_ = turns_;
  Reschedule();
}

void World::Reschedule() {
  Task& self = *current_;
  Task* next = PickNext();
  if (next == &self) return;
  self.fiber_.SwitchTo(next != nullptr ? next->fiber_ : main_);
}

Task* World::PickNext() {
  for (;;) {
    if (records_accesses_) EndTurn();
    if (turns_ >= max_turns_ || now_ > max_time_) {
      end_ = turns_ >= max_turns_ ? ExecutionEnd::kTurnLimit : ExecutionEnd::kTimeLimit;
      return nullptr;
    }
    if (ready_.empty() && OnlyIdleLeft()) {
      if (user_tasks_left_ == 0) {
        if (StopDaemons()) continue;
        const bool all_done = std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
          return task->state_ == Task::State::kDone;
        });
        end_ = all_done ? ExecutionEnd::kFinished : ExecutionEnd::kDeadlock;
        return nullptr;
      }
      if (events_.empty() || ++idle_ticks_ > kMaxIdleTicks) {
        end_ = ExecutionEnd::kDeadlock;
        return nullptr;
      }
    }
    if (ready_.empty() && irqs_blocked_ > 0) {  // who switched them off is parked
      end_ = ExecutionEnd::kDeadlock;
      return nullptr;
    }
    const std::optional<Actor> actor = follows_time_ ? ChooseByTime() : Choose();
    if (!actor.has_value()) {
      end_ = ExecutionEnd::kAbandoned;
      return nullptr;
    }
    if (actor->kind == Actor::Kind::kEvent) {
      RunEvent(EventId{actor->id});
      continue;
    }
    Task& task = *tasks_[actor->id];
    if (task.kind_ == TaskKind::kUser) idle_ticks_ = 0;
    now_ = std::max(now_, task.ready_at_);
    task.state_ = Task::State::kRunning;
    current_ = &task;
    BeginTurn(task);
    return &task;
  }
}

Actor World::ChooseByTime() {
  const Task* first = nullptr;
  Nanos second_at = kNever;
  for (const Task* task : ready_) {  // by id, which breaks ties
    if (first == nullptr || task->ready_at_ < first->ready_at_) {
      if (first != nullptr) second_at = first->ready_at_;
      first = task;
    } else {
      second_at = std::min(second_at, task->ready_at_);
    }
  }
  const Nanos event_at = irqs_blocked_ == 0 ? events_.earliest_at() : kNever;
  if (first == nullptr || event_at <= first->ready_at_) {
    SIM_CHECK(!events_.empty() && irqs_blocked_ == 0);
    return {Actor::Kind::kEvent, events_.earliest_id().value};
  }
  horizon_ = std::min(second_at, event_at);
  return {Actor::Kind::kTask, first->id_.value};
}

std::optional<Actor> World::Choose() {
  candidates_.clear();
  bool all_blocked = records_accesses_;
  for (const Task* task : ready_) {
    const bool asks = task->gate_ != nullptr;
    const bool blocked = records_accesses_ && asks && !task->gate_->Admits(task->next_.access);
    all_blocked &= blocked;
    candidates_.push_back({{Actor::Kind::kTask, task->id_.value},
                           task->next_,
                           task->ready_at_,
                           asks,
                           blocked,
                           task->ready_since_});
  }
  // Ticks of idle daemons alone would put off for ever that the blocked tasks park.
  const bool stuck = all_blocked && !ready_.empty() && OnlyIdleLeft();
  if (irqs_blocked_ == 0 && !stuck) {
    events_.ListPending(pending_);
    for (const Event& event : pending_) {
      candidates_.push_back(
          {{Actor::Kind::kEvent, event.id.value}, {event.object, Access::kWrite}, event.at});
    }
  }
  SIM_CHECK(!candidates_.empty());
  if (candidates_.size() == 1 && !records_accesses_) return candidates_.front().actor;
  TaskId running;
  if (current_ != nullptr && current_->state_ == Task::State::kReady) running = current_->id_;
  const size_t chosen =
      strategy_.Choose({candidates_, turns_, running, events_.next_id(), stopping_});
  if (chosen == Strategy::kAbandon) return std::nullopt;
  SIM_CHECK(chosen < candidates_.size());
  return candidates_[chosen].actor;
}

void World::RunEvent(EventId id) {
  const Event event = id == events_.earliest_id() ? events_.PopEarliest() : events_.Pop(id);
  now_ = std::max(now_, event.at);
  ++turns_;
  digest_.Add(uint64_t{1} << 63 | id.value);
  StartRun({Actor::Kind::kEvent, id.value});
  if (records_accesses_) {
    StartAccesses({Actor::Kind::kEvent, id.value}, {event.object, Access::kWrite});
  }
  Task& host = Task::Current();  // whose stack we are on, as an interrupt is
  const StackId saved = host.stack();
  Task* const interrupted = current_;
  host.set_stack(StackTable::kEmpty);
  current_ = nullptr;
  event();
  current_ = interrupted;
  host.set_stack(saved);
}

bool World::StopDaemons() {
  stopping_ = true;
  bool any = false;
  for (const auto& task : tasks_) {
    if (task->state_ == Task::State::kParked && task->idle_) {
      Wake(*task);
      any = true;
    }
  }
  return any;
}

bool World::OnlyIdleLeft() const { return events_.size() == static_cast<size_t>(idle_timers_); }

void World::StartRun(Actor actor) {
  schedule_.push_back({actor, 1});
  last_task_run_ = actor.kind == Actor::Kind::kTask ? actor.id : UINT32_MAX;
}

void World::StartAccesses(Actor actor, Footprint first) {
  EndTurn();
  turn_actor_ = actor;
  accesses_.assign({first});
}

void World::EndTurn() {
  if (!accesses_.empty()) strategy_.OnTurn({turn_actor_, accesses_});
  accesses_.clear();
}

void World::MakeReady(Task& task) {
  task.state_ = Task::State::kReady;
  task.ready_at_ = now_;
  task.ready_since_ = turns_;
  horizon_ = std::min(horizon_, now_);
  ready_.insert(std::upper_bound(ready_.begin(), ready_.end(), &task,
                                 [](const Task* a, const Task* b) { return a->id_ < b->id_; }),
                &task);
}

void World::RemoveReady(Task& task) {
  ready_.erase(std::find(ready_.begin(), ready_.end(), &task));
}

}  // namespace sim
