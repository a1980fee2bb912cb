// The race checker: two accesses to a field, one of them a write, that nothing orders.
//
// Happens-before, by FastTrack's epochs (Flanagan and Freund, PLDI 2009): each field keeps its last
// write and, since then, the last read of each context. It finds a race on a field if and only if
// the execution has one, whether or not the two accesses were next to each other; of several on one
// field it may name the first only. What another schedule would order differently is found in an
// execution that takes it.
//
// Which fields may be raced on, and why, is said where they are declared: Sharing. Finding:
// "data_race". It names both accesses, their stacks and the locks held, of which none is common.
//
// It also counts which locks are held at all accesses: GuardTable. It steers nothing.
//
// Not seen: accesses to what is no Shared<T>, and those of a wait's condition (see WaitQueue). Two
// steps of one task are never a race, and neither is what happens while a world is set up or torn
// down.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "sim/engine/access_listener.h"
#include "sim/engine/world.h"
#include "sim/race/guard_table.h"
#include "sim/race/happens_before.h"

namespace sim {

class RaceChecker final : public AccessListener {
 public:
  // Listens to the world, which has a lock tracker, until destroyed; `guards` may outlive both.
  RaceChecker(World& world, GuardTable& guards);
  ~RaceChecker() override;

  void OnSpawn(const Task& task) override;
  void OnWake(const Task& task) override;
  void OnSchedule(EventId event) override;
  void OnEventStart(EventId event) override;
  void OnEventEnd() override;
  void OnRelease(ObjectId sync, bool exclusive) override;
  void OnAcquire(ObjectId sync, bool exclusive) override;
  void OnAccess(const Field& field, Access access) override;

 private:
  struct Seen {
    Epoch at;          // time 0: none yet
    uint32_t row = 0;  // in guards_
    TaskId task;       // none: an event
    uint64_t step = 0;
  };
  struct FieldState {
    static constexpr uint32_t kUnnamed = UINT32_MAX;
    uint32_t name = kUnnamed;  // in guards_
    Seen write;
    absl::InlinedVector<Seen, 2> reads;  // since the write, the last of each chain
  };

  // Null: the world is not running.
  HappensBefore::Context* Running();
  FieldState& StateOf(const Field& field);
  void Read(const Field& field, FieldState& state, HappensBefore::Context& by, const Seen& now);
  void Write(const Field& field, FieldState& state, HappensBefore::Context& by, const Seen& now);
  void Report(const Field& field, const Seen& before, const Seen& now);
  const std::string& NameOf(TaskId task) const;

  World& world_;
  GuardTable& guards_;
  HappensBefore order_;
  HappensBefore::Context* event_ = nullptr;  // while one runs
  std::vector<FieldState> fields_;           // by number
  std::set<std::string> reported_;           // messages
  const std::string irq_ = "irq";
};

}  // namespace sim
