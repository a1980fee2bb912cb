#include "model/program/objects.h"

#include "absl/strings/str_cat.h"

namespace model {
namespace {

sim::LockClassTraits TraitsOf(const LockDecl& decl) {
  sim::LockClassTraits traits = sim::kSleepingLock;
  if (decl.kind == LockKind::kSpinlock) traits = sim::kSpinLock;
  if (decl.kind == LockKind::kRawSpinlock) traits = sim::kRawSpinLock;
  return decl.unique ? Unique(traits) : traits;
}

std::variant<sim::Mutex, sim::RwSem, sim::SpinLock, sim::BitLock> MakeLock(sim::World& world,
                                                                           const LockDecl& decl) {
  using Any = std::variant<sim::Mutex, sim::RwSem, sim::SpinLock, sim::BitLock>;
  const sim::LockClassId id = world.lock_tracker().Class(decl.lock_class, TraitsOf(decl));
  // A class of one lock needs no name for the instance.
  const bool only_one = decl.lock_class == decl.name &&
                        decl.number == sim::InstanceName::kNoNumber &&
                        decl.index == sim::InstanceName::kNoNumber;
  const sim::InstanceName name{only_one ? "" : decl.name.c_str(), decl.number, decl.index};
  switch (decl.kind) {
    case LockKind::kMutex:
      return Any(std::in_place_type<sim::Mutex>, world, id, name);
    case LockKind::kRwsem:
    case LockKind::kPercpuRwsem:
      return Any(std::in_place_type<sim::RwSem>, world, id, name);
    case LockKind::kSpinlock:
    case LockKind::kRawSpinlock:
      return Any(std::in_place_type<sim::SpinLock>, world, id, name);
    case LockKind::kFolio:
      break;
  }
  return Any(std::in_place_type<sim::BitLock>, world, id, name);
}

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

AnyLock::AnyLock(sim::World& world, const LockDecl& decl) : lock_(MakeLock(world, decl)) {}

void AnyLock::lock(bool read, sim::Subclass subclass, sim::Site site) {
  std::visit(Overloaded{[&](sim::Mutex& mutex) { mutex.mutex_lock(subclass, site); },
                        [&](sim::RwSem& rwsem) {
                          read ? rwsem.down_read(subclass, site) : rwsem.down_write(subclass, site);
                        },
                        [&](sim::SpinLock& spinlock) { spinlock.spin_lock(subclass, site); },
                        [&](sim::BitLock& bit) { bit.lock(subclass, site); }},
             lock_);
}

bool AnyLock::trylock(bool read, sim::Site site) {
  return std::visit(Overloaded{[&](sim::Mutex& mutex) { return mutex.mutex_trylock(site); },
                               [&](sim::RwSem& rwsem) {
                                 return read ? rwsem.down_read_trylock(site)
                                             : rwsem.down_write_trylock(site);
                               },
                               [&](sim::SpinLock& spinlock) { return spinlock.spin_trylock(site); },
                               [&](sim::BitLock& bit) { return bit.trylock(site); }},
                    lock_);
}

void AnyLock::unlock(sim::Site site) {
  std::visit(Overloaded{[&](sim::Mutex& mutex) { mutex.mutex_unlock(site); },
                        [&](sim::RwSem& rwsem) {
                          rwsem.held_exclusive() ? rwsem.up_write(site) : rwsem.up_read(site);
                        },
                        [&](sim::SpinLock& spinlock) { spinlock.spin_unlock(site); },
                        [&](sim::BitLock& bit) { bit.unlock(site); }},
             lock_);
}

void AnyLock::downgrade(sim::Site site) { std::get<sim::RwSem>(lock_).downgrade_write(site); }

const sim::Lock& AnyLock::lock() const {
  return std::visit([](const auto& lock) -> const sim::Lock& { return lock; }, lock_);
}

ProgramEvent::ProgramEvent(sim::World& world, const EventDecl& decl)
    : world_(world),
      queue_(world, world.lock_tracker().Class(decl.lock_class, {}),
             {decl.lock_class == decl.name ? "" : decl.name.c_str()}),
      count_(decl.initial),
      counting_(decl.counting),
      learns_(decl.learns) {}

void ProgramEvent::LeaveTo(sim::Workqueue& items) {
  items_ = &items;
  items.BringsAbout(queue_);
}

void ProgramEvent::wait(sim::Site site) {
  if (items_ != nullptr) items_->might_wait_for_item([this] { return is_set(); }, site);
  queue_.wait_event([this] { return is_set(); }, site);
  Consume();
}

bool ProgramEvent::wait_idle(sim::Site site) {
  const bool going_on = queue_.wait_idle([this] { return is_set(); }, sim::World::kNever, site);
  if (going_on) Consume();
  return going_on;
}

void ProgramEvent::signal(sim::Site site) {
  world_.Step(queue_.object(), sim::Access::kWrite);
  Set(site);
}

void ProgramEvent::clear() {
  world_.Step(queue_.object(), sim::Access::kWrite);
  Log("clear");
  count_ = 0;
}

void ProgramEvent::submit(sim::Nanos latency) {
  Log("schedule");
  world_.At(world_.now() + latency, queue_.object(), &ProgramEvent::Complete, this, 0);
}

void ProgramEvent::Complete(void* self, uint64_t) {
  auto& event = *static_cast<ProgramEvent*>(self);
  event.Set({});
}

void ProgramEvent::Log(const char* what) {
  if (!world_.logging()) return;
  world_.Log({.what = what, .subject = queue_.Describe(), .id = queue_.object().value});
}

void ProgramEvent::Set(sim::Site site) {
  if (learns_) world_.lock_tracker().Ends(queue_, site);
  Log("signal");
  count_ = counting_ ? count_ + 1 : 1;
  queue_.WakeAll();
}

Variable::Variable(sim::World& world, const VariableDecl& decl)
    : world_(world),
      changed_(world, world.lock_tracker().Class(decl.name, {}), {}),
      field_{{decl.name.c_str(), decl.sharing},
             {decl.number == sim::InstanceName::kNoNumber ? "" : "element", decl.number},
             world.NewField()},
      value_(decl.initial) {}

int64_t Variable::load() {
  world_.Step(changed_.object(), sim::Access::kRead);
  world_.Accessed(field_, sim::Access::kRead);
  Log("load", value_);
  return value_;
}

void Variable::store(int64_t value, sim::Site site) {
  world_.Step(changed_.object(), sim::Access::kWrite);
  world_.Accessed(field_, sim::Access::kWrite);
  Set("store", value, site);
}

int64_t Variable::add(int64_t amount, sim::Site site) {
  world_.Step(changed_.object(), sim::Access::kWrite);
  world_.Accessed(field_, sim::Access::kRead);
  world_.Accessed(field_, sim::Access::kWrite);
  const int64_t before = value_;
  Set("add", static_cast<int64_t>(static_cast<uint64_t>(value_) + static_cast<uint64_t>(amount)),
      site);
  return before;
}

int64_t Variable::cas(int64_t old_value, int64_t new_value, sim::Site site) {
  world_.Step(changed_.object(), sim::Access::kWrite);
  world_.Accessed(field_, sim::Access::kRead);
  const int64_t before = value_;
  if (before == old_value) {
    world_.Accessed(field_, sim::Access::kWrite);
    Set("cas", new_value, site);
  } else {
    Log("cas", before);
  }
  return before;
}

void Variable::Set(const char* what, int64_t value, sim::Site site) {
  Log(what, value);
  value_ = value;
  if (changed_.active()) world_.lock_tracker().Ends(changed_, site);
  changed_.WakeAll();
}

void Variable::Log(const char* what, int64_t value) {
  if (!world_.logging()) return;
  world_.Log(
      {.what = what,
       .subject = changed_.Describe(),
       .id = changed_.object().value,
       .note = value == value_ ? absl::StrCat("= ", value) : absl::StrCat(value_, " -> ", value)});
}

Objects::Objects(sim::World& world, const LockProgram& program)
    : fs_reclaim(world, world.lock_tracker().Class("fs_reclaim", {.checker_only = true}), {}) {
  for (const LockDecl& decl : program.locks) locks.emplace_back(world, decl);
  for (const EventDecl& decl : program.events) events.emplace_back(world, decl);
  for (const VariableDecl& decl : program.variables) variables.emplace_back(world, decl);
  for (const QueueDecl& decl : program.queues) {
    const sim::LockClassId slot = world.lock_tracker().Class(decl.name + " slot", {});
    queues.emplace_back(world, decl.name.c_str(), slot, decl.max_active);
  }
  for (size_t i = 0; i < events.size(); ++i) {
    const int32_t queue = program.events[i].left_to;
    if (queue >= 0) events[i].LeaveTo(queues[static_cast<size_t>(queue)]);
  }
}

}  // namespace model
