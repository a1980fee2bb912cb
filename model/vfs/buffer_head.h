// Metadata blocks in memory, one buffer a block [include/linux/buffer_head.h, fs/buffer.c].
//
// Reading a block that is not uptodate locks the buffer, reads and waits, as sb_bread() does: under
// i_data_sem too, which makes BH_Lock nest inside it. Once read, a block stays.
//
// Not modelled: the block device's folios around the buffers (a folio here is always file data),
// memory pressure on metadata.
#pragma once

#include <memory>
#include <vector>

#include "model/ondisk/image_store.h"
#include "model/vfs/kernel_errno.h"
#include "sim/block/block_device.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/wait_event.h"

namespace model {

struct JournalHead;

struct BufferHead {
  BufferHead(sim::World& world, sim::LockClassId lock_class, sim::LockClassId shadow_class,
             Pblk pblk, sim::ObjectId first_object)
      : b_blocknr(pblk),
        b_lock(world, lock_class, {"block", pblk}, first_object),
        shadow_wait(world, shadow_class, {"block", pblk}, sim::ObjectId{first_object.value + 1}) {}

  Pblk b_blocknr;
  BlockContent content;  // b_data
  bool uptodate = false;
  bool dirty = false;  // may be written home (set by checkpoint-able commits only)
  bool write_error = false;
  sim::BitLock b_lock;          // BH_Lock: held while it is read or written home
  sim::WaitQueue shadow_wait;   // for BH_Shadow
  JournalHead* b_jh = nullptr;  // jbd2's state of it, while jbd2 has any
};

// The buffers of the file system's device.
class BufferCache {
 public:
  BufferCache(sim::World& world, sim::BlockDevice& device, const Geometry& geometry,
              ImageStore& images);
  ~BufferCache();

  // The buffer, not read; its content is meaningless unless uptodate.
  BufferHead& sb_getblk(Pblk pblk);
  // The buffer, read if need be: may park. Null after a read error.
  BufferHead* sb_bread(Pblk pblk);
  // wait_on_buffer(): parks until BH_Lock is free.
  void wait_on_buffer(BufferHead& bh);

  // Writes `content` to block `pblk`, of an external journal too, as a new image; `done` is called
  // in an event. Flags as in sim::Bio. Returns the image that it is.
  ImageId SubmitBlock(Pblk pblk, BlockContent content, const char* what, bool preflush, bool fua,
                      absl::AnyInvocable<void(sim::BioStatus)> done);
  // The same for an image that exists: a journal copy and its home write are one image.
  void SubmitImage(Pblk pblk, ImageId image, const char* what, bool preflush, bool fua,
                   absl::AnyInvocable<void(sim::BioStatus)> done);
  // A FLUSH of that device's cache, and the wait for it [block/blk-flush.c, blkdev_issue_flush()].
  void blkdev_issue_flush();

  const Geometry& geometry() const { return geometry_; }
  ImageStore& images() { return images_; }
  sim::BlockDevice& device() { return device_; }

 private:
  sim::World& world_;
  sim::BlockDevice& device_;
  const Geometry& geometry_;
  ImageStore& images_;
  sim::LockClassId bh_class_, shadow_class_;
  sim::ObjectId first_object_;                        // of block 0, which has two, as the others
  std::vector<std::unique_ptr<BufferHead>> buffers_;  // by block; null until first used
};

}  // namespace model
