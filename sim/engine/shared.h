// A field that tasks share: every access is part of the running turn's footprint, and is told to
// the race checker. Used like std::atomic.
//
// No access but load_racy() and store_racy() is a choice point: it belongs to a section that a lock
// protects, or to the turn of the choice point before. Those two are for where the kernel accesses
// without the lock and where it matters that others may come in before. Which accesses may go
// unordered is said by the field's declaration (Sharing); data_race() is for the odd exception.
#pragma once

#include <type_traits>
#include <utility>

#include "sim/engine/world.h"

namespace sim {

template <class T>
class Shared {
 public:
  // `owner` is what the field is of: a lock with the same name is that object's own.
  Shared(World& world, FieldType type, InstanceName owner, T value)
      : world_(world), field_{type, owner, world.NewField()}, value_(std::move(value)) {}
  Shared(const Shared&) = delete;

  const T& load() const {
    world_.Accessed(field_, Access::kRead);
    return value_;
  }
  void store(T value) {
    world_.Accessed(field_, Access::kWrite);
    value_ = std::move(value);
  }
  // Reads and writes.
  T& update() {
    world_.Accessed(field_, Access::kRead);
    world_.Accessed(field_, Access::kWrite);
    return value_;
  }
  // data_race(): a read that is allowed to race, for a reason that stands beside it.
  const T& data_race() const {
    world_.Touch(field_.object, Access::kRead);
    return value_;
  }
  const T& load_racy() const {
    world_.Step(field_.object, Access::kRead);
    return load();
  }
  void store_racy(T value) {
    world_.Step(field_.object, Access::kWrite);
    store(std::move(value));
  }

  operator const T&() const { return load(); }
  // Of what is pointed to, if it is a pointer.
  auto operator->() const {
    if constexpr (std::is_pointer_v<T>) {
      return load();
    } else {
      return &load();
    }
  }
  Shared& operator=(T value) {
    store(std::move(value));
    return *this;
  }
  // The same from another field.
  Shared& operator=(const Shared& other) { return *this = other.load(); }
  template <class D>
  void operator+=(const D& difference) {
    update() += difference;
  }
  template <class D>
  void operator-=(const D& difference) {
    update() -= difference;
  }
  const T& operator++() { return ++update(); }
  const T& operator--() { return --update(); }

  // For checkers and set-up, which are not part of any turn.
  const T& peek() const { return value_; }
  void init(T value) { value_ = std::move(value); }

 private:
  World& world_;
  Field field_;
  T value_;
};

}  // namespace sim
