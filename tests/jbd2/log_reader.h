// Watches what a journal writes, and reads it back as recovery would.
//
// breaches() counts, at every moment, what a power cut must not find:
//   - a commit record before all that it vouches for is durable;
//   - a log tail beyond blocks that are neither durable at home nor in a later committed copy;
//   - a log block written again while a durable tail still wants it.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/ondisk/image_store.h"
#include "sim/block/block_device.h"

namespace model {

class LogReader : public sim::DeviceListener {
 public:
  LogReader(const sim::BlockDevice& device, const Geometry& geometry, const ImageStore& images)
      : device_(device), geometry_(geometry), images_(images) {}

  void OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnWritePossible(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnDurable(const sim::BlockDevice& device) override { (void)device; }

  const std::vector<std::string>& breaches() const { return breaches_; }
  // What was written, in the order in which it could be there, such as "journal commit FLUSH FUA";
  // and "flush", when it was asked for.
  const std::vector<std::string>& writes() const { return writes_; }

  // Of the durable contents.
  bool IsDurable(Pblk pblk, ImageId image) const;
  JournalSuperblock DurableSuperblock() const;
  // What a replay of the durable log would write, by block.
  std::map<Pblk, ImageId> Replay() const;
  // What the block holds after that.
  const BlockContent& Recovered(Pblk pblk) const;

 private:
  struct LogTransaction {
    std::vector<std::pair<uint32_t, ImageId>> log;  // log block and content
    std::map<Pblk, ImageId> blocks;
    std::vector<Pblk> revoked;
    bool committed = false;  // or may be
  };

  ImageId DurableImage(Pblk pblk) const {
    return ImageOf(device_.durable(geometry_.first_sector(pblk)));
  }
  template <class Block>
  const Block* DurableLog(uint32_t log_block) const;
  uint32_t Next(uint32_t log_block) const {
    return log_block + 1 < geometry_.journal_blocks ? log_block + 1 : 1;
  }
  void Use(Tid tid, uint32_t log_block, ImageId image);
  void CheckCommit(Tid tid);
  void CheckTail(const JournalSuperblock& superblock);
  bool CommittedFrom(Tid tid, Pblk pblk) const;

  const sim::BlockDevice& device_;
  const Geometry& geometry_;
  const ImageStore& images_;
  std::map<Tid, LogTransaction> transactions_;
  std::map<uint32_t, Tid> used_by_;  // log block: the last transaction there
  std::vector<std::string> breaches_;
  std::vector<std::string> writes_;
};

}  // namespace model
