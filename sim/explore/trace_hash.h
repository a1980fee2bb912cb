// Which Mazurkiewicz trace (dpor.h) the turns taken so far are: the same for any order of
// independent turns, and another for another trace, but for the odds of 128 bits.
//
// A trace is told by who touched each object between which of its writes. Events and objects go by
// who made them, since their ids depend on the order of independent turns.
//
// Linear in the accesses.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/engine/strategy.h"

namespace sim {

class TraceHash {
 public:
  struct Value {
    uint64_t high = 0, low = 0;

    bool operator==(const Value&) const = default;
    template <class H>
    friend H AbslHashValue(H hash, const Value& value) {
      return H::combine(std::move(hash), value.high, value.low);
    }
  };

  void Clear();
  // `candidate` takes the next turn.
  void Begin(const ChoicePoint& point, const Candidate& candidate);
  void End(const Turn& turn);

  const Value& value() const { return value_; }

 private:
  struct Begun {
    Value actor;
    uint32_t nth = 0;  // of its actor's turns
  };

  static Value Mix(Value value, uint64_t word);
  // By turn: which was the next before it.
  using Begins = std::vector<uint32_t>;

  Value NameOf(uint64_t kind, const Begins& begins, uint32_t id) const;
  Value NameOf(const Actor& actor) const;
  Value NameOf(ObjectId object) const;
  void Add(const Value& fact);

  Begins events_begin_, objects_begin_, fields_begin_;
  std::vector<Begun> turns_;
  absl::flat_hash_map<Value, uint32_t> turns_of_;   // by actor; look-up only, as the next
  absl::flat_hash_map<ObjectId, uint32_t> writes_;  // so far
  Value value_;
};

}  // namespace sim
