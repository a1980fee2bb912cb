#include "model/program/lock_instances.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace model {
namespace {

constexpr size_t kMostWaits = 100'000;  // beyond, nothing is said
constexpr size_t kMostNamed = 4;        // in a line

// The next instructions; the second one of a trylock is where it goes without the lock.
std::vector<uint32_t> Next(const std::vector<Instruction>& code, uint32_t at) {
  switch (code[at].op) {
    case Opcode::kJump:
      return {code[at].jump};
    case Opcode::kJumpUnless:
    case Opcode::kTrylock:
      return {at + 1, code[at].jump};
    default:
      return {at + 1};
  }
}

// Waits for something that is no lock, or is waited for like one.
bool WaitsOtherwise(Opcode op) {
  return op == Opcode::kWait || op == Opcode::kWaitUntil || op == Opcode::kFlush ||
         op == Opcode::kAlloc || op == Opcode::kReclaimBegin;
}

bool SetsMe(const Routine& routine) {
  return std::any_of(routine.code.begin(), routine.code.end(),
                     [](const Instruction& code) { return code.into == 0; });
}

}  // namespace

LockInstances::LockInstances(const LockProgram& program) : program_(program) {
  for (const auto* routines : {&program.threads, &program.works}) {
    for (const Routine& routine : *routines) known_ = known_ && Gather(routine);
  }
  if (known_) FindCircles();
}

// What may be held before each instruction grows until nothing is new. What is left at the end is
// there when the routine starts over.
bool LockInstances::Gather(const Routine& routine) {
  const auto end = static_cast<uint32_t>(routine.code.size());
  std::vector<std::optional<Locks>> before(routine.code.size() + 1);
  before[0] = Locks();
  std::vector<uint32_t> open = {0};
  const auto reach = [&](uint32_t at, const Locks& held) {
    Locks all = before[at].value_or(Locks());
    all.insert(held.begin(), held.end());
    if (before[at] == all) return;
    before[at] = std::move(all);
    open.push_back(at);
  };
  while (!open.empty()) {
    const uint32_t at = open.back();
    open.pop_back();
    Locks held = *before[at];
    if (at == end) {
      reach(0, held);
      continue;
    }
    const Locks without = held;
    if (!Follow(routine, routine.code[at], held)) return false;
    bool first = true;
    for (const uint32_t next : Next(routine.code, at)) {
      const bool not_got = !first && routine.code[at].op == Opcode::kTrylock;
      reach(next, not_got ? without : held);
      first = false;
    }
  }
  return true;
}

// False: nothing can be said of the program.
bool LockInstances::Follow(const Routine& routine, const Instruction& code, Locks& held) {
  if (WaitsOtherwise(code.op)) return false;
  if (code.op == Opcode::kUnlock) {
    const Locks locks = LocksOf(routine, code);
    if (!std::includes(held.begin(), held.end(), locks.begin(), locks.end())) return false;
    if (locks.size() == 1) held.erase(*locks.begin());
  } else if (code.op == Opcode::kLock || code.op == Opcode::kTrylock) {
    const Locks locks = LocksOf(routine, code);
    for (const uint32_t lock : held) {
      for (const uint32_t wanted : locks) {
        if (code.op == Opcode::kLock) waits_.insert({lock, wanted});
      }
    }
    held.insert(locks.begin(), locks.end());
  }
  return waits_.size() <= kMostWaits;
}

LockInstances::Locks LockInstances::LocksOf(const Routine& routine, const Instruction& code) const {
  Locks locks;
  if (code.index.IsOfFirstRegister() && !SetsMe(routine)) {
    const int64_t index = code.index.Value({&routine.me, 1});
    if (index >= 0 && index < code.count) locks.insert(code.first + static_cast<uint32_t>(index));
    return locks;
  }
  for (uint32_t i = 0; i < code.count; ++i) locks.insert(code.first + i);
  return locks;
}

void LockInstances::FindCircles() {
  boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS> graph(program_.locks.size());
  for (const auto& [held, wanted] : waits_) boost::add_edge(held, wanted, graph);
  circle_.resize(program_.locks.size());
  boost::strong_components(
      graph, boost::make_iterator_property_map(circle_.begin(), get(boost::vertex_index, graph)));
}

std::string LockInstances::WhyApart(const std::vector<Wait>& cycle) const {
  if (!known_) return "";
  std::optional<Locks> common;  // circles that have each wait so far
  std::vector<std::string> texts;
  for (const Wait& wait : cycle) {
    Locks circles;
    std::vector<std::string> pairs;
    for (const auto& [held, wanted] : waits_) {
      if (program_.locks[held].lock_class != wait.first) continue;
      if (program_.locks[wanted].lock_class != wait.second) continue;
      pairs.push_back(absl::StrCat(Text(held), " --> ", Text(wanted)));
      if (circle_[held] == circle_[wanted]) circles.insert(circle_[held]);
    }
    if (pairs.empty()) return "";  // seen, so not by what the text says alone
    if (pairs.size() > kMostNamed) {
      pairs.resize(kMostNamed);
      pairs.push_back("...");
    }
    texts.push_back(absl::StrJoin(pairs, ", "));
    Locks both;
    if (common) {
      std::set_intersection(common->begin(), common->end(), circles.begin(), circles.end(),
                            std::inserter(both, both.end()));
    }
    common = common ? both : circles;
  }
  if (!common || !common->empty()) return "";
  return absl::StrCat("in this scenario they are never the same locks: ",
                      absl::StrJoin(texts, "; "));
}

std::string LockInstances::Text(uint32_t lock) const {
  const LockDecl& decl = program_.locks[lock];
  const uint64_t number = decl.number != sim::InstanceName::kNoNumber ? decl.number : decl.index;
  return number == sim::InstanceName::kNoNumber ? decl.name
                                                : absl::StrCat(decl.name, "[", number, "]");
}

}  // namespace model
