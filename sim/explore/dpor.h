// Dynamic partial-order reduction, optimal: one execution for each way in which what matters can be
// ordered [Abdulla, Aronis, Jonsson, Sagonas: Source Sets: A Foundation for Optimal Dynamic Partial
// Order Reduction, JACM 64(4), 2017].
//
// Two turns are *dependent* if they are of one actor, if one made the other possible (a wake-up, an
// event that it started), or if they touch one object and one of them writes. Executions that
// differ only in the order of independent turns are one *trace* (Mazurkiewicz): they have the same
// deadlocks and the same final state. After each execution every pair of dependent turns that could
// have come the other way round (a *race*) is looked for, and a sequence that reverses it is kept
// in a *wake-up tree* at the place where the two ways part. *Sleep sets* hold the steps that, taken
// here, would lead only to traces already seen.
//
// Locks: a turn that asks for a lock is taken only when it gets it; until then its task is
// *blocked* and in no queue. So the order of holders counts, that of requests does not. Who wins a
// lock is thereby free, which is more than the queue's order allows, but not more than late
// requests do. The exception is a writer that finds readers: it does queue, since from then on it
// holds back later readers. When only blocked tasks are left they all ask, and park for good.
//
// What is needed of the world: a turn is a function of the turns before that it depends on. It is
// not if it depends on the clock (World::now()) or creates tasks; then traces may be missed.
//
// Cost: an execution takes time linear in its accesses times its actors, beside running it; memory
// grows with the depth of an execution, not with their number.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/explore/dpor_step.h"
#include "sim/explore/systematic.h"
#include "sim/explore/wake_up_tree.h"

namespace sim {

struct DporOptions {
  // What a turn touches does not depend on what was there, as in a lock program, where a turn is
  // one operation. Otherwise a turn brought forward is taken to depend on everything, which costs
  // executions that show nothing new.
  bool fixed_turns = false;
};

// Where a part of the search begins: after these turns, each with what is asleep beside it because
// it is searched before.
struct DporPathTurn {
  DporActor actor = kNoDporActor;
  std::vector<DporStep> elders;
};
using DporPath = std::vector<DporPathTurn>;

class DporStrategy final : public SystematicStrategy {
 public:
  explicit DporStrategy(DporOptions options = {},
                        std::shared_ptr<DporActors> actors = std::make_shared<DporActors>(),
                        DporPath path = {})
      : options_(options), actors_(std::move(actors)), path_(std::move(path)) {}

  // False: every trace has been seen.
  [[nodiscard]] bool Next() override;

  // Executions that came to their end, each another trace if turns are fixed; ...
  uint64_t executions() const { return executions_; }
  // ... and those given up because all that was left to do would lead to traces already seen.
  uint64_t redundant() const { return redundant_; }

  // For the search that this is a part of, once it has ended or been cut off (SearchTree::Join()).
  // What the turns of the path do.
  DporStep PathStep(size_t turn) const { return trace_[turn].step; }
  // Sequences that are to be run after so many turns of the path.
  using Outside = std::vector<std::pair<size_t, DporSequence>>;
  const Outside& outside() const { return outside_; }
  // What is known and planned at a state.
  struct Rest {
    std::vector<DporStep> seen;   // after these everything has been
    std::optional<DporStep> way;  // to the next state
    std::vector<DporBranch> todo;
  };
  // From the end of the path on; empty: nothing is left.
  std::vector<Rest> TakeRest();
  // The path cannot be taken to its end: what comes after so many turns of it is not possible then.
  // These are.
  struct DeadEnd {
    size_t turns = 0;
    std::vector<DporStep> instead;
  };
  const std::optional<DeadEnd>& dead_end() const { return dead_end_; }

  size_t Choose(const ChoicePoint& point) override;
  void OnTurn(const Turn& turn) override;
  void OnEnd() override;

 private:
  using ActorIndex = DporActor;
  using Step = DporStep;
  using Branch = DporBranch;
  // An event: who made it, in which of its turns, as which of that turn's.
  using EventKey = std::tuple<ActorIndex, uint32_t, uint32_t>;
  // How many turns of each actor happen before; an actor beyond the end: none.
  using Clock = std::vector<uint32_t>;

  // A turn of the execution at hand.
  struct Event {
    Step step;
    uint32_t nth = 0;  // turn of its actor, from 1
    // The actor's turn before, and the turn that made this one possible, plus 1; 0: none.
    uint32_t previous = 0, enabler = 0;
    Clock before, clock;  // what these two need; what happens before its end
  };
  // What is known and planned before a turn.
  struct State {
    std::vector<Step> sleep;   // lead only to traces that have been seen
    std::vector<Branch> todo;  // beside the turn being taken
    size_t inherited = 0;      // so many of `sleep` are from before

    bool IsAsleep(ActorIndex actor) const;
  };
  // What touched an object: for each turn once.
  struct Touched {
    uint32_t turn = 0;
    bool writes = false;
  };
  // Two turns that are dependent, with none between that makes them so.
  struct Race {
    uint32_t first = 0;
    const Event* second = nullptr;
  };
  // The turns after the first of a race that do not depend on it, and then the second: what has to
  // be run before the first to reverse them.
  class Reversal;

  static bool IsIn(const Event& event, const Clock& clock);

  ActorIndex IndexOf(const Actor& actor);
  uint32_t CreatorOf(uint32_t event) const;
  Step StepOf(const Candidate& candidate);
  void Begin(Event& event, const Candidate& candidate);
  void Close(const ChoicePoint& point);
  size_t ChooseAgain(const ChoicePoint& point);
  size_t ChooseNew(const ChoicePoint& point);
  std::optional<size_t> ChooseOnPath(const ChoicePoint& point);
  void EnterState();
  std::optional<size_t> Follow(const ChoicePoint& point, State& state);
  std::optional<size_t> ChooseAny(const ChoicePoint& point, const State& state);

  void FindRaces();
  Clock ClockBefore(const Event& event) const;
  void AddHandOver(Event& event) const;
  void Touch(const Footprint& access, uint32_t turn);
  void FindRacesOf(const Event& event);
  void Reverse(const Race& race);

  DporOptions options_;
  std::shared_ptr<DporActors> actors_;
  DporPath path_;
  std::optional<DeadEnd> dead_end_;
  Outside outside_;
  std::set<std::pair<size_t, std::vector<ActorIndex>>> outside_index_;  // who, in which order
  uint64_t executions_ = 0, redundant_ = 0;
  bool begun_ = false;
  // Of those met here.
  std::vector<ActorIndex> tasks_;  // by TaskId
  std::map<EventKey, ActorIndex> events_by_key_;

  std::vector<Event> trace_;            // the turns of this execution
  std::vector<State> states_;           // before each, and after the last
  uint32_t replayed_ = 0;               // so many of them were decided before it began
  uint32_t turn_ = 0;                   // so many have begun
  std::vector<Branch> guide_;           // what to do after those decided
  std::vector<uint32_t> events_begin_;  // by turn: how many events there were before it
  std::vector<ActorIndex> events_;      // by EventId of this execution
  std::vector<uint32_t> last_turn_;     // by actor: the number of its last turn + 1
  std::vector<Event> requests_;         // that are not met when the execution ends
  bool closed_ = false;                 // what comes now is of no interest
  bool abandoned_ = false;

  // Scratch of FindRaces().
  absl::flat_hash_map<ObjectId, std::vector<Touched>> touched_;  // look-up only
  std::vector<uint32_t> dependent_;
  std::vector<Race> races_;
};

}  // namespace sim
