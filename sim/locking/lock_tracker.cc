#include "sim/locking/lock_tracker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sim {

std::string Lock::Describe() const {
  const std::string instance = name_.Text();
  return absl::StrCat(tracker().validator().ClassName(class_), instance.empty() ? "" : " of ",
                      instance);
}

void Lock::ParkFor(Site site) {
  tracker().Contended(*this, site);
  world_.Park(*this, site);
  tracker().Waited(*this);
}

LockTracker::LockTracker(World& world, Validator& validator, bool checks)
    : world_(world),
      validator_(validator),
      checks_(checks),
      irq_(HeldLocks(TaskId{}, "irq", &world.stack_table())) {
  IrqState irq;
  irq.in_hardirq = true;
  irq.hardirqs_on = false;
  validator_.SetIrqState(irq_.held, irq, {});
  world.set_lock_tracker(*this);
  world.set_task_listener(*this);
}

void LockTracker::Acquire(const Lock& lock, ReadMode mode, Subclass subclass, bool trylock,
                          Site site) {
  if (world_.logging()) Log(trylock ? "trylock" : "lock", lock, mode != ReadMode::kExclusive);
  if (stat_ != nullptr) stat_->Acquire(Who(), TakingOf(lock, mode, subclass, site), world_.now());
  if (!checks_) return;
  const Acquisition acquisition = Describe(lock, mode, subclass, trylock, site);
  validator_.Acquire(context().held, acquisition);
  if (learns_ends_ && !trylock) KeepWait(acquisition);
}

void LockTracker::Adopt(const Lock& event, Site site) {
  if (world_.logging()) Log("owe", event);
  if (stat_ != nullptr) {
    const auto taking = TakingOf(event, ReadMode::kExclusive, Subclass::kNormal, site);
    stat_->Acquire(Who(), taking, world_.now());
  }
  if (!checks_) return;
  Acquisition adopted = Describe(event, ReadMode::kExclusive, Subclass::kNormal, true, site);
  adopted.event = true;
  validator_.Acquire(context().held, adopted);
}

void LockTracker::Release(const Lock& lock, Site site) {
  if (world_.logging()) LogUnlock(lock, Who());
  DropHold(lock, site);
}

void LockTracker::HandOver(const Lock& lock, Site site) {
  if (world_.logging()) Log("hand_over", lock);
  DropHold(lock, site);
}

void LockTracker::DropHold(const Lock& lock, Site site) {
  if (stat_ != nullptr) stat_->Release(Who(), lock.object().value, world_.now());
  if (!checks_) return;
  validator_.Release(context().held, lock.lock_class(), lock.object().value, At(site));
}

void LockTracker::ReleaseFor(const Task& owner, const Lock& lock, Site site) {
  if (world_.logging()) LogUnlock(lock, owner.id());
  if (stat_ != nullptr) stat_->Release(owner.id(), lock.object().value, world_.now());
  if (!checks_) return;
  validator_.Release(ContextOf(owner.id()).held, lock.lock_class(), lock.object().value, At(site));
}

void LockTracker::ReleaseHandedOver(const Lock& lock) {
  if (world_.logging()) LogUnlock(lock, TaskId{});
}

void LockTracker::Downgrade(const Lock& lock) {
  if (world_.logging()) Log("downgrade", lock, true);
  if (stat_ != nullptr) stat_->Downgrade(Who(), lock.object().value, world_.now());
  if (!checks_) return;
  validator_.Downgrade(context().held, lock.object().value);
}

void LockTracker::Sync(const Lock& lock, Site site) {
  if (world_.logging()) Log("might_wait", lock);
  if (!checks_) return;
  const Acquisition wait = Describe(lock, ReadMode::kExclusive, Subclass::kNormal, false, site);
  validator_.Sync(context().held, wait);
  if (learns_ends_) KeepWait(wait);
}

void LockTracker::KeepWait(const Acquisition& wait) {
  std::vector<Acquisition>& waits = context().waits;
  const bool known = std::any_of(waits.begin(), waits.end(), [&](const Acquisition& other) {
    return other.lock_class == wait.lock_class && other.subclass == wait.subclass;
  });
  if (!known) waits.push_back(wait);
}

void LockTracker::Ends(const Lock& event, Site site) {
  if (!learns_ends_) return;
  validator_.LearnEnd(context().held,
                      Describe(event, ReadMode::kExclusive, Subclass::kNormal, false, site),
                      context().waits);
}

void LockTracker::Log(const char* what, const Lock& lock, bool shared) {
  world_.Log(
      {.what = what, .subject = lock.Describe(), .id = lock.object().value, .shared = shared});
}

void LockTracker::LogUnlock(const Lock& lock, TaskId owner) {
  world_.Log(
      {.what = "unlock", .subject = lock.Describe(), .id = lock.object().value, .owner = owner});
}

void LockTracker::Contended(const Lock& lock, Site site) {
  if (stat_ == nullptr) return;
  const auto taking = TakingOf(lock, ReadMode::kExclusive, Subclass::kNormal, site);
  stat_->Contended(Who(), taking, world_.now());
}

void LockTracker::Waited(const Lock& lock) {
  if (stat_ != nullptr) stat_->Waited(Who(), lock.object().value, world_.now());
}

LockStat::Taking LockTracker::TakingOf(const Lock& lock, ReadMode mode, Subclass subclass,
                                       Site site) const {
  return {validator_.ClassName(lock.lock_class()), static_cast<uint32_t>(subclass),
          mode != ReadMode::kExclusive, lock.object().value,
          PlaceText(world_.stack_table().Frames(world_.stack()), site)};
}

void LockTracker::ReportSleep(const char* what, Site site) {
  const char* where = world_.in_irq() ? "an interrupt" : "a spinlock's critical section";
  world_.Report({"lock_misuse", absl::StrCat("sleeping wait in ", where, ": ", what),
                 absl::StrCat("  at ", site.file, ":", site.line, "\n")});
}

void LockTracker::Misuse(const Lock& lock, std::string_view what, Site site) {
  world_.Report({"lock_misuse",
                 absl::StrCat(std::string(what), ": ", validator_.ClassName(lock.lock_class())),
                 absl::StrCat("  ", lock.Describe(), " at ", site.file, ":", site.line, "\n")});
}

void LockTracker::OnTaskEnd(Task& task) {
  validator_.CheckNoneHeld(ContextOf(task.id()).held, At(Site{}));
}

void LockTracker::AddContexts() {
  tasks_.reserve(world_.tasks().size());
  for (const Task* const task : world_.tasks().subspan(tasks_.size())) {
    const bool name_is_taken = std::any_of(tasks_.begin(), tasks_.end(), [&](const Context& other) {
      return other.held.task_name() == task->name();
    });
    HeldLocks& held =
        tasks_.emplace_back(HeldLocks(task->id(), task->name(), &world_.stack_table())).held;
    if (name_is_taken) {
      validator_.RevokeUniqueTask(task->name());
    } else if (task->kind() == TaskKind::kDaemon) {
      held.set_unique_task();
    }
  }
}

Acquisition LockTracker::Describe(const Lock& lock, ReadMode mode, Subclass subclass, bool trylock,
                                  Site site) const {
  Acquisition acquisition;
  acquisition.lock_class = lock.lock_class();
  acquisition.subclass = static_cast<uint32_t>(subclass);
  acquisition.read = mode;
  acquisition.trylock = trylock;
  acquisition.instance = lock.object().value;
  acquisition.at = At(site);
  acquisition.name = lock.name();
  return acquisition;
}

void LockTracker::SetIrqs(bool on, Site site) {
  Context& running = context();
  IrqState irq = running.held.irq();
  irq.hardirqs_on = on;
  validator_.SetIrqState(running.held, irq, At(site));
}

}  // namespace sim
