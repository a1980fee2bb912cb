// A real device with a volatile write cache while a recording of its writes is played back, and
// what a power cut could have left on it.
//
// The rules are those of sim/block: a write may be on the medium from its entry on, unit by unit
// and in any order with others; it is durable after a later FLUSH, or at once if it was FUA. A
// write that carries FLUSH comes after its flush. A discarded unit may be as before or zero, until
// it is written again and that is durable.
//
// What a recording does not tell is when a write was submitted and completed: each is taken as
// completed when the next entry comes. dm-log-writes records completed writes only, in the order
// that this needs; of a filter that records at submission, a write still in flight at a FLUSH is
// taken as covered by it, so states in which that write is lost are not considered.
#pragma once

#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "model/recorded/contents.h"
#include "model/recorded/recording.h"

namespace model {

struct UnitVersion {
  static constexpr uint32_t kBase = UINT32_MAX;

  ContentId content = 0;
  uint32_t entry = kBase;  // that wrote it; kBase: there before the recording
  bool discarded = false;
};

class Medium : public UnitSets {
 public:
  // `base`: the device before the recording; what lies behind it is not looked at. `contents`
  // outlives this.
  Medium(ContentTable& contents, std::string_view base);

  // Entry `number` is on its way, then done: only an FUA write makes a difference between the two.
  // Requires: the entry begins and ends with a unit, or lies behind the base.
  void Submit(const RecordedEntry& entry, uint32_t number);
  void Complete(const RecordedEntry& entry);

  // Behind the end of the base: zeros.
  absl::Span<const ContentId> At(uint64_t unit) const override;
  // Requires: unit < units(). All versions of the unit that may be there, oldest first; equal
  // contents may come twice.
  std::vector<UnitVersion> VersionsAt(uint64_t unit) const;
  // The units with more than one content, ascending.
  const absl::btree_set<uint64_t>& varying() const { return varying_; }
  uint64_t units() const { return base_.size(); }

 private:
  struct Unit {
    std::vector<UnitVersion> versions;  // oldest first
    std::vector<ContentId> contents;    // of them, each once, the newest last
  };

  void Update(uint64_t number, Unit& unit);
  // All but the last version, and what a discard may have left, is gone.
  void MakeDurable(uint64_t number);

  ContentTable& contents_;
  const ContentId zeros_;
  std::vector<ContentId> base_;
  absl::btree_map<uint64_t, Unit> written_;
  absl::btree_set<uint64_t> pending_;  // with more than one version
  absl::btree_set<uint64_t> varying_;
};

// The state in which every write arrived.
class NewestContents : public UnitSets {
 public:
  explicit NewestContents(const UnitSets& sets) : sets_(sets) {}
  absl::Span<const ContentId> At(uint64_t unit) const override { return sets_.At(unit).last(1); }

 private:
  const UnitSets& sets_;
};

}  // namespace model
