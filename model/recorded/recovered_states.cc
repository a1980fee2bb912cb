#include "model/recorded/recovered_states.h"

#include <algorithm>
#include <cstring>

namespace model {
namespace {

using Choices = absl::flat_hash_map<uint64_t, ContentId>;

ContentId ContentAt(const UnitSets& sets, const Choices& choices, uint64_t unit) {
  const auto choice = choices.find(unit);
  return choice != choices.end() ? choice->second : sets.At(unit).back();
}

// One device of those that the sets allow: as chosen, and where nothing is, the newest.
class ChosenDevice : public BlockSource {
 public:
  ChosenDevice(const UnitSets& sets, const ContentTable& contents, const Choices& choices,
               std::vector<Pin>& reads)
      : sets_(sets), contents_(contents), choices_(choices), reads_(reads) {}

  void Read(uint64_t offset_bytes, absl::Span<char> bytes) override {
    const uint64_t unit_bytes = contents_.unit_bytes();
    while (!bytes.empty()) {
      const uint64_t unit = offset_bytes / unit_bytes;
      const uint64_t skip = offset_bytes % unit_bytes;
      const size_t size = std::min<size_t>(bytes.size(), unit_bytes - skip);
      std::memcpy(bytes.data(), contents_.Bytes(ReadUnit(unit)).data() + skip, size);
      offset_bytes += size;
      bytes.remove_prefix(size);
    }
  }

 private:
  ContentId ReadUnit(uint64_t unit) {
    const auto [known, is_new] = read_.try_emplace(unit, 0);
    if (is_new) {
      known->second = ContentAt(sets_, choices_, unit);
      reads_.push_back({unit, known->second});
    }
    return known->second;
  }

  const UnitSets& sets_;
  const ContentTable& contents_;
  const Choices& choices_;
  std::vector<Pin>& reads_;
  Choices read_;
};

}  // namespace

RecoveredSets::RecoveredSets(const UnitSets& sets, const LogOutcome& outcome)
    : sets_(sets), outcome_(outcome) {
  for (size_t i = 0; i < outcome.pins.size(); ++i) pins_[outcome.pins[i].unit] = i;
}

absl::Span<const ContentId> RecoveredSets::At(uint64_t unit) const {
  const auto replayed = outcome_.replayed.find(unit);
  if (replayed != outcome_.replayed.end()) return replayed->second.contents;
  const auto pin = pins_.find(unit);
  if (pin != pins_.end()) return absl::MakeConstSpan(&outcome_.pins[pin->second].content, 1);
  return sets_.At(unit);
}

const FileSystemReader::Known& FileSystemReader::Read(const UnitSets& sets,
                                                      const Choices& choices) {
  for (auto known = known_.rbegin(); known != known_.rend(); ++known) {
    if (std::all_of(known->reads.begin(), known->reads.end(), [&](const Pin& read) {
          return ContentAt(sets, choices, read.unit) == read.content;
        })) {
      return *known;
    }
  }
  Known& known = known_.emplace_back();
  ChosenDevice device(sets, contents_, choices, known.reads);
  known.fs = ReadFileSystem(device, size_bytes_);
  return known;
}

bool FileSystemReader::EachFileSystem(const UnitSets& sets, Use use) {
  size_t count = 0;
  std::vector<Choices> open(1);
  while (!open.empty()) {
    if (++count > kMaxFileSystems) return false;
    const Choices choices = std::move(open.back());
    open.pop_back();
    const Known& known = Read(sets, choices);
    std::vector<Pin> pins;
    Choices before = choices;  // and what was read before the unit that differs
    for (const Pin& read : known.reads) {
      const absl::Span<const ContentId> possible = sets.At(read.unit);
      if (possible.size() == 1) continue;
      pins.push_back(read);
      if (!before.try_emplace(read.unit, read.content).second) continue;
      for (const ContentId other : possible) {
        if (other == read.content) continue;
        Choices branch = before;
        branch[read.unit] = other;
        open.push_back(std::move(branch));
      }
    }
    use(known.fs, pins);
  }
  return true;
}

}  // namespace model
