#include "sim/explore/trace_hash.h"

#include <algorithm>

#include "sim/engine/world.h"

namespace sim {

void TraceHash::Clear() {
  events_begin_.clear();
  objects_begin_.clear();
  fields_begin_.clear();
  turns_.clear();
  turns_of_.clear();
  writes_.clear();
  value_ = {};
}

// Two lanes of the finaliser of SplitMix64, with constants of their own.
TraceHash::Value TraceHash::Mix(Value value, uint64_t word) {
  const auto mix = [](uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  };
  return {mix((value.high ^ word) + 0x9e3779b97f4a7c15),
          mix((value.low + word) ^ 0xd1b54a32d192ed03)};
}

// Of what has that number: as which of which turn's it was made.
TraceHash::Value TraceHash::NameOf(uint64_t kind, const Begins& begins, uint32_t id) const {
  if (id < begins.front()) return Mix({kind, kind}, id);
  const auto made = std::upper_bound(begins.begin(), begins.end(), id);
  const Begun& creator = turns_[static_cast<size_t>(made - begins.begin()) - 1];
  return Mix(Mix(Mix(creator.actor, kind), creator.nth), id - *(made - 1));
}

TraceHash::Value TraceHash::NameOf(const Actor& actor) const {
  if (actor.kind == Actor::Kind::kTask) return Mix({1, 2}, actor.id);
  return NameOf(3, events_begin_, actor.id);
}

TraceHash::Value TraceHash::NameOf(ObjectId object) const {
  const bool is_field = object.value >= World::kFirstField;
  return is_field ? NameOf(4, fields_begin_, object.value)
                  : NameOf(5, objects_begin_, object.value);
}

void TraceHash::Begin(const ChoicePoint& point, const Candidate& candidate) {
  events_begin_.push_back(point.events_end.value);
  objects_begin_.push_back(point.objects_end.value);
  fields_begin_.push_back(point.fields_end.value);
  const Value actor = NameOf(candidate.actor);
  const uint32_t nth = ++turns_of_[actor];
  Value fact = Mix(Mix(actor, 6), nth);
  if (candidate.actor.kind == Actor::Kind::kTask && candidate.since > 0) {
    const Begun& enabler = turns_[candidate.since - 1];
    fact = Mix(Mix(Mix(fact, enabler.actor.high), enabler.actor.low), enabler.nth);
  }
  Add(fact);
  turns_.push_back({actor, nth});
}

void TraceHash::End(const Turn& turn) {
  const Begun& begun = turns_.back();
  Value fact = Mix(Mix(begun.actor, 7), begun.nth);
  for (const Footprint& access : turn.accesses) {
    if (!access.object.valid()) continue;
    uint32_t& writes = writes_[access.object];
    if (Writes(access.access)) ++writes;
    const Value object = NameOf(access.object);
    fact = Mix(Mix(Mix(fact, object.high), object.low),
               uint64_t{writes} << 8 | static_cast<uint8_t>(access.access));
  }
  Add(fact);
}

void TraceHash::Add(const Value& fact) {
  value_.high += fact.high;
  value_.low += fact.low;
}

}  // namespace sim
