#include "sim/lockdep/class_names.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sim {
namespace {

// A chain's named locks, and the chain as text.
struct NamedChain {
  std::vector<LockClassId> locks;
  std::string text;
  uint8_t irq_context = 0;
};

Acquisition Of(LockClassId lock_class) { return {.lock_class = lock_class}; }

class Projection {
 public:
  Projection(const Validator& from, const ClassNames& names) : from_(from), names_(names) {}

  std::unique_ptr<Validator> Make() && {
    for (uint64_t i = 0; i < from_.chain_count(); ++i) Read(i);
    for (const NamedChain& chain : chains_) Learn(chain);
    for (const LockGraph::Edge& edge : from_.graph().edges()) Learn(edge);
    return std::move(to_);
  }

 private:
  std::optional<LockClassId> ClassOf(LockNodeId node) {
    const std::string* name = names_.Find(from_.NodeName(node).name);
    if (name == nullptr) return std::nullopt;
    return to_->Class(*name);
  }

  // Keeps the chain if its last lock is a named one. A lock of a class that is there already adds
  // nothing.
  void Read(uint64_t index) {
    NamedChain chain;
    chain.irq_context = from_.ChainContext(index);
    bool ends_with_new = false;
    for (const Validator::ChainLink& link : from_.Chain(index)) {
      absl::StrAppend(&chain.text, chain.text.empty() ? "" : " --> ",
                      from_.NodeName(link.node).Text());
      const std::optional<LockClassId> lock = ClassOf(link.node);
      ends_with_new =
          lock && std::find(chain.locks.begin(), chain.locks.end(), *lock) == chain.locks.end();
      if (ends_with_new) chain.locks.push_back(*lock);
    }
    if (!ends_with_new) return;
    waited_under_.emplace(Below(chain.locks), chain.locks.back());
    chains_.push_back(std::move(chain));
  }

  // The nearest named lock below the last one; none: invalid.
  static LockClassId Below(const std::vector<LockClassId>& locks) {
    return locks.size() < 2 ? LockClassId() : locks[locks.size() - 2];
  }

  // A lock that was never waited for under the one below it was tried: what comes next depends on
  // both. Where it was, the order across it follows from the other two.
  void Learn(const NamedChain& chain) {
    std::vector<Acquisition> locks;
    for (LockClassId lock : chain.locks) {
      locks.push_back(Of(lock));
      seen_.emplace(lock, chain.locks.back());
    }
    to_->KnowChain(locks, chain.irq_context);
    std::vector<LockClassId> below = chain.locks;
    for (below.pop_back(); !below.empty(); below.pop_back()) {
      to_->KnowDependency(Of(below.back()), locks.back(), chain.text);
      if (waited_under_.count({Below(below), below.back()}) > 0) break;
    }
  }

  // A dependency of which the chains are not known.
  void Learn(const LockGraph::Edge& edge) {
    const std::optional<LockClassId> held = ClassOf(edge.from), taken = ClassOf(edge.to);
    if (!held || !taken || *held == *taken || seen_.count({*held, *taken}) > 0) return;
    to_->KnowDependency(
        Of(*held), Of(*taken),
        absl::StrCat(from_.NodeName(edge.from).Text(), " --> ", from_.NodeName(edge.to).Text()));
  }

  const Validator& from_;
  const ClassNames& names_;
  std::unique_ptr<Validator> to_ = std::make_unique<Validator>();
  std::vector<NamedChain> chains_;
  std::set<std::pair<LockClassId, LockClassId>> waited_under_;  // neighbours: below, last
  std::set<std::pair<LockClassId, LockClassId>> seen_;          // held, last
};

}  // namespace

ClassNames::ClassNames(const std::vector<ClassAlias>& aliases) {
  for (const ClassAlias& alias : aliases) {
    exact_.emplace(alias.name, alias.name);
    for (const std::string& known : alias.known_as) {
      if (!known.empty() && known.back() == '*') {
        prefixes_.emplace_back(known.substr(0, known.size() - 1), alias.name);
      } else {
        exact_.emplace(known, alias.name);
      }
    }
  }
  std::stable_sort(prefixes_.begin(), prefixes_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

const std::string* ClassNames::Find(std::string_view class_name) const {
  if (auto it = exact_.find(class_name); it != exact_.end()) return &it->second;
  for (const auto& [prefix, name] : prefixes_) {
    if (class_name.substr(0, prefix.size()) == prefix) return &name;
  }
  return nullptr;
}

std::unique_ptr<Validator> Project(const Validator& validator, const ClassNames& names) {
  return Projection(validator, names).Make();
}

}  // namespace sim
