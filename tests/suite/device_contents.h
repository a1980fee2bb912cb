// What a device holds when an execution has ended, by names that are the same in all executions of
// a scenario: a write by the file that it is of and how many of that file's came before, an image
// by what it shows.
#pragma once

#include <set>
#include <variant>
#include <vector>

#include "model/scenario/execution.h"
#include "sim/engine/digest.h"

namespace suite {

class DeviceContents final : public scenario::ExecutionRecorder {
 public:
  sim::Digest Value() const { return digest_.Value(); }

  void OnCall(const std::string&, const scenario::Op&) override {}
  void OnReturn(const std::string&, const scenario::Op&, const scenario::OpResult&) override {}
  void OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) override {
    device_ = &device;
    for (size_t i = 0; i < bio.contents.size(); ++i) sectors_.insert(bio.sector + i);
  }
  void OnFlushed(const sim::BlockDevice&, const sim::Bio&) override {}
  void OnComplete(const sim::BlockDevice&, const sim::Bio&, size_t) override {}

  void OnEnd(const model::Geometry&, const model::ImageStore& images, const model::History& history,
             const std::vector<model::SectorContent>&) override {
    images_ = &images;
    history_ = &history;
    for (const uint64_t sector : sectors_) {
      digest_.Add(sector);
      Add(device_->durable(sector));
      for (const sim::PendingVersion& version : device_->pending(sector)) Add(version.content);
    }
  }

 private:
  void Add(model::SectorContent content) {
    digest_.Add(static_cast<uint64_t>(model::KindOf(content)));
    switch (model::KindOf(content)) {
      case model::ContentKind::kImage:
        AddImage(model::ImageOf(content));
        return;
      case model::ContentKind::kData:
        digest_.Add(history_->WriteOfFile(model::WriteOf(content)));
        digest_.Add(model::GranuleIndexOf(content));
        return;
      case model::ContentKind::kMixed:
        for (const model::GranuleRun& run : history_->granules().Runs(content)) {
          digest_.Add(run.end_byte);
          Add(run.content);
        }
        return;
      default:
        digest_.Add(content);
    }
  }
  void AddImage(model::ImageId image) {
    digest_.Add(images_->PblkOf(image));
    const model::BlockContent& content = images_->Get(image);
    digest_.Add(content.index());
    std::visit([this](const auto& block) { AddBlock(block); }, content);
  }

  void AddBlock(const std::monostate&) {}
  void AddBlock(const model::DiskSuperBlock& sb) {
    for (const uint64_t word : {uint64_t{sb.s_last_orphan}, uint64_t{sb.s_free_blocks_count},
                                uint64_t{sb.s_free_inodes_count}}) {
      digest_.Add(word);
    }
  }
  void AddBlock(const model::GroupDescriptors& group) {
    digest_.Add(uint64_t{group.bg_free_blocks_count} << 32 | group.bg_free_inodes_count);
  }
  void AddBlock(const model::Bitmap& bitmap) {
    for (const uint64_t word : bitmap.words) digest_.Add(word);
  }
  void AddBlock(const model::InodeTableBlock& block) {
    for (const model::DiskInode& inode : block.inodes) {
      digest_.Add(static_cast<uint64_t>(inode.type) << 32 | inode.i_links_count);
      digest_.Add(inode.i_size_bytes);
      digest_.Add(uint64_t{inode.i_blocks} << 32 | inode.next_orphan);
      AddBlock(inode.i_block);
    }
  }
  void AddBlock(const model::ExtentNode& node) {
    digest_.Add(node.eh_depth);
    for (const model::Extent& extent : node.extents) {
      digest_.Add(uint64_t{extent.ee_block} << 32 | extent.ee_len);
      digest_.Add(uint64_t{extent.ee_start} << 1 | uint64_t{extent.unwritten});
    }
    for (const model::ExtentIndex& index : node.indexes) {
      digest_.Add(uint64_t{index.ei_block} << 32 | index.ei_leaf);
    }
  }
  void AddBlock(const model::DirectoryBlock& directory) {
    for (const auto& [name, ino] : directory.entries) {
      digest_.AddString(name);
      digest_.Add(ino);
    }
  }
  void AddBlock(const model::JournalSuperblock& sb) {
    digest_.Add(uint64_t{sb.s_start} << 32 | sb.s_sequence);
  }
  void AddBlock(const model::JournalDescriptor& descriptor) {
    digest_.Add(descriptor.h_sequence);
    for (const model::JournalTag& tag : descriptor.tags) {
      digest_.Add(tag.blocknr);
      AddImage(tag.checksum);
    }
  }
  void AddBlock(const model::JournalRevoke& revoke) {
    digest_.Add(revoke.h_sequence);
    for (const model::Pblk pblk : revoke.blocks) digest_.Add(pblk);
  }
  void AddBlock(const model::JournalCommit& commit) { digest_.Add(commit.h_sequence); }

  const sim::BlockDevice* device_ = nullptr;
  const model::ImageStore* images_ = nullptr;
  const model::History* history_ = nullptr;
  std::set<uint64_t> sectors_;
  sim::Digest128 digest_;
};

}  // namespace suite
