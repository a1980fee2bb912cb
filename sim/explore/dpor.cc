#include "sim/explore/dpor.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "sim/check.h"

namespace sim {
namespace {

void Join(std::vector<uint32_t>& clock, const std::vector<uint32_t>& other) {
  if (clock.size() < other.size()) clock.resize(other.size());
  for (size_t i = 0; i < other.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

}  // namespace

bool DporStrategy::IsIn(const Event& event, const Clock& clock) {
  return event.step.actor < clock.size() && clock[event.step.actor] >= event.nth;
}

// --- Reversals -----------------------------------------------------------------------------------

class DporStrategy::Reversal {
 public:
  // `moved` comes after `first` in `trace`; of what is there, it needs `before`.
  Reversal(const std::vector<Event>& trace, uint32_t first, const Step& moved, const Clock& before,
           bool fixed_turns)
      : trace_(trace), first_(first), moved_(moved), before_(before), fixed_turns_(fixed_turns) {
    CollectTurns();
  }

  // If the lock that `moved` asks for would be held when its turn comes, starts before it was
  // taken, or leaves out those who took it since. False: it cannot be had earlier.
  bool MakePossible() {
    if (!moved_.asks) return true;
    std::optional<uint32_t> holder;
    while ((holder = HolderAtEnd()).has_value()) {
      if (*holder > first_) {
        left_out_.push_back(*holder);
      } else {
        if (IsIn(trace_[*holder], before_)) return false;
        first_ = *holder;
        left_out_.clear();
      }
      CollectTurns();
    }
    return true;
  }

  uint32_t first() const { return first_; }

  size_t size() const { return turns_.size(); }
  const Step& operator[](size_t i) const {
    return turns_[i] == kMoved ? moved_ : trace_[turns_[i]].step;
  }
  void Remove(size_t i) { turns_.erase(turns_.begin() + static_cast<ptrdiff_t>(i)); }
  bool Ordered(size_t a, size_t b, const Step& step) const {
    if (turns_[b] != kMoved) return IsIn(trace_[turns_[a]], trace_[turns_[b]].clock);
    // It is the same turn, of which `step` may know more than a request does.
    const Step& moved = fixed_turns_ && step.fixed ? step : moved_;
    return IsIn(trace_[turns_[a]], before_) || Depend(trace_[turns_[a]].step, moved);
  }

  // The same, when the execution has been forgotten.
  DporSequence Kept() const {
    DporSequence sequence(fixed_turns_);
    for (size_t i = 0; i < turns_.size(); ++i) {
      sequence.Add((*this)[i]);
      const Clock& clock = turns_[i] == kMoved ? before_ : trace_[turns_[i]].clock;
      for (size_t j = 0; j < i; ++j) {
        if (IsIn(trace_[turns_[j]], clock)) sequence.OrderLastAfter(j);
      }
    }
    return sequence;
  }

 private:
  static constexpr uint32_t kMoved = UINT32_MAX;

  void CollectTurns() {
    turns_.clear();
    for (uint32_t i = first_ + 1; i < trace_.size(); ++i) {
      const Clock& clock = trace_[i].clock;
      const auto precedes = [&](uint32_t out) { return IsIn(trace_[out], clock); };
      if (!precedes(first_) && std::none_of(left_out_.begin(), left_out_.end(), precedes)) {
        turns_.push_back(i);
      }
    }
    turns_.push_back(kMoved);
  }

  // Who holds the lock, or is queued for it as a writer.
  std::optional<uint32_t> HolderAtEnd() const {
    const ObjectId lock = moved_.accesses.front().object;
    std::optional<uint32_t> holder;
    const auto pass = [&](uint32_t turn) {
      const Step& step = trace_[turn].step;
      bool queues = step.asks && step.accesses.front().object == lock;
      for (const Footprint& access : step.accesses) {
        if (access.object != lock) continue;
        if (access.access == Access::kGive) holder.reset();
        if (access.access == Access::kTake) holder = turn;
        if (access.access == Access::kTake || access.access == Access::kTakeShared) queues = false;
      }
      if (queues) holder = turn;
    };
    for (uint32_t turn = 0; turn < first_; ++turn) pass(turn);
    for (const uint32_t turn : turns_) {
      if (turn != kMoved) pass(turn);
    }
    return holder;
  }

  const std::vector<Event>& trace_;
  uint32_t first_;
  const Step& moved_;
  const Clock& before_;
  bool fixed_turns_ = false;
  std::vector<uint32_t> left_out_;
  std::vector<uint32_t> turns_;
};

// --- Making choices ------------------------------------------------------------------------------

bool DporStrategy::Next() {
  turn_ = 0;
  events_begin_.clear();
  events_.clear();
  requests_.clear();
  guide_.clear();
  last_turn_.clear();
  closed_ = abandoned_ = false;
  if (!std::exchange(begun_, true)) return true;
  for (; states_.size() > path_.size(); states_.pop_back()) {
    State& state = states_.back();
    if (trace_.size() == states_.size()) {
      state.sleep.push_back(std::move(trace_.back().step));
      trace_.pop_back();
    }
    if (state.todo.empty()) continue;
    guide_.push_back(std::move(state.todo.front()));
    state.todo.erase(state.todo.begin());
    replayed_ = static_cast<uint32_t>(trace_.size());
    return true;
  }
  return false;
}

std::vector<DporStrategy::Rest> DporStrategy::TakeRest() {
  std::vector<Rest> rest;
  for (size_t i = path_.size(); i < states_.size(); ++i) {
    State& state = states_[i];
    Rest& left = rest.emplace_back();
    left.seen.assign(state.sleep.begin() + static_cast<ptrdiff_t>(state.inherited),
                     state.sleep.end());
    if (i < trace_.size()) {
      left.way = trace_[i].step;
    } else {
      left.todo = std::exchange(guide_, {});
    }
    std::move(state.todo.begin(), state.todo.end(), std::back_inserter(left.todo));
  }
  return rest;
}

size_t DporStrategy::Choose(const ChoicePoint& point) {
  if (closed_) return 0;
  const auto is_blocked = [](const Candidate& candidate) { return candidate.blocked; };
  if (point.winding_down ||
      std::all_of(point.candidates.begin(), point.candidates.end(), is_blocked)) {
    Close(point);
    return 0;
  }
  events_begin_.push_back(point.events_end.value);
  return turn_ < replayed_ ? ChooseAgain(point) : ChooseNew(point);
}

void DporStrategy::Close(const ChoicePoint& point) {
  closed_ = true;
  if (turn_ < path_.size()) dead_end_ = DeadEnd{.turns = turn_, .instead = {}};
  for (const Candidate& candidate : point.candidates) {
    if (!candidate.asks) continue;
    Event& request = requests_.emplace_back();
    request.step = StepOf(candidate);
    Begin(request, candidate);
  }
}

size_t DporStrategy::ChooseAgain(const ChoicePoint& point) {
  Event& event = trace_[turn_];
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    if (IndexOf(point.candidates[i].actor) != event.step.actor) continue;
    Begin(event, point.candidates[i]);
    return i;
  }
  SIM_CHECK(false);  // the world is not a function of its choices
  return kAbandon;
}

size_t DporStrategy::ChooseNew(const ChoicePoint& point) {
  if (states_.size() == turn_) EnterState();
  State& state = states_.back();
  std::optional<size_t> chosen;
  if (turn_ < path_.size()) {
    chosen = ChooseOnPath(point);
  } else {
    chosen = guide_.empty() ? ChooseAny(point, state) : Follow(point, state);
  }
  if (!chosen.has_value()) {
    closed_ = abandoned_ = true;
    return kAbandon;
  }
  Event& event = trace_.emplace_back();
  event.step = StepOf(point.candidates[*chosen]);
  Begin(event, point.candidates[*chosen]);
  return *chosen;
}

// None: a plan that cannot be carried out.
std::optional<size_t> DporStrategy::ChooseOnPath(const ChoicePoint& point) {
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    const Candidate& candidate = point.candidates[i];
    if (!candidate.blocked && IndexOf(candidate.actor) == path_[turn_].actor) return i;
  }
  dead_end_ = DeadEnd{.turns = turn_, .instead = {}};
  for (const Candidate& candidate : point.candidates) {
    if (!candidate.blocked && !states_.back().IsAsleep(IndexOf(candidate.actor))) {
      dead_end_->instead.push_back(StepOf(candidate));
    }
  }
  return std::nullopt;
}

void DporStrategy::EnterState() {
  State state;
  if (turn_ > 0) {
    const Step& last = trace_[turn_ - 1].step;
    for (const Step& step : states_[turn_ - 1].sleep) {
      if (step.actor != last.actor && !Depend(step, last)) state.sleep.push_back(step);
    }
  }
  if (turn_ < path_.size()) {
    const std::vector<Step>& elders = path_[turn_].elders;
    state.sleep.insert(state.sleep.end(), elders.begin(), elders.end());
  }
  state.inherited = state.sleep.size();
  states_.push_back(std::move(state));
}

// Takes the first branch of the guide, and leaves the others for later.
std::optional<size_t> DporStrategy::Follow(const ChoicePoint& point, State& state) {
  Branch branch = std::move(guide_.front());
  state.todo.insert(state.todo.end(), std::make_move_iterator(guide_.begin() + 1),
                    std::make_move_iterator(guide_.end()));
  guide_ = std::move(branch.next);
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    const Candidate& candidate = point.candidates[i];
    if (!candidate.blocked && IndexOf(candidate.actor) == branch.step.actor) return i;
  }
  // A plan that cannot be carried out says nothing about what else can be done here.
  guide_.clear();
  for (const Candidate& candidate : point.candidates) {
    if (!candidate.blocked && !state.IsAsleep(IndexOf(candidate.actor))) {
      state.todo.push_back({.step = StepOf(candidate), .whole = true});
    }
  }
  if (state.todo.empty()) return std::nullopt;
  guide_.push_back(std::move(state.todo.front()));
  state.todo.erase(state.todo.begin());
  return Follow(point, state);
}

std::optional<size_t> DporStrategy::ChooseAny(const ChoicePoint& point, const State& state) {
  std::optional<size_t> chosen;
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    const Candidate& candidate = point.candidates[i];
    if (candidate.blocked || state.IsAsleep(IndexOf(candidate.actor))) continue;
    if (candidate.actor == Actor{Actor::Kind::kTask, point.running.value}) return i;
    if (!chosen.has_value()) chosen = i;
  }
  return chosen;
}

bool DporStrategy::State::IsAsleep(ActorIndex actor) const {
  return std::any_of(sleep.begin(), sleep.end(),
                     [actor](const Step& step) { return step.actor == actor; });
}

void DporStrategy::OnTurn(const Turn& turn) {
  if (closed_) return;
  Event& event = trace_[turn_];
  if (turn_++ < replayed_) return;
  event.step.fixed = event.step.certain = true;
  event.step.accesses.clear();
  for (const Footprint& access : turn.accesses) {
    if (access.object.valid()) event.step.accesses.push_back(access);
  }
}

void DporStrategy::OnEnd() {
  closed_ = true;
  ++(abandoned_ ? redundant_ : executions_);
  FindRaces();
}

// Of a turn that has not been taken: what comes after its first access is not known.
DporStrategy::Step DporStrategy::StepOf(const Candidate& candidate) {
  Step step{IndexOf(candidate.actor), candidate.asks, /*fixed=*/false, /*certain=*/false, {}};
  if (candidate.next.object.valid()) step.accesses.push_back(candidate.next);
  return step;
}

// What has to come before a turn that begins as `candidate`.
void DporStrategy::Begin(Event& event, const Candidate& candidate) {
  const ActorIndex actor = event.step.actor;
  if (last_turn_.size() <= actor) last_turn_.resize(actor + 1, 0);
  event.previous = last_turn_[actor];
  event.nth = event.previous > 0 ? trace_[event.previous - 1].nth + 1 : 1;
  event.enabler = candidate.actor.kind == Actor::Kind::kTask
                      ? static_cast<uint32_t>(candidate.since)
                      : CreatorOf(candidate.actor.id);
  last_turn_[actor] = turn_ + 1;
}

// How many turns had begun when an event was made.
uint32_t DporStrategy::CreatorOf(uint32_t event) const {
  return static_cast<uint32_t>(std::upper_bound(events_begin_.begin(), events_begin_.end(), event) -
                               events_begin_.begin());
}

DporStrategy::ActorIndex DporStrategy::IndexOf(const Actor& actor) {
  std::vector<ActorIndex>& known = actor.kind == Actor::Kind::kTask ? tasks_ : events_;
  if (actor.id >= known.size()) known.resize(actor.id + 1, kNoDporActor);
  ActorIndex& index = known[actor.id];
  if (index != kNoDporActor) return index;
  if (actor.kind == Actor::Kind::kTask) return index = actors_->Task(TaskId{actor.id});
  const uint32_t turns = CreatorOf(actor.id);
  const EventKey key = turns == 0 ? EventKey{kNoDporActor, 0, actor.id}
                                  : EventKey{trace_[turns - 1].step.actor, trace_[turns - 1].nth,
                                             actor.id - events_begin_[turns - 1]};
  const auto [it, is_new] = events_by_key_.try_emplace(key, kNoDporActor);
  if (is_new) it->second = std::apply(std::bind_front(&DporActors::Event, actors_.get()), key);
  return index = it->second;
}

// --- Races ---------------------------------------------------------------------------------------

void DporStrategy::FindRaces() {
  touched_.clear();
  races_.clear();
  for (uint32_t turn = 0; turn < trace_.size(); ++turn) {
    Event& event = trace_[turn];
    if (turn >= replayed_) {
      event.before = ClockBefore(event);
      AddHandOver(event);
      FindRacesOf(event);
      event.clock = event.before;
      for (const uint32_t other : dependent_) Join(event.clock, trace_[other].clock);
      event.clock.resize(std::max<size_t>(event.clock.size(), event.step.actor + 1));
      event.clock[event.step.actor] = event.nth;
    }
    for (const Footprint& access : event.step.accesses) Touch(access, turn);
  }
  for (Event& request : requests_) {
    request.before = ClockBefore(request);
    FindRacesOf(request);
  }
  for (const Race& race : races_) Reverse(race);
}

DporStrategy::Clock DporStrategy::ClockBefore(const Event& event) const {
  Clock clock;
  if (event.enabler > 0) clock = trace_[event.enabler - 1].clock;
  if (event.previous > 0) Join(clock, trace_[event.previous - 1].clock);
  return clock;
}

// A lock that was handed over comes from all who gave it up, not only from the last.
void DporStrategy::AddHandOver(Event& event) const {
  if (event.step.accesses.empty()) return;
  const Footprint& lock = event.step.accesses.front();
  if (lock.access != Access::kTake && lock.access != Access::kTakeShared) return;
  const auto touched_lock = touched_.find(lock.object);
  if (touched_lock == touched_.end()) return;
  for (const Touched& touched : touched_lock->second) {
    if (touched.writes || Writes(lock.access)) Join(event.before, trace_[touched.turn].clock);
  }
}

void DporStrategy::Touch(const Footprint& access, uint32_t turn) {
  std::vector<Touched>& touched = touched_[access.object];
  if (touched.empty() || touched.back().turn != turn) touched.push_back({turn, false});
  touched.back().writes |= Writes(access.access);
}

// Leaves in dependent_ the turns that `event` conflicts with, latest first; of turns in a row that
// conflict with each other only the last.
void DporStrategy::FindRacesOf(const Event& event) {
  dependent_.clear();
  for (const Footprint& access : event.step.accesses) {
    const auto found = touched_.find(access.object);
    if (found == touched_.end()) continue;
    const std::vector<Touched>& touched = found->second;
    for (auto it = touched.rbegin(); it != touched.rend(); ++it) {
      if (it->writes || Writes(access.access)) dependent_.push_back(it->turn);
      if (it->writes) break;
    }
  }
  std::sort(dependent_.begin(), dependent_.end(), std::greater<>());
  dependent_.erase(std::unique(dependent_.begin(), dependent_.end()), dependent_.end());
  for (const uint32_t first : dependent_) {
    const bool by_way_of_another =
        IsIn(trace_[first], event.before) ||
        std::any_of(dependent_.begin(), dependent_.end(), [&](uint32_t other) {
          return other > first && IsIn(trace_[first], trace_[other].clock);
        });
    if (!by_way_of_another) races_.push_back({first, &event});
  }
}

// Plans a sequence in which the two come the other way round, unless it has been seen or planned.
void DporStrategy::Reverse(const Race& race) {
  Step moved = race.second->step;
  moved.fixed &= options_.fixed_turns;
  moved.certain = false;
  Reversal reversal(trace_, race.first, moved, race.second->before, options_.fixed_turns);
  if (!reversal.MakePossible()) return;
  State& state = states_[reversal.first()];
  for (const Step& step : state.sleep) {
    if (PlaceOf(step, reversal).has_value()) return;
  }
  if (reversal.first() >= path_.size()) {
    AddSequence(state.todo, 0, std::move(reversal));
  } else {
    std::vector<ActorIndex> actors;
    for (size_t i = 0; i < reversal.size(); ++i) actors.push_back(reversal[i].actor);
    if (!outside_index_.emplace(reversal.first(), std::move(actors)).second) return;
    outside_.emplace_back(reversal.first(), reversal.Kept());
  }
}

}  // namespace sim
