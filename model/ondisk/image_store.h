// Immutable images of metadata and journal blocks, by number: what was written to the device.
#pragma once

#include <deque>
#include <utility>

#include "model/ondisk/structures.h"

namespace model {

class ImageStore {
 public:
  ImageStore() = default;
  // Goes on where `base` ends, which must outlive it and grows no more.
  explicit ImageStore(const ImageStore* base) : base_(base), base_size_(base->size()) {}

  // Of block `pblk`: for a copy in the log, the block that it is a copy of. 0 is no image.
  ImageId Add(BlockContent content, Pblk pblk) {
    images_.push_back({pblk, std::move(content)});
    return static_cast<ImageId>(size());
  }
  const BlockContent& Get(ImageId image) const {
    return image <= base_size_ ? base_->Get(image) : images_[image - base_size_ - 1].content;
  }
  Pblk PblkOf(ImageId image) const {
    return image <= base_size_ ? base_->PblkOf(image) : images_[image - base_size_ - 1].pblk;
  }
  size_t size() const { return base_size_ + images_.size(); }

 private:
  struct Image {
    Pblk pblk = 0;
    BlockContent content;
  };

  const ImageStore* base_ = nullptr;
  size_t base_size_ = 0;
  std::deque<Image> images_;
};

}  // namespace model
