// The metadata as of each transaction, as it follows from what is written to the log.
//
// State k is state k - 1 with the blocks that transaction k journals replaced and those it revokes
// dropped; state 0 is what mkfs left. Transactions are complete here when their commit block is
// submitted: whether it arrives is for recovery to find out.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "model/crash/metadata_check.h"
#include "model/ondisk/image_store.h"
#include "sim/block/block_device.h"

namespace model {

struct CommittedState {
  MetadataImages images;
  // Made when first asked for.
  std::unique_ptr<RecoveredTree> tree;
};

class CommittedStates {
 public:
  // State 0 is what is durable on `device` now.
  CommittedStates(const sim::BlockDevice& device, const Geometry& geometry,
                  const ImageStore& images);

  // A block of the log may have been written. Requires: tids follow each other.
  void OnLogBlock(ImageId image);

  // Requires: tid <= last().
  const MetadataImages& Images(Tid tid) const { return states_[tid].images; }
  const RecoveredTree& Tree(Tid tid);
  Tid last() const { return static_cast<Tid>(states_.size() - 1); }
  // The transaction, up to `last`, as of which the block was this image last; kNever if none.
  static constexpr Tid kNever = UINT32_MAX;
  Tid LastTidOf(Pblk pblk, ImageId image) const;

 private:
  const Geometry& geometry_;
  const ImageStore& images_;
  std::deque<CommittedState> states_;  // by tid
  MetadataImages open_;                // state last() + 1, as far as it has been written
  std::vector<Pblk> open_revokes_;
};

}  // namespace model
