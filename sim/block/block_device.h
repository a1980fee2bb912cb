// A block device with a volatile write cache, and what a power cut could leave on it.
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
// - With `ignore_flush` the device lies: FLUSH and FUA complete and make nothing durable.
//
// Hence for each sector the set of contents that a power cut may leave: the durable one and every
// later version that was written and not overwritten durably. Sectors are independent of each
// other.
//
// Not modelled: request merging and plugging, which only change when a write is submitted; limits
// on the queue's depth; discard.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "sim/engine/world.h"

namespace sim {

// What one sector holds; 0 reads as zeros.
using SectorContent = uint64_t;
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
  uint64_t sector = 0;
  // Written, or read into; its size is the length of a read.
  absl::InlinedVector<SectorContent, 8> contents;
  // Called in an event, once, after the device's state and listeners are up to date.
  absl::AnyInvocable<void(Bio& bio, BioStatus status)> end_io;
  // For reports, a static string: "journal commit", "file data".
  const char* what = "";

  // Set by submit_bio().
  BioId id;
  TaskId submitter;  // none: an event
  StackId stack = StackTable::kEmpty;
  Nanos submitted_at = 0;
};

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
  // `bio` may have reached the medium from now on: more states are possible.
  virtual void OnWritePossible(const BlockDevice& device, const Bio& bio) = 0;
  // A flush or an FUA write has completed, or a write failed: fewer states are possible.
  virtual void OnDurable(const BlockDevice& device) = 0;
};

struct DeviceFault {
  enum class Kind : uint8_t { kWriteError, kShortWrite };
  Kind kind = Kind::kWriteError;
  // Which write: the `nth` with is_data set, from 1; or, if 0, every write that covers `sector`.
  uint64_t nth = 0;
  uint64_t sector = 0;
};

struct DeviceConfig {
  uint64_t size_sectors = 8192;
  bool volatile_cache = true;
  bool ignore_flush = false;
  // Inclusive ranges, drawn from the world's "device" stream.
  Nanos write_latency[2] = {20'000, 90'000};
  Nanos read_latency[2] = {20'000, 60'000};
  Nanos flush_latency[2] = {100'000, 400'000};
  std::vector<DeviceFault> faults;
};

class BlockDevice {
 public:
  // `initial` has size_sectors durable contents.
  BlockDevice(World& world, const DeviceConfig& config, std::vector<SectorContent> initial);
  ~BlockDevice();
  BlockDevice(const BlockDevice&) = delete;
  BlockDevice& operator=(const BlockDevice&) = delete;

  // At most one; may be null.
  void set_listener(DeviceListener* listener) { listener_ = listener; }

  // From a task or an event; never waits. Requires: the range is within the device.
  BioId submit_bio(std::unique_ptr<Bio> bio);

  uint64_t size_sectors() const { return durable_.size(); }
  const DeviceConfig& config() const { return config_; }
  size_t in_flight() const;

  // What a power cut may leave in `sector`: durable(), or any of pending(), oldest first.
  SectorContent durable(uint64_t sector) const { return durable_[sector]; }
  absl::Span<const PendingVersion> pending(uint64_t sector) const;
  // The sectors with anything pending, ascending.
  const std::vector<uint64_t>& pending_sectors() const;
  // What a read returns now.
  SectorContent current(uint64_t sector) const;
  // Any bio ever submitted, by id: what it was, for reports.
  const Bio& bio(BioId id) const;

 private:
  DeviceListener* listener_ = nullptr;
  DeviceConfig config_;
  std::vector<SectorContent> durable_;
};

}  // namespace sim
