// Immutable images of metadata and journal blocks, by number: what was written to the device.
#pragma once

#include <deque>
#include <utility>

#include "model/ondisk/structures.h"

namespace model {

class ImageStore {
 public:
  // 0 is no image.
  ImageId Add(BlockContent content) {
    images_.push_back(std::move(content));
    return static_cast<ImageId>(images_.size());
  }
  const BlockContent& Get(ImageId image) const { return images_[image - 1]; }
  size_t size() const { return images_.size(); }

 private:
  std::deque<BlockContent> images_;
};

}  // namespace model
