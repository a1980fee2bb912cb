// Partial-order reduction is as right as the footprints of turns. Here executions of the file
// system's scenarios are run again with two turns swapped that their footprints call independent:
// from there on each actor must do what it did, and all must end as it ended.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "model/scenario/execution.h"
#include "sim/engine/random.h"
#include "tests/suite/device_contents.h"
#include "tests/suite/named_turns.h"
#include "tests/suite/suite.h"

namespace {

using scenario::Scenario;
using suite::Name;
using suite::NamedTurn;
using suite::Names;
using suite::TurnNamer;

// What comes once the threads have returned, or nobody can go on, is no choice.
bool IsOver(const sim::ChoicePoint& point) {
  return point.winding_down || std::all_of(point.candidates.begin(), point.candidates.end(),
                                           [](const sim::Candidate& c) { return c.blocked; });
}

// A way at random. Says which neighbouring turns could change places.
class RandomWay final : public sim::Strategy {
 public:
  RandomWay(Names& names, uint64_t seed) : namer_(names), random_(seed, "choices") {}

  void OnStart(const sim::World& world) override { world_ = &world; }
  bool wants_turns() const override { return true; }
  size_t Choose(const sim::ChoicePoint& point) override {
    if (over_ || IsOver(point)) {
      over_ = true;
      return 0;
    }
    const size_t chosen = Pick(point);
    where_.push_back(Where(point.candidates[chosen].actor));
    std::vector<Name>& others = others_.emplace_back();
    for (size_t i = 0; i < point.candidates.size(); ++i) {
      if (i != chosen && !point.candidates[i].blocked) {
        others.push_back(namer_.ActorOf(point.candidates[i]));
      }
    }
    namer_.Begin(point, point.candidates[chosen]);
    return chosen;
  }
  void OnTurn(const sim::Turn& turn) override {
    if (!over_) namer_.End(turn);
  }

  const std::vector<NamedTurn>& turns() const { return namer_.turns(); }

  // The function that the task of the turn is in.
  const std::string& where(size_t turn) const { return where_[turn]; }

  // The first of each pair.
  std::vector<size_t> Swaps() const {
    std::vector<size_t> swaps;
    for (size_t i = 0; i + 1 < turns().size(); ++i) {
      const NamedTurn& first = turns()[i];
      const NamedTurn& second = turns()[i + 1];
      const bool could_come_first =
          std::find(others_[i].begin(), others_[i].end(), second.actor) != others_[i].end();
      if (could_come_first && second.enabler != i + 1 && !Conflict(first, second)) {
        swaps.push_back(i);
      }
    }
    return swaps;
  }

 private:
  // Mostly the same task goes on, so that each comes far before the next; timers that are far off
  // stay for the end, as what is decided by the time depends on all turns before.
  size_t Pick(const sim::ChoicePoint& point) {
    sim::Nanos earliest = INT64_MAX;
    for (const sim::Candidate& candidate : point.candidates) {
      if (!candidate.blocked) earliest = std::min(earliest, candidate.ready_at);
    }
    std::vector<size_t> near;
    for (size_t i = 0; i < point.candidates.size(); ++i) {
      const sim::Candidate& candidate = point.candidates[i];
      if (candidate.blocked || candidate.ready_at - earliest > kFarNanos) continue;
      if (candidate.actor == last_ && !random_.OneIn(4)) return i;
      near.push_back(i);
    }
    const size_t chosen = near[random_.UniformBelow(near.size())];
    last_ = point.candidates[chosen].actor;
    return chosen;
  }

  std::string Where(const sim::Actor& actor) const {
    if (actor.kind == sim::Actor::Kind::kEvent) return "event";
    const sim::Task& task = *world_->tasks()[actor.id];
    const auto frames = world_->stack_table().Frames(task.stack());
    return task.name() + (frames.empty() ? "" : absl::StrCat(" in ", frames[0]->function));
  }

  static constexpr sim::Nanos kFarNanos = 1'000'000'000;

  const sim::World* world_ = nullptr;
  TurnNamer namer_;
  std::vector<std::string> where_;  // by turn
  sim::RandomStream random_;
  sim::Actor last_;
  std::vector<std::vector<Name>> others_;  // by turn: who else could have gone
  bool over_ = false;
};

// Another way with two turns swapped; says where it could not be taken, or its turns were others.
//
// The two themselves may do what they did in each other's place: of completions that count
// something down, the last does what there is to do then. Together they must do the same.
class SwappedWay final : public sim::Strategy {
 public:
  // `first` and the turn behind it change places.
  SwappedWay(Names& names, const std::vector<NamedTurn>& way, size_t first)
      : names_(names), namer_(names), way_(way), first_(first) {
    std::swap(way_[first], way_[first + 1]);
  }

  bool wants_turns() const override { return true; }
  size_t Choose(const sim::ChoicePoint& point) override {
    if (over_ || IsOver(point)) {
      over_ = true;
      return 0;
    }
    const size_t turn = namer_.turns().size();
    if (turn == way_.size()) return GiveUp("goes on after its end");
    for (size_t i = 0; i < point.candidates.size(); ++i) {
      if (namer_.ActorOf(point.candidates[i]) != way_[turn].actor) continue;
      if (point.candidates[i].blocked) return GiveUp("is blocked");
      namer_.Begin(point, point.candidates[i]);
      return i;
    }
    return GiveUp("cannot go on");
  }
  void OnTurn(const sim::Turn& turn) override {
    if (over_) return;
    namer_.End(turn);
    const size_t at = namer_.turns().size() - 1;
    if (at == first_ || !difference_.empty()) return;
    const size_t begin = at == first_ + 1 ? first_ : at;
    const Accesses wanted = AccessesOf(way_, begin, at),
                   found = AccessesOf(namer_.turns(), begin, at);
    if (found == wanted) return;
    difference_ = absl::StrCat(Where(at), " touches\n", Text(found), "instead of\n", Text(wanted));
  }

  // Empty: none.
  std::string difference() const {
    const bool whole = !difference_.empty() || namer_.turns().size() == way_.size();
    return whole ? difference_ : "it ends early";
  }

 private:
  using Accesses = std::vector<std::pair<Name, sim::Access>>;

  size_t GiveUp(const std::string& why) {
    const size_t turn = namer_.turns().size();
    if (difference_.empty()) difference_ = absl::StrCat(Where(turn), " ", why);
    over_ = true;
    return kAbandon;
  }
  std::string Where(size_t turn) const {
    const std::string actor = turn < way_.size() ? names_.Text(way_[turn].actor) : "nobody";
    return absl::StrCat("turn ", turn, ", ", actor, ",");
  }
  // In order; of two turns what they touch between them.
  static Accesses AccessesOf(const std::vector<NamedTurn>& turns, size_t begin, size_t last) {
    Accesses accesses = turns[begin].accesses;
    if (begin == last) return accesses;
    accesses.insert(accesses.end(), turns[last].accesses.begin(), turns[last].accesses.end());
    std::sort(accesses.begin(), accesses.end());
    accesses.erase(std::unique(accesses.begin(), accesses.end()), accesses.end());
    return accesses;
  }
  std::string Text(const Accesses& accesses) const {
    std::string text;
    for (const auto& [object, access] : accesses) {
      absl::StrAppend(&text, "  ", names_.Text(object), sim::Writes(access) ? " (writes)\n" : "\n");
    }
    return text;
  }

  const Names& names_;
  TurnNamer namer_;
  std::vector<NamedTurn> way_;
  size_t first_ = 0;
  std::string difference_;
  bool over_ = false;
};

// How an execution has ended.
struct Outcome {
  std::set<std::string> findings;
  std::set<std::string> lock_graph;
  std::vector<uint64_t> final_states;
  std::string device;

  bool operator==(const Outcome&) const = default;
};

Outcome Run(const Scenario& scenario, uint64_t seed, sim::Strategy& strategy) {
  scenario::Workbench bench(scenario, nullptr);
  sim::Validator locks;
  suite::DeviceContents device;
  const auto result = scenario::RunExecution(
      bench, {.seed = seed, .covers = true, .recorder = &device}, strategy, locks);
  Outcome outcome{.final_states = result.coverage.final_states, .device = device.Value().ToHex()};
  for (const sim::Finding& finding : result.findings) {
    outcome.findings.insert(finding.kind + ": " + finding.message);
  }
  for (const sim::LockGraph::Edge& edge : locks.graph().edges()) {
    outcome.lock_graph.insert(absl::StrCat(locks.NodeName(edge.from).Text(), " -> ",
                                           locks.NodeName(edge.to).Text(), " ", edge.kinds));
  }
  return outcome;
}

// What is different, in words.
std::string Difference(const Outcome& before, const Outcome& after) {
  std::string text;
  if (before.findings != after.findings) {
    absl::StrAppend(&text, "other findings: ", testing::PrintToString(before.findings), " and ",
                    testing::PrintToString(after.findings), "\n");
  }
  if (before.lock_graph != after.lock_graph) text += "another lock graph\n";
  if (before.final_states != after.final_states) text += "another final state\n";
  if (before.device != after.device) text += "another device\n";
  return text;
}

struct Tried {
  int swaps = 0;
  std::set<std::string> holes;
};

// One execution at random, and up to `most` of its swaps.
void TrySwaps(const Scenario& scenario, uint64_t seed, size_t most, Tried& tried) {
  Names names;
  RandomWay way(names, seed);
  const Outcome outcome = Run(scenario, seed, way);
  std::vector<size_t> swaps = way.Swaps();
  sim::RandomStream random(seed, "swaps");
  while (swaps.size() > most) {
    swaps.erase(swaps.begin() + static_cast<ptrdiff_t>(random.UniformBelow(swaps.size())));
  }
  for (const size_t swap : swaps) {
    SwappedWay swapped(names, way.turns(), swap);
    const Outcome after = Run(scenario, seed, swapped);
    ++tried.swaps;
    const std::string difference =
        swapped.difference().empty() ? Difference(outcome, after) : swapped.difference();
    if (difference.empty()) continue;
    tried.holes.insert(absl::StrCat(scenario.name, ", seed ", seed, ": turns ", swap, " (",
                                    way.where(swap), ") and ", swap + 1, " (", way.where(swap + 1),
                                    ") swapped: ", difference));
  }
}

Tried TryFolders(const std::vector<std::string>& folders, uint64_t seeds, size_t swaps) {
  Tried tried;
  for (const std::string& folder : folders) {
    for (const std::string& path : suite::Paths(folder)) {
      const Scenario scenario = suite::Load(path);
      if (scenario.program) continue;
      for (uint64_t seed = 1; seed <= seeds; ++seed) TrySwaps(scenario, seed, swaps, tried);
    }
  }
  return tried;
}

// Not those of xfstests: they go on for long enough that a transaction's age decides something.
TEST(CommutationTest, SwappedIndependentTurnsLeadToTheSame) {
  const Tried tried = TryFolders({"scenarios/complete", "scenarios/crash", "scenarios/designs",
                                  "scenarios/regressions", "scenarios/seed"},
                                 2, 8);
  EXPECT_THAT(tried.holes, testing::IsEmpty());
  EXPECT_GE(tried.swaps, 500);
}

}  // namespace
