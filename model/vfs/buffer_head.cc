#include "model/vfs/buffer_head.h"

#include <utility>

#include "sim/check.h"

namespace model {
namespace {

// The image that the sectors of a block make up; 0 if they are not all of one image.
ImageId WholeImage(const sim::Bio& bio) {
  const ImageId image = ImageOf(bio.contents.front());
  for (uint32_t i = 0; i < bio.contents.size(); ++i) {
    if (bio.contents[i] != ImageContent(image, i)) return 0;
  }
  return image;
}

}  // namespace

BufferCache::BufferCache(sim::World& world, sim::BlockDevice& device, const Geometry& geometry,
                         ImageStore& images)
    : world_(world),
      device_(device),
      geometry_(geometry),
      images_(images),
      bh_class_(world.lock_tracker().Class("BH_Lock")),
      shadow_class_(world.lock_tracker().Class("BH_Shadow", {})),
      first_object_(world.NewObjects(2 * geometry.blocks)),
      buffers_(geometry.blocks) {}

BufferCache::~BufferCache() = default;

BufferHead& BufferCache::sb_getblk(Pblk pblk) {
  SIM_CHECK(pblk < buffers_.size());
  std::unique_ptr<BufferHead>& buffer = buffers_[pblk];
  if (buffer == nullptr) {
    buffer = std::make_unique<BufferHead>(world_, bh_class_, shadow_class_, pblk,
                                          sim::ObjectId{first_object_.value + 2 * pblk});
  }
  return *buffer;
}

// sb_bread() [include/linux/buffer_head.h, fs/buffer.c]
BufferHead* BufferCache::sb_bread(Pblk pblk) {
  BufferHead& bh = sb_getblk(pblk);
  world_.Touch(bh.b_lock.object(), sim::Access::kRead);
  if (bh.uptodate) return &bh;
  SIM_FRAME("sb_bread");
  bh.b_lock.lock();
  if (bh.uptodate) {
    bh.b_lock.unlock();
    return &bh;
  }
  bh.b_lock.hand_over();  // to the read's completion
  auto bio = std::make_unique<sim::Bio>();
  bio->op = sim::Bio::Op::kRead;
  bio->sector = geometry_.first_sector(pblk);
  bio->contents.resize(geometry_.sectors_per_block());
  bio->what = "metadata read";
  bio->end_io = [this, &bh](sim::Bio& read, sim::BioStatus status) {
    const ImageId image = WholeImage(read);
    if (status == sim::BioStatus::kOk && image != 0) {
      bh.content = images_.Get(image);
      bh.uptodate = true;
    }
    bh.b_lock.unlock();
  };
  device_.submit_bio(std::move(bio));
  wait_on_buffer(bh);
  return bh.uptodate ? &bh : nullptr;
}

void BufferCache::wait_on_buffer(BufferHead& bh) { sim::BitGuard wait(bh.b_lock); }

ImageId BufferCache::SubmitBlock(Pblk pblk, BlockContent content, const char* what, bool preflush,
                                 bool fua, absl::AnyInvocable<void(sim::BioStatus)> done) {
  const ImageId image = images_.Add(std::move(content), pblk);
  SubmitImage(pblk, image, what, preflush, fua, std::move(done));
  return image;
}

void BufferCache::SubmitImage(Pblk pblk, ImageId image, const char* what, bool preflush, bool fua,
                              absl::AnyInvocable<void(sim::BioStatus)> done) {
  auto bio = std::make_unique<sim::Bio>();
  bio->preflush = preflush;
  bio->fua = fua;
  bio->sector = geometry_.first_sector(pblk);
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    bio->contents.push_back(ImageContent(image, i));
  }
  bio->what = what;
  bio->end_io = [done = std::move(done)](sim::Bio&, sim::BioStatus status) mutable {
    done(status);
  };
  device_.submit_bio(std::move(bio));
}

void BufferCache::blkdev_issue_flush() {
  SIM_FRAME("blkdev_issue_flush");
  sim::Completion flushed(world_, world_.lock_tracker().Class("blkdev_issue_flush"), {});
  auto bio = std::make_unique<sim::Bio>();
  bio->op = sim::Bio::Op::kFlush;
  bio->sector = 0;  // the file system's device, wherever the journal is
  bio->what = geometry_.external_journal ? "flush of the file system's device" : "flush";
  bio->end_io = [&flushed](sim::Bio&, sim::BioStatus) { flushed.complete(); };
  device_.submit_bio(std::move(bio));
  flushed.wait_for_completion();
}

}  // namespace model
