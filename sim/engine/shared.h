// A field that tasks share: every access is part of the running turn's footprint.
//
// load() and store() are not choice points: they belong to a section that a lock protects, or to
// the turn of the choice point before. load_racy() and store_racy() are for fields that the kernel
// accesses without the lock, READ_ONCE() and WRITE_ONCE(): others may come in before.
#pragma once

#include <utility>

#include "sim/engine/world.h"

namespace sim {

template <class T>
class Shared {
 public:
  Shared(World& world, T value) : world_(world), object_(world.NewObject()), value_(value) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  const T& load() const {
    world_.Touch(object_, Access::kRead);
    return value_;
  }
  void store(T value) {
    world_.Touch(object_, Access::kWrite);
    value_ = std::move(value);
  }
  const T& load_racy() const {
    world_.Step(object_, Access::kRead);
    return value_;
  }
  void store_racy(T value) {
    world_.Step(object_, Access::kWrite);
    value_ = std::move(value);
  }
  // For checkers and set-up, which are not part of any turn.
  const T& peek() const { return value_; }
  void init(T value) { value_ = std::move(value); }

 private:
  World& world_;
  ObjectId object_;
  T value_;
};

}  // namespace sim
