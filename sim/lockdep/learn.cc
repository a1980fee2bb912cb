// What the validator concludes from each new fact, and how it learns another's.

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check.h"
#include "sim/lockdep/validator.h"

namespace sim {

const Validator::Use& Validator::HeldUse(const Fact& fact) const {
  return held_[events_[fact.event].first_held + fact.held];
}

void Validator::Learn(const Fact& fact) {
  switch (fact.kind) {
    case Fact::Kind::kUsage:
      return LearnUsage(fact);
    case Fact::Kind::kDependency:
      return LearnDependency(fact);
    case Fact::Kind::kContext:
      return LearnContext(fact);
    case Fact::Kind::kFault:
      return LearnFault(fact);
    case Fact::Kind::kEnd:
      return LearnEnd(fact);
  }
}

// mark_lock(), mark_lock_irq()
void Validator::LearnUsage(const Fact& fact) {
  const LockNodeId node = events_[fact.event].lock.node;
  if ((nodes_[node.value].usage & Mask(fact.bit)) != 0) return;
  facts_.push_back(fact);
  nodes_[node.value].usage |= Mask(fact.bit);
  usage_reach_.Mark(graph_, node, Mask(fact.bit));
  nodes_[node.value].first_use[static_cast<size_t>(fact.bit)] = fact.event;
  if (fact.bit == UsageBit::kUsed) return;
  CheckInconsistentUsage(fact, node);
  CheckIrqInversion(fact, node);
}

void Validator::CheckInconsistentUsage(const Fact& fact, LockNodeId node) {
  UsageMask conflicting = Mask(Opposite(fact.bit));
  if (!IsRead(fact.bit)) conflicting |= Mask(WithRead(Opposite(fact.bit), true));
  if ((nodes_[node.value].usage & conflicting) == 0) return;
  LockReport report = MakeReport(ReportKind::kInconsistentUsage, fact);
  const UsageMask bit = Mask(fact.bit);
  SetConflict(report, node, node, IsIrqOn(fact.bit) ? conflicting : bit,
              IsIrqOn(fact.bit) ? bit : conflicting);
  Report(std::move(report));
}

// check_usage_forwards(), check_usage_backwards()
void Validator::CheckIrqInversion(const Fact& fact, LockNodeId node) {
  const UsageMask wanted = OppositeMask(Mask(fact.bit));
  const bool forwards = !IsIrqOn(fact.bit);
  if (((forwards ? usage_reach_.after(node) : usage_reach_.before(node)) & wanted) == 0) return;
  const ReadMode read = events_[fact.event].lock.read;
  auto conflicts = [&](LockNodeId at, bool weak) {
    return at != node && (nodes_[at.value].usage & wanted & (weak ? kUsageWrite : wanted)) != 0;
  };
  auto skip = [&](LockNodeId at) { return IsPerCpu(at); };
  const auto path =
      forwards ? graph_.SearchForwards(node, read == ReadMode::kSharedRecursive, conflicts, skip)
               : graph_.SearchBackwards(node, read != ReadMode::kExclusive, conflicts, skip);
  if (!path) return;
  LockReport report = MakeReport(ReportKind::kIrqInversion, fact);
  const LockNodeId other =
      forwards ? graph_.edge(path->back().edge).to : graph_.edge(path->front().edge).from;
  if (forwards) {
    SetConflict(report, node, other, Mask(fact.bit), wanted);
  } else {
    SetConflict(report, other, node, wanted, Mask(fact.bit));
  }
  AddPath(*path, kNow, report.irq.path);
  Report(std::move(report));
}

// check_prev_add()
void Validator::LearnDependency(const Fact& fact) {
  const Use& held = HeldUse(fact);
  const Use& taken = events_[fact.event].lock;
  const EdgeKind kind = KindOf(held.read, taken.read);
  if (graph_.Has(held.node, taken.node, kind)) return;
  facts_.push_back(fact);
  const auto tag = static_cast<LockGraph::Tag>(facts_.size() - 1);
  if (graph_.Add(held.node, taken.node, kind, tag)) closing_.push_back(tag);
  usage_reach_.AddEdge(graph_, held.node, taken.node);
  CheckIrqOrder(fact);
}

// check_irq_usage()
void Validator::CheckIrqOrder(const Fact& fact) {
  const Use& held = HeldUse(fact);
  const Use& taken = events_[fact.event].lock;
  if ((OppositeMask(usage_reach_.before(held.node)) & usage_reach_.after(taken.node)) == 0) return;
  auto usage = [&](LockNodeId at, bool weak) {
    return static_cast<UsageMask>(nodes_[at.value].usage & (weak ? kUsageWrite : 0xff));
  };
  auto skip = [&](LockNodeId at) { return IsPerCpu(at); };
  const bool held_weak = held.read != ReadMode::kExclusive;
  const bool taken_weak = taken.read == ReadMode::kSharedRecursive;

  UsageMask safe_bits = 0;
  auto gather = [&](LockNodeId at, bool weak) {
    safe_bits = static_cast<UsageMask>(safe_bits | (usage(at, weak) & kUsageInIrq));
    return false;
  };
  (void)graph_.SearchBackwards(held.node, held_weak, gather, skip);
  if (safe_bits == 0) return;
  UsageMask unsafe_bits = 0;
  LockNodeId unsafe;
  auto is_unsafe = [&](LockNodeId at, bool weak) {
    unsafe = at;
    unsafe_bits = static_cast<UsageMask>(usage(at, weak) & OppositeMask(safe_bits));
    return unsafe_bits != 0;
  };
  const auto after = graph_.SearchForwards(taken.node, taken_weak, is_unsafe, skip);
  if (!after) return;
  LockNodeId safe;
  auto is_safe = [&](LockNodeId at, bool weak) {
    safe = at;
    return (usage(at, weak) & OppositeMask(unsafe_bits)) != 0;
  };
  const auto before = graph_.SearchBackwards(held.node, held_weak, is_safe, skip);
  SIM_CHECK(before.has_value());

  LockReport report = MakeReport(ReportKind::kIrqOrder, fact);
  SetConflict(report, safe, unsafe, OppositeMask(unsafe_bits), unsafe_bits);
  AddPath(*before, kNow, report.irq.path);
  report.irq.path.push_back(MakeEdge(fact));
  AddPath(*after, kNow, report.irq.path);
  Report(std::move(report));
}

// What verdicts on cycles rest on: each set of circumstances in which a lock was waited for.
void Validator::LearnContext(const Fact& fact) {
  const Event& event = events_[fact.event];
  const auto key = [](const Use& use) {
    return use.node.value << 4 | static_cast<uint32_t>(use.read) << 2 | (use.trylock ? 2u : 0u) |
           (use.check ? 1u : 0u);
  };
  std::vector<uint32_t> context = {event.unique_task ? event.task_name + 1 : 0, key(event.lock)};
  for (const Use& use : HeldAt(event)) {
    if (use.irq_context == event.lock.irq_context) context.push_back(key(use));
  }
  if (contexts_.insert(std::move(context)).second) facts_.push_back(fact);
}

void Validator::LearnFault(const Fact& fact) {
  LockReport report = MakeReport(fact.fault, fact);
  if (fact.held != UINT32_MAX) report.holding = MakeUse(HeldUse(fact));
  if (fact.fault == ReportKind::kMisuse) report.headline = names_[fact.headline];
  if (Report(std::move(report))) facts_.push_back(fact);
}

void Validator::LearnEnd(const Fact& fact) {
  const Event& event = events_[fact.event];
  std::set<uint32_t> waits;
  for (const Use& use : HeldAt(event)) waits.insert(use.node.value);
  std::vector<uint32_t> end = {event.lock.node.value};
  end.insert(end.end(), waits.begin(), waits.end());
  if (ends_.insert(std::move(end)).second) facts_.push_back(fact);
}

void Validator::ConcludeFromEnds() {
  std::map<uint32_t, std::vector<uint32_t>> ends;  // by the event's node
  for (const Fact& fact : facts_) {
    if (fact.kind != Fact::Kind::kEnd) continue;
    ends[events_[fact.event].lock.node.value].push_back(fact.event);
  }
  for (const auto& [node, numbers] : ends) {
    const Event first = events_[numbers[0]];
    for (uint32_t i = first.first_held; i < first.first_held + first.held_count; ++i) {
      const Use wait = held_[i];
      const bool always = std::all_of(numbers.begin(), numbers.end(), [&](uint32_t number) {
        const auto waits = HeldAt(events_[number]);
        return std::any_of(waits.begin(), waits.end(),
                           [&](const Use& other) { return other.node == wait.node; });
      });
      if (!always || wait.node.value == node) continue;
      Event before = first;
      before.lock = wait;
      before.first_held = static_cast<uint32_t>(held_.size());
      before.held_count = 1;
      held_.push_back(first.lock);
      events_.push_back(before);
      const auto number = static_cast<uint32_t>(events_.size() - 1);
      Learn({.kind = Fact::Kind::kContext, .event = number});  // in which nothing guards
      Learn({.kind = Fact::Kind::kDependency, .event = number, .held = 0, .learnt = true});
    }
  }
}

bool Validator::Report(LockReport report) {
  ReportCycles();
  return Keep(std::move(report));
}

void Validator::ReportCycles() const {
  for (uint32_t number : std::exchange(closing_, {})) {
    const Fact& fact = facts_[number];
    const Use& held = HeldUse(fact);
    const Use& taken = events_[fact.event].lock;
    LockReport report = MakeReport(ReportKind::kLockCycle, fact, fact.event);
    const auto way = graph_.WayBack(held.node, taken.node, KindOf(held.read, taken.read));
    report.cycle.edges.reserve(1 + way.size());
    report.cycle.edges.push_back(MakeEdge(fact, fact.event));
    AddPath(way, fact.event, report.cycle.edges);
    Keep(std::move(report));
  }
}

bool Validator::Keep(LockReport report) const {
  const bool is_new = reported_.insert(Message(report)).second;
  if (is_new) reports_.push_back(std::move(report));
  return is_new;
}

LockName Validator::NodeName(LockNodeId node) const {
  const Node& at = nodes_[node.value];
  const LockClass& lock_class = classes_[at.lock_class.value];
  return {lock_class.name,
          at.subclass,
          at.usage,
          OuterLevel(node),
          WaitLevel(lock_class.traits.inner),
          lock_class.traits.checker_only};
}

UsageMask Validator::UsageAsOf(LockNodeId node, uint32_t as_of) const {
  const Node& at = nodes_[node.value];
  UsageMask usage = 0;
  for (UsageMask left = at.usage; left != 0; left = static_cast<UsageMask>(left & (left - 1))) {
    const int bit = std::countr_zero(left);
    if (at.first_use[static_cast<size_t>(bit)] <= as_of) {
      usage = static_cast<UsageMask>(usage | Mask(static_cast<UsageBit>(bit)));
    }
  }
  return usage;
}

LockUse Validator::MakeUse(const Use& use, uint32_t as_of) const {
  LockName name = NodeName(use.node);
  name.usage = UsageAsOf(use.node, as_of);
  return {std::move(name),
          use.read,
          use.trylock,
          use.sync,
          names_[use.instance_name],
          use.site,
          stacks_.Frames(use.stack)};
}

LockActor Validator::MakeActor(const Event& event) const {
  return {names_[event.task_name], event.task, event.execution, event.step, event.irq};
}

LockEdge Validator::MakeEdge(const Fact& fact, uint32_t as_of) const {
  return {MakeUse(HeldUse(fact), as_of), MakeUse(events_[fact.event].lock, as_of),
          MakeActor(events_[fact.event]), fact.learnt};
}

void Validator::AddPath(const LockGraph::Path& path, uint32_t as_of,
                        std::vector<LockEdge>& edges) const {
  for (const LockGraph::Hop& hop : path) {
    const auto& tags = graph_.edge(hop.edge).tag;
    edges.push_back(MakeEdge(facts_[tags[static_cast<size_t>(hop.kind)]], as_of));
  }
}

LockEdge Validator::FirstSeen(const LockGraph::Edge& edge) const {
  const LockGraph::Tag* first = nullptr;
  for (size_t kind = 0; kind < edge.tag.size(); ++kind) {
    if ((edge.kinds >> kind & 1) == 0) continue;
    if (first == nullptr || edge.tag[kind] < *first) first = &edge.tag[kind];
  }
  SIM_CHECK(first != nullptr);
  return MakeEdge(facts_[*first]);
}

LockReport Validator::MakeReport(ReportKind kind, const Fact& fact, uint32_t as_of) const {
  const Event& event = events_[fact.event];
  LockReport report;
  report.kind = kind;
  report.actor = MakeActor(event);
  report.lock = MakeUse(event.lock, as_of);
  for (uint32_t i = 0; i < event.held_count; ++i) {
    report.held.push_back(MakeUse(held_[event.first_held + i], as_of));
  }
  return report;
}

// The first bits, exclusive before shared, in which the two are at odds.
void Validator::SetConflict(LockReport& report, LockNodeId safe, LockNodeId unsafe,
                            UsageMask safe_bits, UsageMask unsafe_bits) const {
  const Node& safe_node = nodes_[safe.value];
  const Node& unsafe_node = nodes_[unsafe.value];
  for (UsageBit in : {UsageBit::kInHardirq, UsageBit::kInHardirqRead, UsageBit::kInSoftirq,
                      UsageBit::kInSoftirqRead}) {
    for (UsageBit on : {Opposite(in), WithRead(Opposite(in), true)}) {
      if ((safe_node.usage & safe_bits & Mask(in)) == 0) continue;
      if ((unsafe_node.usage & unsafe_bits & Mask(on)) == 0) continue;
      const Event& safe_event = events_[safe_node.first_use[static_cast<size_t>(in)]];
      const Event& unsafe_event = events_[unsafe_node.first_use[static_cast<size_t>(on)]];
      report.irq = {in,
                    on,
                    MakeUse(safe_event.lock),
                    MakeUse(unsafe_event.lock),
                    MakeActor(safe_event),
                    MakeActor(unsafe_event),
                    {}};
      return;
    }
  }
  SIM_CHECK(!"two usages in conflict");
}

void Validator::Merge(const Validator& other, uint64_t first_execution) {
  for (const LockClass& lock_class : other.classes_) Class(lock_class.name, lock_class.traits);
  std::vector<uint32_t> imported(other.events_.size(), UINT32_MAX);
  for (Fact fact : other.facts_) {
    const bool is_first = imported[fact.event] == UINT32_MAX;
    const Event& theirs = other.events_[fact.event];
    uint32_t& ours = imported[fact.event];
    if (is_first) ours = Import(other, theirs, first_execution);
    const size_t facts_before = facts_.size();
    fact.event = ours;
    if (fact.fault == ReportKind::kMisuse) fact.headline = Intern(other.names_[fact.headline]);
    Learn(fact);
    if (is_first && facts_.size() == facts_before) {  // no news
      held_.resize(events_.back().first_held);
      events_.pop_back();
      ours = UINT32_MAX;
    }
  }
  for (uint64_t i = 0; i < other.chain_count(); ++i) {
    std::vector<ChainLink> links = other.Chain(i);
    for (ChainLink& link : links) link.node = ImportNode(other, link.node);
    AddChain(links, other.ChainContext(i));
  }
  not_unique_.insert(other.not_unique_.begin(), other.not_unique_.end());
}

LockNodeId Validator::ImportNode(const Validator& other, LockNodeId node) {
  const Node& theirs = other.nodes_[node.value];
  return NodeOf(Class(other.ClassName(theirs.lock_class)), theirs.subclass);
}

uint32_t Validator::Import(const Validator& other, const Event& event, uint64_t first_execution) {
  auto import = [&](Use use) {
    use.node = ImportNode(other, use.node);
    use.instance_name = Intern(other.names_[use.instance_name]);
    use.stack = InternStack(&other.stacks_, use.stack);
    return use;
  };
  Event ours = event;
  ours.execution += first_execution;
  ours.lock = import(event.lock);
  ours.task_name = Intern(other.names_[event.task_name]);
  ours.first_held = static_cast<uint32_t>(held_.size());
  for (uint32_t i = 0; i < event.held_count; ++i) {
    held_.push_back(import(other.held_[event.first_held + i]));
  }
  events_.push_back(ours);
  return static_cast<uint32_t>(events_.size() - 1);
}

}  // namespace sim
