// A block device with a volatile write cache, or two, and what a power cut could leave on them.
//
// The contents of a sector are one opaque 64-bit word, whose meaning is the file system's; all that
// the device knows is that sectors are written whole or not at all, each for itself.
//
// Rules [block/blk-flush.c; the host's view of ATA and NVMe caches]:
// - A write may reach the medium at any moment from its submission on, sector by sector, in any
//   order with others (torn writes, completion before submission order).
// - A completed write is what reads return. It is durable once a FLUSH that was submitted after its
//   completion has completed, or at its completion if it was FUA or there is no volatile cache.
// - PREFLUSH: a FLUSH, and only when it has completed the write itself.
// - A failed write leaves the sectors as they were; a short one writes its first half and fails.
// - A lost write is told to have succeeded, and leaves the sectors as they were. A misdirected one
//   succeeds at another place: the address is damaged on the way to the device, so that its cache
//   and its medium have the contents there, and the place that was meant stays as it was. What
//   would come to lie beyond the end of the device is lost.
// - A failing sector cannot be read: a read that covers it fails. Writes to it succeed, and change
//   nothing.
// - Of two devices in one row of sectors each has a cache of its own: a flush, also that of a
//   PREFLUSH, is of the device that its sector is on.
// - With `ignore_flush` the device lies: FLUSH and FUA complete and make nothing durable. With
//   `ignore_fua` only FUA does: such a write waits in the cache, and others may overtake it.
//
// Hence for each sector the set of contents that a power cut may leave: the durable one and every
// later version that was written and not overwritten durably. Sectors are independent of each
// other.
//
// Not modelled: request merging and plugging, which only change when a write is submitted; limits
// on the queue's depth; discard.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/types/span.h"
#include "sim/engine/world.h"

namespace sim {

// What one sector holds; 0 reads as zeros.
using SectorContent = uint64_t;
// What a failing sector holds, whatever is written to it; nobody writes this.
inline constexpr SectorContent kUnreadable = UINT64_MAX;
// Dense, in order of submission; reads and plain flushes have ids as well.
using BioId = Id<struct BioTag>;

enum class BioStatus : uint8_t { kOk, kIoError };

struct Bio {
  enum class Op : uint8_t { kRead, kWrite, kFlush };

  Op op = Op::kWrite;
  bool preflush = false;
  bool fua = false;
  // True for what faults with "nth" count: file data, as opposed to metadata and journal.
  bool is_data = false;
  uint64_t sector = 0;  // of a flush: any of the device whose cache it flushes
  // Written, or read into; its size is the length of a read.
  absl::InlinedVector<SectorContent, 8> contents;
  // Called in an event, once, after the device's state and listeners are up to date.
  absl::AnyInvocable<void(Bio& bio, BioStatus status)> end_io;
  // For reports, a static string: "journal commit", "file data", "flush".
  const char* what = "";

  // Set by submit_bio().
  BioId id;
  TaskId submitter;  // none: an event
  StackId stack = StackTable::kEmpty;
  std::string_view operation;  // Task::operation() of the submitter
  Nanos submitted_at = 0;
  Nanos completed_at = -1;  // -1: not yet
};

// "preflush+write+FUA sectors 40+2 (journal commit)"; of a flush `what` alone.
std::string Describe(const Bio& bio);

// One version of a sector that a power cut may leave there, besides its durable content.
struct PendingVersion {
  SectorContent content = 0;
  BioId bio;
  bool completed = false;  // in the cache, as opposed to in flight
};

class BlockDevice;

class DeviceListener {
 public:
  virtual ~DeviceListener() = default;
  // `bio` is being submitted, by the task or event that runs.
  virtual void OnSubmit(const BlockDevice&, const Bio&) {}
  // `bio` may have reached the medium from now on, where device.LandingOf() says: more states are
  // possible.
  virtual void OnWritePossible(const BlockDevice& device, const Bio& bio) = 0;
  // A flush or an FUA write has completed, or a write failed: fewer states are possible.
  virtual void OnDurable(const BlockDevice& device) = 0;
};

// Sees every bio come and go, as a device-mapper target between file system and device would.
class BioListener {
 public:
  virtual ~BioListener() = default;
  virtual void OnSubmit(const BlockDevice& device, const Bio& bio) = 0;
  // A flush has completed; if `bio` is a write, it begins now.
  virtual void OnFlushed(const BlockDevice& device, const Bio& bio) = 0;
  // Before its end_io. `done`: how many of its sectors were read or written, at device.LandingOf();
  // of a bio that failed not all.
  virtual void OnComplete(const BlockDevice& device, const Bio& bio, size_t done) = 0;
};

struct DeviceFault {
  enum class Kind : uint8_t {
    kWriteError,
    kShortWrite,
    kLostWrite,
    kMisdirectedWrite,
    kFailingSector,  // `sector`, from the start; of no write
  };
  Kind kind = Kind::kWriteError;
  // Which write: the `nth` with is_data set, from 1; or, if 0, every write that covers `sector`.
  uint64_t nth = 0;
  uint64_t sector = 0;
  uint64_t lands_at = 0;  // of a misdirected write: where its first sector comes to lie
};

// The device says that it has written what it has not, or not there.
inline bool Lies(DeviceFault::Kind kind) {
  return kind == DeviceFault::Kind::kLostWrite || kind == DeviceFault::Kind::kMisdirectedWrite;
}

// Where a write comes to lie, and what is found there then.
struct Landing {
  uint64_t sector = 0;
  absl::Span<const SectorContent> contents;  // empty: nowhere

  uint64_t end() const { return sector + contents.size(); }
};

struct DeviceConfig {
  uint64_t size_sectors = 8192;
  // Where a second device begins, which is like the first; 0: there is one.
  uint64_t second_device = 0;
  bool volatile_cache = true;
  bool ignore_flush = false;
  bool ignore_fua = false;
  // Inclusive ranges, drawn from the world's "device" stream.
  Nanos write_latency[2] = {20'000, 90'000};
  Nanos read_latency[2] = {20'000, 90'000};
  Nanos flush_latency[2] = {100'000, 400'000};
  std::vector<DeviceFault> faults;  // none beyond the execution's limit (World::beyond_limit())

  // A FUA write that succeeds is durable when it completes.
  bool honours_fua() const { return !ignore_flush && !ignore_fua; }
};

class BlockDevice {
 public:
  // `initial` has size_sectors durable contents; devices of many executions may start from the
  // same.
  BlockDevice(World& world, const DeviceConfig& config,
              std::shared_ptr<const std::vector<SectorContent>> initial);
  BlockDevice(World& world, const DeviceConfig& config, std::vector<SectorContent> initial)
      : BlockDevice(world, config,
                    std::make_shared<const std::vector<SectorContent>>(std::move(initial))) {}
  BlockDevice(const BlockDevice&) = delete;
  BlockDevice& operator=(const BlockDevice&) = delete;

  // At most one; may be null.
  void set_listener(DeviceListener* listener) { listener_ = listener; }
  // Likewise.
  void set_bio_listener(BioListener* listener) { bio_listener_ = listener; }

  // From a task, where it is a choice point, or from an event; never waits. Requires: the range is
  // within one device; a flush has no contents, anything else has; only writes have flags.
  BioId submit_bio(std::unique_ptr<Bio> bio);

  uint64_t size_sectors() const { return initial_->size(); }
  // The sectors [begin, end) of the device that `sector` is on.
  struct Sectors {
    uint64_t begin = 0;
    uint64_t end = 0;
    bool Has(uint64_t sector) const { return sector >= begin && sector < end; }
  };
  Sectors DeviceOf(uint64_t sector) const {
    if (config_.second_device == 0) return {0, size_sectors()};
    return sector < config_.second_device ? Sectors{0, config_.second_device}
                                          : Sectors{config_.second_device, size_sectors()};
  }
  const DeviceConfig& config() const { return config_; }
  size_t in_flight() const { return in_flight_; }

  // What a power cut may leave in `sector`: durable(), or any of pending(). These are the completed
  // versions in order of completion, then those in flight in order of submission.
  SectorContent durable(uint64_t sector) const {
    const Page* const page = pages_[sector / kPageSectors].get();
    return page != nullptr ? page->durable[sector % kPageSectors] : (*initial_)[sector];
  }
  absl::Span<const PendingVersion> pending(uint64_t sector) const;
  // What was made durable in `sector` before all this; it may not be readable.
  SectorContent initial(uint64_t sector) const { return (*initial_)[sector]; }
  // The sectors with anything pending, ascending.
  const std::vector<uint64_t>& pending_sectors() const { return pending_sectors_; }
  // What a read returns now.
  SectorContent current(uint64_t sector) const;
  // Any bio ever submitted, by id: what it was, for reports.
  const Bio& bio(BioId id) const { return *bios_[id.value].bio; }

  // Of a write. Points into the device.
  Landing LandingOf(BioId id) const;
  // The fault that has hit it; null: none.
  const DeviceFault* FaultOf(BioId id) const { return bios_[id.value].fault; }
  // How many bios there were.
  uint32_t bios() const { return static_cast<uint32_t>(bios_.size()); }

  // The flushes of its device on whose account `write`, which has completed, is or is not durable:
  // the first that was submitted after its completion, and the last that was submitted while it was
  // on its way, too early to cover it. Each is a flush or a write with a preflush; invalid: there
  // is none.
  struct FlushesAround {
    BioId covering;
    BioId too_early;
  };
  FlushesAround FlushesOf(BioId write) const;
  // The flush that `bio` is, or begins with, has completed.
  bool HasFlushed(BioId bio) const {
    return bios_[bio.value].covers != kFlushesNothing && !bios_[bio.value].flushing;
  }

  // The object that stands for what a power cut leaves: a write that becomes possible reads it, a
  // flush, an FUA or a failed write changes it when it completes. Who promises to a user that
  // something is durable reads it as well, or exploration may miss the power cut right after.
  ObjectId medium() const { return medium_; }

 private:
  using Versions = absl::InlinedVector<PendingVersion, 2>;
  static constexpr uint32_t kNoVersions = UINT32_MAX;
  static constexpr uint64_t kFlushesNothing = UINT64_MAX;
  static constexpr uint64_t kPageSectors = 64;

  // Sectors next to each other, once one of them has been written to.
  struct Page {
    std::array<SectorContent, kPageSectors> durable;
    std::array<uint32_t, kPageSectors> versions;  // into versions_; or kNoVersions
  };
  // Completions that are this near to each other count as dependent.
  static constexpr uint64_t kSectorsPerObject = 8;

  struct BioState {
    std::unique_ptr<Bio> bio;
    const DeviceFault* fault = nullptr;  // in config_
    // What is found after a write to failing sectors; empty: what was written.
    std::vector<SectorContent> landed;
    bool flushing = false;    // not yet writing: a flush, or a write behind its preflush
    uint64_t completion = 0;  // which of all writes' completions its own is; 0: not yet
    // What completed before it was submitted: a flush covers all completions up to this one.
    uint64_t covers = kFlushesNothing;
  };

  ObjectId ObjectOf(uint64_t sector) const {
    return ObjectId{first_object_.value + static_cast<uint32_t>(sector / kSectorsPerObject)};
  }
  void MakeSectorsFail();
  const DeviceFault* FaultFor(const Bio& bio);
  void LandOnFailingSectors(BioState& write);
  void RecordSubmission(const Bio& bio);
  void Log(const char* what, const Bio& bio, const char* note = "");
  void CompleteAfter(const Nanos (&latency)[2], const Bio& bio, ObjectId object);

  void StartFlush(const Bio& bio);
  void StartTransfer(const Bio& bio);
  void OnCompletion(BioId id);
  void FinishFlush(const BioState& flush);
  void FinishRead(Bio& bio);
  void FinishWrite(BioState& write);
  // It fails, or has failed.
  static bool Fails(const BioState& state);
  // Of its sectors, those that are read or written in spite of its fault.
  size_t SectorsDone(const BioState& state) const;
  void EndBio(BioId id);

  Page& PageOf(uint64_t sector);
  // Requires: there is a page.
  uint32_t& VersionsIndex(uint64_t sector) {
    return pages_[sector / kPageSectors]->versions[sector % kPageSectors];
  }
  Versions& VersionsOf(uint64_t sector) { return versions_[VersionsIndex(sector)]; }

  // On the versions of one sector.
  void AddVersion(uint64_t sector, const PendingVersion& version);
  void DropVersion(uint64_t sector, BioId bio);
  void CompleteVersion(uint64_t sector, BioId bio);
  // What completed last up to `completion`, if anything did, is durable; older versions are gone.
  bool MakeDurable(uint64_t sector, uint64_t completion);

  void InsertPendingSectors(uint64_t begin, uint64_t end);
  // Which of pending_sectors_, [first, second), are among `sectors`.
  std::pair<size_t, size_t> PendingOf(Sectors sectors) const;
  // Frees those of pending_sectors_[begin .. end) that have no versions left.
  void PrunePendingSectors(size_t begin, size_t end);
  void TouchSectors(uint64_t begin, uint64_t end, Access access);
  void NotifyDurable();

  World& world_;
  DeviceListener* listener_ = nullptr;
  BioListener* bio_listener_ = nullptr;
  DeviceConfig config_;
  RandomStream random_;
  ObjectId medium_;
  ObjectId cache_;  // completed writes read it, a flush that is submitted changes it
  ObjectId first_object_;

  std::vector<BioState> bios_;  // by id
  size_t in_flight_ = 0;
  uint64_t completions_ = 0;
  uint64_t data_writes_ = 0;

  std::shared_ptr<const std::vector<SectorContent>> initial_;
  std::vector<std::unique_ptr<Page>> pages_;  // null: all sectors as initially
  std::vector<Versions> versions_;            // never empty while a sector has them
  std::vector<uint32_t> free_versions_;
  std::vector<uint64_t> pending_sectors_;  // ascending
};

}  // namespace sim
