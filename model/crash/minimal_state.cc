#include "model/crash/minimal_state.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/functional/function_ref.h"
#include "model/ondisk/render.h"
#include "sim/check.h"

namespace model {
namespace {

using Bios = std::vector<sim::BioId>;

bool Has(const Bios& bios, sim::BioId bio) { return absl::c_binary_search(bios, bio); }

Bios Without(const Bios& bios, sim::BioId bio) {
  Bios rest;
  absl::c_copy_if(bios, std::back_inserter(rest), [&](sim::BioId other) { return other != bio; });
  return rest;
}

void SortUnique(Bios& bios) {
  absl::c_sort(bios);
  bios.erase(std::unique(bios.begin(), bios.end()), bios.end());
}

// All that is left if only `may_be_lost`, ascending, may be.
class LossView : public DiskView {
 public:
  LossView(const sim::BlockDevice& device, const Bios& may_be_lost)
      : device_(device), may_be_lost_(may_be_lost) {}

  Possible At(uint64_t sector) const override {
    const absl::Span<const sim::PendingVersion> versions = device_.pending(sector);
    size_t oldest = versions.size();
    while (oldest > 0 && Has(may_be_lost_, versions[oldest - 1].bio)) --oldest;
    Possible contents;
    if (oldest == 0) contents.push_back(device_.durable(sector));
    for (size_t i = oldest == 0 ? 0 : oldest - 1; i < versions.size(); ++i) {
      if (!absl::c_linear_search(contents, versions[i].content)) {
        contents.push_back(versions[i].content);
      }
    }
    return contents;
  }

 private:
  const sim::BlockDevice& device_;
  const Bios& may_be_lost_;
};

// Which of the versions `state` has in a sector: the newest with that content; from 1 on, 0 is the
// durable one.
size_t VersionIn(const sim::BlockDevice& device, const DiskState& state, uint64_t sector) {
  const absl::Span<const sim::PendingVersion> versions = device.pending(sector);
  size_t version = versions.size();
  while (version > 0 && versions[version - 1].content != state[sector]) --version;
  return version;
}

// The sectors of `block` hold its image.
void Hold(const CrashScene& scene, const LogBlock& block, DiskState& state) {
  const Geometry& geometry = scene.geometry;
  const uint32_t sectors = SectorsThatTell(geometry, scene.images.Get(block.image));
  for (uint32_t i = 0; i < sectors; ++i) {
    state[geometry.first_sector(block.pblk) + i] = ImageContent(block.image, i);
  }
}

// One sector, the first that may be, is not of its image: the newest of what it may be instead.
void Lack(const CrashScene& scene, const DiskView& disk, const LogBlock& block, DiskState& state) {
  const uint64_t first = scene.geometry.first_sector(block.pblk);
  const uint32_t sectors = SectorsThatTell(scene.geometry, scene.images.Get(block.image));
  for (uint32_t i = 0; i < sectors; ++i) {
    const Possible contents = disk.At(first + i);
    for (auto content = contents.rbegin(); content != contents.rend(); ++content) {
      if (SameBytes(scene.geometry, scene.images, *content, ImageContent(block.image, i))) continue;
      state[first + i] = *content;
      return;
    }
  }
}

class Minimizer {
 public:
  Minimizer(const CrashScene& scene, const CrashFault& fault)
      : scene_(scene), device_(scene.device), fault_(fault) {
    for (const uint64_t sector : device_.pending_sectors()) {
      for (const sim::PendingVersion& version : device_.pending(sector)) {
        pending_.push_back(version.bio);
      }
    }
    SortUnique(pending_);
  }

  MinimalState Find(const PossibleRecovery& recovery) {
    MinimalState found;
    found.lost = LostIn(device_, StateOf(DeviceView(device_), recovery, fault_.witnesses));
    MakeLostFewer(found);
    found.state = StateThatLoses(found.lost);
    found.outcome = ScanJournal(StateView(found.state), scene_.geometry, scene_.images).front();
    found.needed = PresentIn(device_, found.state);
    MakeNeededFewer(found);
    return found;
  }

 private:
  using Shows = absl::FunctionRef<bool(const Bios&)>;

  struct Shown {
    PossibleRecovery recovery;
    std::vector<Witness> witnesses;
  };

  // How `disk` shows the fault; none: it does not.
  std::optional<Shown> Look(const DiskView& disk) const {
    FamilyJudge judge(disk, scene_.geometry, scene_.images, scene_.history, scene_.states,
                      scene_.recovery_rules);
    for (Outcome& outcome : ScanJournal(disk, scene_.geometry, scene_.images)) {
      PossibleRecovery recovery(scene_.geometry, std::move(outcome));
      for (CrashFault& found : judge.JudgeAll(recovery)) {
        if (Covers(found, fault_)) return Shown{std::move(recovery), std::move(found.witnesses)};
      }
    }
    return std::nullopt;
  }

  // --- Fewest lost -------------------------------------------------------------------------------

  void MakeLostFewer(MinimalState& found) const {
    const auto shows = [&](const Bios& lost) { return Look(LossView(device_, lost)).has_value(); };
    // More lost never shows less, so what the others cannot do without is in every set.
    Bios indispensable;
    for (const sim::BioId bio : found.lost) {
      if (!shows(Without(pending_, bio))) indispensable.push_back(bio);
    }
    found.fewest = FindSmaller(indispensable, pending_, shows, found.lost);
    if (!found.fewest) DropOneByOne(shows, found.lost);
  }

  // --- Fewest needed -----------------------------------------------------------------------------

  void MakeNeededFewer(MinimalState& found) const {
    const auto shows = [&](const Bios& kept) {
      return Look(StateView(WithOnly(kept, found.state))).has_value();
    };
    const Bios all = found.needed;
    DropOneByOne(shows, found.needed);
    found.fewest &= FindSmaller({}, all, shows, found.needed);
  }

  // `state` without what is not `kept`.
  DiskState WithOnly(const Bios& kept, const DiskState& state) const {
    DiskState less = OldestState(device_);
    for (const uint64_t sector : device_.pending_sectors()) {
      const absl::Span<const sim::PendingVersion> versions = device_.pending(sector);
      size_t version = VersionIn(device_, state, sector);
      while (version > 0 && !Has(kept, versions[version - 1].bio)) --version;
      if (version > 0) less[sector] = versions[version - 1].content;
    }
    return less;
  }

  // --- Sets --------------------------------------------------------------------------------------

  static void DropOneByOne(Shows shows, Bios& bios) {
    for (size_t before = bios.size() + 1; bios.size() < before;) {
      before = bios.size();
      const Bios all = bios;
      for (const sim::BioId bio : all) {
        Bios fewer = Without(bios, bio);
        if (shows(fewer)) bios = std::move(fewer);
      }
    }
  }

  // Puts the first smallest of the sets that `shows`, with `base` and some of `candidates` in it,
  // in the place of `best`, if that is larger. False: there were too many to try.
  static bool FindSmaller(const Bios& base, const Bios& candidates, Shows shows, Bios& best) {
    Bios more;
    absl::c_set_difference(candidates, base, std::back_inserter(more));
    int tries = kMaxTried;
    for (size_t size = base.size(); size < best.size(); ++size) {
      Bios set = base;
      const std::optional<bool> found = TryAll(more, 0, size - base.size(), shows, set, tries);
      if (!found.has_value()) return false;
      if (!*found) continue;
      best = set;
      absl::c_sort(best);
    }
    return true;
  }

  // `set` with `count` of candidates[first..) shows it; none: cut off.
  static std::optional<bool> TryAll(const Bios& candidates, size_t first, size_t count, Shows shows,
                                    Bios& set, int& tries) {
    if (count == 0) {
      if (tries-- == 0) return std::nullopt;
      Bios sorted = set;
      absl::c_sort(sorted);
      return shows(sorted);
    }
    for (size_t i = first; i + count <= candidates.size(); ++i) {
      set.push_back(candidates[i]);
      const std::optional<bool> found = TryAll(candidates, i + 1, count - 1, shows, set, tries);
      if (!found.has_value() || *found) return found;
      set.pop_back();
    }
    return false;
  }

  // --- States ------------------------------------------------------------------------------------

  // The newest on `disk` that leads to `recovery` and has the witnesses.
  DiskState StateOf(const DiskView& disk, const PossibleRecovery& recovery,
                    const std::vector<Witness>& witnesses) const {
    DiskState state = NewestState(device_);
    LeadTo(scene_, disk, recovery, state);
    for (const Witness& witness : witnesses) state[witness.sector] = witness.content;
    return state;
  }

  // Without a sector of `lost`, if it shows the fault so; else with what is needed of them.
  DiskState StateThatLoses(const Bios& lost) const {
    DiskState state = OldestState(device_);
    for (const uint64_t sector : device_.pending_sectors()) {
      for (const sim::PendingVersion& version : device_.pending(sector)) {
        if (!Has(lost, version.bio)) state[sector] = version.content;
      }
    }
    if (Look(StateView(state)).has_value()) return state;
    const LossView disk(device_, lost);
    const std::optional<Shown> shown = Look(disk);
    SIM_CHECK(shown.has_value());  // the judge has said so
    return StateOf(disk, shown->recovery, shown->witnesses);
  }

  const CrashScene& scene_;
  const sim::BlockDevice& device_;
  const CrashFault& fault_;
  Bios pending_;
};

}  // namespace

MinimalState FindMinimalState(const CrashScene& scene, const PossibleRecovery& recovery,
                              const CrashFault& fault) {
  return Minimizer(scene, fault).Find(recovery);
}

std::vector<sim::BioId> LostIn(const sim::BlockDevice& device, const DiskState& state) {
  Bios lost;
  for (const uint64_t sector : device.pending_sectors()) {
    const absl::Span<const sim::PendingVersion> versions = device.pending(sector);
    for (size_t i = VersionIn(device, state, sector); i < versions.size(); ++i) {
      lost.push_back(versions[i].bio);
    }
  }
  SortUnique(lost);
  return lost;
}

std::vector<sim::BioId> PresentIn(const sim::BlockDevice& device, const DiskState& state) {
  Bios present;
  for (const uint64_t sector : device.pending_sectors()) {
    const size_t version = VersionIn(device, state, sector);
    if (version > 0) present.push_back(device.pending(sector)[version - 1].bio);
  }
  SortUnique(present);
  return present;
}

DiskState OldestState(const sim::BlockDevice& device) {
  DiskState state(device.size_sectors());
  for (uint64_t sector = 0; sector < state.size(); ++sector) state[sector] = device.durable(sector);
  return state;
}

DiskState NewestState(const sim::BlockDevice& device) {
  DiskState state = OldestState(device);
  for (const uint64_t sector : device.pending_sectors()) {
    state[sector] = device.pending(sector).back().content;
  }
  return state;
}

void LeadTo(const CrashScene& scene, const DiskView& disk, const PossibleRecovery& recovery,
            DiskState& state) {
  for (const LogBlock& block : recovery.outcome.found) Hold(scene, block, state);
  const LogBlock& missing = recovery.outcome.missing;
  if (missing.pblk == 0) return;
  Hold(scene, missing, state);
  Lack(scene, disk, missing, state);
}

bool Covers(const CrashFault& found, const CrashFault& wanted) {
  return found.what == wanted.what && found.file == wanted.file && found.damage == wanted.damage &&
         found.other == wanted.other && found.metadata.message == wanted.metadata.message &&
         (wanted.what == CrashFault::What::kFile
              ? found.begin <= wanted.begin && found.end >= wanted.end
              : found.pblk == wanted.pblk);
}

}  // namespace model
