// A device whose completions come in the order that the test asks for.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "sim/block/block_device.h"

namespace sim {

// The one task goes first, except that the wanted event comes before it.
class CompletionOrder final : public Strategy {
 public:
  void Want(EventId event) { wanted_ = event; }

  size_t Choose(const ChoicePoint& point) override {
    for (size_t i = 0; i < point.candidates.size(); ++i) {
      if (point.candidates[i].actor == Actor{Actor::Kind::kEvent, wanted_.value}) {
        wanted_ = EventId{};
        return i;
      }
    }
    return 0;
  }

 private:
  EventId wanted_;
};

// A world of one task and one device. The verbs are for the task.
class DeviceRig {
 public:
  explicit DeviceRig(const DeviceConfig& config, uint64_t seed = 0)
      : world_({.seed = seed}, order_, pool_, stacks_),
        device_(world_, config, std::vector<SectorContent>(config.size_sectors)) {}

  void Run(absl::AnyInvocable<void()> story) {
    world_.Spawn("story", TaskKind::kUser, std::move(story));
    ASSERT_EQ(world_.Run(), ExecutionEnd::kFinished);
  }

  World& world() { return world_; }
  BlockDevice& device() { return device_; }

  BioId Submit(Bio&& bio) {
    bio.end_io = [this](Bio& ended, BioStatus status) { ended_.push_back({ended.id, status}); };
    const BioId id = device_.submit_bio(std::make_unique<Bio>(std::move(bio)));
    events_.push_back(next_event_++);
    return id;
  }

  // Lets the device finish what it is doing for `bio`: for a preflush, the flush only.
  void Complete(BioId bio) {
    const size_t ended = ended_.size();
    order_.Want(EventId{events_.at(bio.value)});
    world_.Step(device_.medium(), Access::kRead);
    if (ended_.size() == ended) events_.at(bio.value) = next_event_++;
  }

  bool HasEnded(BioId bio) const { return StatusOf(bio).has_value(); }
  std::optional<BioStatus> StatusOf(BioId bio) const {
    for (const auto& [id, status] : ended_) {
      if (id == bio) return status;
    }
    return std::nullopt;
  }

  // The contents that a power cut may leave in `sector`.
  std::set<SectorContent> MayHold(uint64_t sector) const {
    std::set<SectorContent> contents = {device_.durable(sector)};
    for (const PendingVersion& version : device_.pending(sector)) contents.insert(version.content);
    return contents;
  }

 private:
  CompletionOrder order_;
  StackPool pool_;
  StackTable stacks_;
  World world_;
  BlockDevice device_;
  uint32_t next_event_ = 0;
  std::vector<uint32_t> events_;  // by bio: its last one
  std::vector<std::pair<BioId, BioStatus>> ended_;
};

inline Bio MakeWrite(uint64_t sector, absl::InlinedVector<SectorContent, 8> contents) {
  Bio bio;
  bio.sector = sector;
  bio.contents = std::move(contents);
  return bio;
}

inline Bio MakeFlush() {
  Bio bio;
  bio.op = Bio::Op::kFlush;
  return bio;
}

}  // namespace sim
