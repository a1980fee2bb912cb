#include "sim/block/block_device.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "sim/check.h"

namespace sim {

BlockDevice::BlockDevice(World& world, const DeviceConfig& config,
                         std::shared_ptr<const std::vector<SectorContent>> initial)
    : world_(world),
      config_(config),
      random_(world.Stream("device")),
      medium_(world.NewObject()),
      cache_(world.NewObject()),
      first_object_(world.NewObjects(static_cast<uint32_t>(
          std::max<uint64_t>((initial->size() + kSectorsPerObject - 1) / kSectorsPerObject, 1)))),
      initial_(std::move(initial)),
      pages_((initial_->size() + kPageSectors - 1) / kPageSectors) {
  SIM_CHECK(size_sectors() == config.size_sectors);
  MakeSectorsFail();
}

void BlockDevice::MakeSectorsFail() {
  for (const DeviceFault& fault : config_.faults) {
    if (fault.kind != DeviceFault::Kind::kFailingSector) continue;
    PageOf(fault.sector).durable[fault.sector % kPageSectors] = kUnreadable;
  }
}

// --- Submission ----------------------------------------------------------------------------------

BioId BlockDevice::submit_bio(std::unique_ptr<Bio> owned) {
  Bio& bio = *owned;
  const bool is_flush = bio.op == Bio::Op::kFlush;
  SIM_CHECK(bio.contents.empty() == is_flush);
  SIM_CHECK(bio.op == Bio::Op::kWrite || (!bio.preflush && !bio.fua));
  SIM_CHECK(bio.sector < size_sectors());
  SIM_CHECK(bio.contents.size() <= DeviceOf(bio.sector).end - bio.sector);

  const bool flushes = is_flush || bio.preflush;
  if (!world_.in_irq()) {
    world_.Step(flushes ? cache_ : medium_, flushes ? Access::kWrite : Access::kRead);
    bio.submitter = world_.current().id();
    bio.operation = world_.current().operation();
  } else {
    bio.submitter = TaskId{};
  }
  bio.id = BioId{static_cast<uint32_t>(bios_.size())};
  bio.stack = world_.stack();
  bio.submitted_at = world_.now();
  bios_.push_back({std::move(owned), FaultFor(bio)});
  LandOnFailingSectors(bios_.back());
  ++in_flight_;
  RecordSubmission(bio);
  if (world_.logging()) Log("submit", bio);
  if (listener_ != nullptr) listener_->OnSubmit(*this, bio);
  if (bio_listener_ != nullptr) bio_listener_->OnSubmit(*this, bio);
  if (is_flush || (bio.preflush && config_.volatile_cache)) {
    StartFlush(bio);
  } else {
    StartTransfer(bio);
  }
  return bio.id;
}

const DeviceFault* BlockDevice::FaultFor(const Bio& bio) {
  if (bio.op != Bio::Op::kWrite) return nullptr;
  if (bio.is_data) ++data_writes_;
  if (world_.beyond_limit()) return nullptr;  // faults have stopped: all must come to an end
  for (const DeviceFault& fault : config_.faults) {
    if (fault.kind == DeviceFault::Kind::kFailingSector) continue;
    const bool hit = fault.nth != 0 ? bio.is_data && fault.nth == data_writes_
                                    : fault.sector >= bio.sector &&
                                          fault.sector - bio.sector < bio.contents.size();
    if (hit) return &fault;
  }
  return nullptr;
}

Landing BlockDevice::LandingOf(BioId id) const {
  const BioState& write = bios_[id.value];
  Landing landing{write.bio->sector, write.bio->contents};
  if (write.fault != nullptr && write.fault->kind == DeviceFault::Kind::kLostWrite) return {};
  if (write.fault != nullptr && write.fault->kind == DeviceFault::Kind::kMisdirectedWrite) {
    landing.sector = write.fault->lands_at;
    const uint64_t end = DeviceOf(landing.sector).end;
    const uint64_t room = end - std::min(landing.sector, end);
    landing.contents = landing.contents.first(std::min<uint64_t>(landing.contents.size(), room));
  }
  if (!write.landed.empty()) landing.contents = write.landed;
  return landing;
}

void BlockDevice::LandOnFailingSectors(BioState& write) {
  if (write.bio->op != Bio::Op::kWrite || config_.faults.empty()) return;
  const Landing landing = LandingOf(write.bio->id);
  std::vector<SectorContent> landed(landing.contents.begin(), landing.contents.end());
  for (size_t i = 0; i < landed.size(); ++i) {
    if (durable(landing.sector + i) == kUnreadable) landed[i] = kUnreadable;
  }
  if (absl::MakeConstSpan(landed) != landing.contents) write.landed = std::move(landed);
}

std::string Describe(const Bio& bio) {
  if (bio.op == Bio::Op::kFlush) return *bio.what != 0 ? bio.what : "flush";
  std::string text = bio.op == Bio::Op::kRead ? "read" : "";
  if (bio.op == Bio::Op::kWrite) {
    text = absl::StrCat(bio.preflush ? "preflush+" : "", "write", bio.fua ? "+FUA" : "");
  }
  absl::StrAppend(&text, " sectors ", bio.sector, "+", bio.contents.size());
  if (*bio.what != 0) absl::StrAppend(&text, " (", bio.what, ")");
  return text;
}

void BlockDevice::Log(const char* what, const Bio& bio, const char* note) {
  world_.Log({.what = what, .subject = Describe(bio), .id = bio.id.value, .note = note});
}

void BlockDevice::RecordSubmission(const Bio& bio) {
  world_.Record(uint64_t{bio.id.value} << 8 | uint64_t{bio.fua} << 3 | uint64_t{bio.preflush} << 2 |
                static_cast<uint64_t>(bio.op));
  world_.Record(bio.sector);
  world_.Record(bio.contents.size());
  if (bio.op != Bio::Op::kWrite) return;
  for (const SectorContent content : bio.contents) world_.Record(content);
}

void BlockDevice::CompleteAfter(const Nanos (&latency)[2], const Bio& bio, ObjectId object) {
  world_.At(
      world_.now() + random_.UniformIn(latency[0], latency[1]), object,
      [](void* self, uint64_t id) {
        static_cast<BlockDevice*>(self)->OnCompletion(BioId{static_cast<uint32_t>(id)});
      },
      this, bio.id.value);
}

// A device without a cache has nothing to flush and says so at once.
void BlockDevice::StartFlush(const Bio& bio) {
  static constexpr Nanos kAtOnce[2] = {0, 0};
  BioState& state = bios_[bio.id.value];
  state.flushing = true;
  state.covers = completions_;
  world_.Touch(cache_, Access::kWrite);
  CompleteAfter(config_.volatile_cache ? config_.flush_latency : kAtOnce, bio, medium_);
}

void BlockDevice::StartTransfer(const Bio& bio) {
  if (bio.op == Bio::Op::kRead) {
    CompleteAfter(config_.read_latency, bio, ObjectOf(bio.sector));
    return;
  }
  world_.Touch(medium_, Access::kRead);
  const Landing landing = LandingOf(bio.id);
  InsertPendingSectors(landing.sector, landing.end());
  for (uint64_t sector = landing.sector; sector < landing.end(); ++sector) {
    AddVersion(sector, {landing.contents[sector - landing.sector], bio.id, false});
  }
  CompleteAfter(config_.write_latency, bio, ObjectOf(landing.sector));
  if (listener_ != nullptr) listener_->OnWritePossible(*this, bio);
}

// --- Completion ----------------------------------------------------------------------------------

void BlockDevice::OnCompletion(BioId id) {
  BioState& state = bios_[id.value];
  Bio& bio = *state.bio;
  world_.Record(uint64_t{id.value} << 8 | uint64_t{state.flushing} << 1 |
                uint64_t{state.fault != nullptr});
  if (state.flushing) {
    state.flushing = false;
    FinishFlush(state);
    if (bio_listener_ != nullptr) bio_listener_->OnFlushed(*this, bio);
    if (bio.op == Bio::Op::kWrite) {
      if (world_.logging()) Log("flushed", bio);
      StartTransfer(bio);
      return;
    }
  } else if (bio.op == Bio::Op::kRead) {
    FinishRead(bio);
  } else {
    FinishWrite(state);
  }
  EndBio(id);
}

void BlockDevice::FinishFlush(const BioState& flush) {
  world_.Touch(medium_, Access::kWrite);
  if (config_.ignore_flush) return;
  const auto [begin, end] = PendingOf(DeviceOf(flush.bio->sector));
  bool changed = false;
  for (size_t i = begin; i < end; ++i) {
    changed |= MakeDurable(pending_sectors_[i], flush.covers);
  }
  PrunePendingSectors(begin, end);
  if (changed) NotifyDurable();
}

void BlockDevice::FinishRead(Bio& bio) {
  TouchSectors(bio.sector, bio.sector + bio.contents.size(), Access::kRead);
  for (size_t i = 0; i < bio.contents.size(); ++i) {
    bio.contents[i] = current(bio.sector + i);
    world_.Record(bio.contents[i]);
  }
}

bool BlockDevice::Fails(const BioState& state) {
  if (state.fault != nullptr) return !Lies(state.fault->kind);
  return state.bio->op == Bio::Op::kRead &&
         std::find(state.bio->contents.begin(), state.bio->contents.end(), kUnreadable) !=
             state.bio->contents.end();
}

size_t BlockDevice::SectorsDone(const BioState& state) const {
  if (state.bio->op != Bio::Op::kWrite) return Fails(state) ? 0 : state.bio->contents.size();
  const size_t all = LandingOf(state.bio->id).contents.size();
  if (!Fails(state)) return all;
  return state.fault->kind == DeviceFault::Kind::kShortWrite ? all / 2 : 0;
}

void BlockDevice::FinishWrite(BioState& write) {
  const Bio& bio = *write.bio;
  const Landing landing = LandingOf(bio.id);
  TouchSectors(landing.sector, landing.end(), Access::kWrite);
  world_.Touch(cache_, Access::kRead);
  write.completion = ++completions_;
  const size_t written = SectorsDone(write);
  const bool fails = Fails(write);
  // A failed FUA write promises nothing, not even for what it wrote.
  const bool durable = !config_.volatile_cache || (bio.fua && !fails && config_.honours_fua());
  for (size_t i = 0; i < landing.contents.size(); ++i) {
    const uint64_t sector = landing.sector + i;
    if (i >= written) {
      DropVersion(sector, bio.id);
      continue;
    }
    CompleteVersion(sector, bio.id);
    if (durable) (void)MakeDurable(sector, write.completion);
  }
  if (!durable && !fails) return;
  world_.Touch(medium_, Access::kWrite);
  const auto [begin, end] = PendingOf({landing.sector, landing.end()});
  PrunePendingSectors(begin, end);
  NotifyDurable();
}

// Last, and with nothing of the device at hand: end_io may submit more.
void BlockDevice::EndBio(BioId id) {
  Bio& bio = *bios_[id.value].bio;
  const BioStatus status = Fails(bios_[id.value]) ? BioStatus::kIoError : BioStatus::kOk;
  --in_flight_;
  bio.completed_at = world_.now();
  if (world_.logging()) Log("complete", bio, status == BioStatus::kOk ? "" : "I/O error");
  if (bio_listener_ != nullptr) {
    bio_listener_->OnComplete(*this, bio, SectorsDone(bios_[id.value]));
  }
  // What it has kept alive goes with it.
  if (auto end_io = std::exchange(bio.end_io, nullptr); end_io != nullptr) end_io(bio, status);
}

BlockDevice::FlushesAround BlockDevice::FlushesOf(BioId write) const {
  FlushesAround flushes;
  const uint64_t completion = bios_[write.value].completion;
  const Sectors device = DeviceOf(bios_[write.value].bio->sector);
  for (uint32_t id = write.value + 1; id < bios_.size(); ++id) {
    if (bios_[id].covers == kFlushesNothing || !device.Has(bios_[id].bio->sector)) continue;
    if (bios_[id].covers >= completion) {
      flushes.covering = BioId{id};
      break;
    }
    flushes.too_early = BioId{id};
  }
  return flushes;
}

// --- Versions ------------------------------------------------------------------------------------

absl::Span<const PendingVersion> BlockDevice::pending(uint64_t sector) const {
  const Page* const page = pages_[sector / kPageSectors].get();
  if (page == nullptr) return {};
  const uint32_t index = page->versions[sector % kPageSectors];
  if (index == kNoVersions) return {};
  return versions_[index];
}

SectorContent BlockDevice::current(uint64_t sector) const {
  const absl::Span<const PendingVersion> versions = pending(sector);
  const auto newest = std::find_if(versions.rbegin(), versions.rend(),
                                   [](const PendingVersion& version) { return version.completed; });
  return newest != versions.rend() ? newest->content : durable(sector);
}

BlockDevice::Page& BlockDevice::PageOf(uint64_t sector) {
  std::unique_ptr<Page>& page = pages_[sector / kPageSectors];
  if (page == nullptr) {
    page = std::make_unique<Page>();
    const uint64_t first = sector - sector % kPageSectors;
    const uint64_t sectors = std::min(kPageSectors, size_sectors() - first);
    std::copy_n(initial_->begin() + static_cast<ptrdiff_t>(first), sectors, page->durable.begin());
    page->versions.fill(kNoVersions);
  }
  return *page;
}

void BlockDevice::AddVersion(uint64_t sector, const PendingVersion& version) {
  VersionsOf(sector).push_back(version);
}

void BlockDevice::DropVersion(uint64_t sector, BioId bio) {
  Versions& versions = VersionsOf(sector);
  versions.erase(std::find_if(versions.begin(), versions.end(),
                              [&](const PendingVersion& version) { return version.bio == bio; }));
}

// Moves it up to the end of the completed versions.
void BlockDevice::CompleteVersion(uint64_t sector, BioId bio) {
  Versions& versions = VersionsOf(sector);
  const auto in_flight =
      std::find_if(versions.begin(), versions.end(),
                   [](const PendingVersion& version) { return !version.completed; });
  const auto mine = std::find_if(in_flight, versions.end(),
                                 [&](const PendingVersion& version) { return version.bio == bio; });
  SIM_CHECK(mine != versions.end());
  mine->completed = true;
  std::rotate(in_flight, mine, mine + 1);
}

bool BlockDevice::MakeDurable(uint64_t sector, uint64_t completion) {
  Versions& versions = VersionsOf(sector);
  const auto kept =
      std::find_if(versions.begin(), versions.end(), [&](const PendingVersion& version) {
        return !version.completed || bios_[version.bio.value].completion > completion;
      });
  if (kept == versions.begin()) return false;
  PageOf(sector).durable[sector % kPageSectors] = (kept - 1)->content;
  versions.erase(versions.begin(), kept);
  return true;
}

void BlockDevice::InsertPendingSectors(uint64_t begin, uint64_t end) {
  for (uint64_t sector = begin; sector < end; ++sector) {
    uint32_t& index = PageOf(sector).versions[sector % kPageSectors];
    if (index != kNoVersions) continue;
    if (free_versions_.empty()) {
      free_versions_.push_back(static_cast<uint32_t>(versions_.size()));
      versions_.emplace_back();
    }
    index = free_versions_.back();
    free_versions_.pop_back();
  }
  auto first = std::lower_bound(pending_sectors_.begin(), pending_sectors_.end(), begin);
  const auto last = std::lower_bound(first, pending_sectors_.end(), end);
  const auto added = end - begin - static_cast<uint64_t>(last - first);
  first = pending_sectors_.insert(last, added, 0) - (last - first);
  std::iota(first, first + static_cast<ptrdiff_t>(end - begin), begin);
}

std::pair<size_t, size_t> BlockDevice::PendingOf(Sectors sectors) const {
  const auto index = [&](uint64_t sector) {
    return static_cast<size_t>(absl::c_lower_bound(pending_sectors_, sector) -
                               pending_sectors_.begin());
  };
  return {index(sectors.begin), index(sectors.end)};
}

void BlockDevice::PrunePendingSectors(size_t begin, size_t end) {
  const auto first = pending_sectors_.begin() + static_cast<ptrdiff_t>(begin);
  const auto last = pending_sectors_.begin() + static_cast<ptrdiff_t>(end);
  const auto gone = std::remove_if(first, last, [&](uint64_t sector) {
    uint32_t& index = VersionsIndex(sector);
    if (!versions_[index].empty()) return false;
    free_versions_.push_back(index);
    index = kNoVersions;
    return true;
  });
  pending_sectors_.erase(gone, last);
}

void BlockDevice::TouchSectors(uint64_t begin, uint64_t end, Access access) {
  for (uint64_t sector = begin; sector < end;
       sector += kSectorsPerObject - sector % kSectorsPerObject) {
    world_.Touch(ObjectOf(sector), access);
  }
}

void BlockDevice::NotifyDurable() {
  if (listener_ != nullptr) listener_->OnDurable(*this);
}

}  // namespace sim
