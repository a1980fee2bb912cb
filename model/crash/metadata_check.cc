#include "model/crash/metadata_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace model {
namespace {

uint32_t BlocksOfSize(const Geometry& geometry, uint64_t size_bytes) {
  return static_cast<uint32_t>((size_bytes + geometry.block_bytes - 1) / geometry.block_bytes);
}

class MetadataReader {
 public:
  MetadataReader(const Geometry& geometry, const ImageStore& images, const MetadataImages& state)
      : geometry_(geometry),
        images_(images),
        state_(state),
        owner_(geometry.end()),
        names_(geometry.inodes + 1),
        links_(geometry.inodes + 1),
        orphan_(geometry.inodes + 1) {
    tree_.blocks.resize(geometry.end());
  }

  RecoveredTree Read() {
    ReadFixedBlocks();
    ReadOrphanList();
    ReadDirectory(kRootIno, 0);
    for (Ino ino = kFirstIno; ino <= geometry_.inodes; ++ino) ReadInode(ino);
    CheckBlockBitmap();
    CheckInodeBitmap();
    for (Pblk pblk = 0; pblk < geometry_.blocks; ++pblk) {
      if (tree_.blocks[pblk].kind == BlockUse::Kind::kMetadata) tree_.metadata.push_back(pblk);
    }
    return std::move(tree_);
  }

 private:
  static constexpr int kMaxDirectoryDepth = 16;

  void Fault(std::string message, std::string detail = "") {
    tree_.faults.push_back({std::move(message), std::move(detail)});
  }

  // Null, and a fault, if the block is something else.
  template <class T>
  const T* Block(Pblk pblk, const char* what) {
    const auto it = state_.find(pblk);
    const T* block = it != state_.end() ? std::get_if<T>(&images_.Get(it->second)) : nullptr;
    if (block == nullptr) Fault(absl::StrCat("no ", what), absl::StrFormat("in block %d", pblk));
    return block;
  }

  const DiskInode* Inode(Ino ino) {
    const Pblk pblk = geometry_.inode_table_block(ino);
    const auto it = state_.find(pblk);
    if (it == state_.end()) return nullptr;
    const auto* block = std::get_if<InodeTableBlock>(&images_.Get(it->second));
    const uint32_t slot = geometry_.inode_slot(ino);
    return block != nullptr && slot < block->inodes.size() ? &block->inodes[slot] : nullptr;
  }

  std::string Name(Ino ino) const {
    if (!names_[ino].empty()) return names_[ino];
    return absl::StrFormat("inode %d", ino);
  }

  // --- Ownership ------------------------------------------------------------------------------

  void Own(Pblk pblk, uint32_t len, Ino ino, BlockUse::Kind kind) {
    for (uint32_t i = 0; i < len; ++i) {
      Ino& owner = owner_[pblk + i];
      if (owner != 0) {
        Fault(OwnedTwice(owner, ino), absl::StrFormat("block %d", pblk + i));
      }
      owner = ino;
      if (kind == BlockUse::Kind::kMetadata) tree_.blocks[pblk + i].kind = kind;
    }
  }

  std::string OwnedTwice(Ino one, Ino other) const {
    if (one == kFixed) return absl::StrCat(Name(other), " has a block that is fixed metadata");
    if (one == other) return absl::StrCat(Name(one), " has a block twice");
    return absl::StrCat(Name(one), " and ", Name(other), " have a block in common");
  }

  void ReadFixedBlocks() {
    Own(0, geometry_.root_directory(), kFixed, BlockUse::Kind::kMetadata);
    Own(geometry_.journal(), geometry_.journal_blocks, kFixed, BlockUse::Kind::kNone);
    super_ = Block<DiskSuperBlock>(geometry_.superblock(), "superblock");
    (void)Block<GroupDescriptors>(geometry_.group_descriptors(), "group descriptors");
    for (uint32_t i = 0; i < geometry_.inode_table_blocks(); ++i) {
      (void)Block<InodeTableBlock>(geometry_.inode_table() + i, "inode table block");
    }
  }

  // --- Orphans and directories ----------------------------------------------------------------

  void ReadOrphanList() {
    Ino ino = super_ != nullptr ? super_->s_last_orphan : 0;
    while (ino != 0) {
      const DiskInode* inode = ino <= geometry_.inodes ? Inode(ino) : nullptr;
      if (inode == nullptr || inode->type == FileType::kFree) {
        Fault("orphan list: names a free inode", absl::StrFormat("inode %d", ino));
        return;
      }
      if (orphan_[ino]) {
        Fault("orphan list: goes in a circle", absl::StrFormat("inode %d", ino));
        return;
      }
      orphan_[ino] = true;
      ++tree_.orphans;
      ino = inode->next_orphan;
    }
  }

  void ReadDirectory(Ino ino, int depth) {
    const DiskInode* inode = Inode(ino);
    if (inode == nullptr || inode->type != FileType::kDirectory || depth > kMaxDirectoryDepth) {
      Fault(absl::StrCat(ino == kRootIno ? "the root" : Name(ino), " is not a directory"));
      return;
    }
    std::vector<Extent> extents;
    ReadExtents(ino, *inode, extents, BlockUse::Kind::kMetadata);
    for (const Extent& extent : extents) {
      for (uint32_t i = 0; i < extent.ee_len; ++i) {
        const auto* block = Block<DirectoryBlock>(extent.ee_start + i, "directory block");
        if (block == nullptr) continue;
        for (const auto& [name, entry] : block->entries) ReadEntry(ino, name, entry, depth);
      }
    }
  }

  void ReadEntry(Ino directory, const std::string& name, Ino ino, int depth) {
    std::string path = directory == kRootIno ? name : absl::StrCat(Name(directory), "/", name);
    const DiskInode* inode = ino >= kFirstIno && ino <= geometry_.inodes ? Inode(ino) : nullptr;
    if (inode == nullptr || inode->type == FileType::kFree) {
      Fault(absl::StrCat("directory entry ", path, " names a free inode"),
            absl::StrFormat("inode %d", ino));
      return;
    }
    if (inode->type == FileType::kRegular) tree_.names[path] = {ino, inode->i_generation};
    if (names_[ino].empty()) names_[ino] = std::move(path);
    if (++links_[ino] == 1 && inode->type == FileType::kDirectory) ReadDirectory(ino, depth + 1);
  }

  // --- Inodes ---------------------------------------------------------------------------------

  void ReadInode(Ino ino) {
    const DiskInode* inode = Inode(ino);
    if (inode == nullptr || inode->type == FileType::kFree) return;
    if (inode->type != FileType::kRegular) return;
    CheckLinks(ino, *inode);
    RecoveredFile file{.key = {ino, inode->i_generation},
                       .name = Name(ino),
                       .size_bytes = inode->i_size_bytes,
                       .inline_data = inode->inline_data,
                       .orphan = orphan_[ino]};
    if (!inode->inline_data) ReadExtents(ino, *inode, file.extents, BlockUse::Kind::kData);
    if (!orphan_[ino]) CheckBeyondSize(file);
    if (inode->i_links_count == 0) return;
    const uint32_t end = BlocksOfSize(geometry_, file.size_bytes);
    for (const Extent& extent : file.extents) {
      for (uint32_t i = 0; !extent.unwritten && i < extent.ee_len; ++i) {
        if (extent.ee_block + i >= end) break;
        BlockUse& use = tree_.blocks[extent.ee_start + i];
        if (use.kind != BlockUse::Kind::kNone) continue;  // owned twice
        use = {BlockUse::Kind::kData, static_cast<uint32_t>(tree_.files.size()),
               extent.ee_block + i};
      }
    }
    tree_.files.push_back(std::move(file));
  }

  void CheckLinks(Ino ino, const DiskInode& inode) {
    if (inode.i_links_count != links_[ino]) {
      Fault(absl::StrCat(Name(ino), ": wrong link count"),
            absl::StrFormat("i_links_count is %d, directory entries %d", inode.i_links_count,
                            links_[ino]));
    }
    if (inode.i_links_count == 0 && !orphan_[ino]) {
      Fault("an inode in use has no name and is not on the orphan list",
            absl::StrFormat("inode %d", ino));
    }
  }

  void CheckBeyondSize(const RecoveredFile& file) {
    const uint32_t end = BlocksOfSize(geometry_, file.size_bytes);
    for (const Extent& extent : file.extents) {
      if (extent.unwritten || extent.end() <= end) continue;
      Fault(absl::StrCat(file.name, ": written extent beyond i_size, not on the orphan list"),
            absl::StrFormat("blocks [%d, %d), i_size %d", extent.ee_block, extent.end(),
                            file.size_bytes));
      return;
    }
  }

  // --- Extent trees ---------------------------------------------------------------------------

  void ReadExtents(Ino ino, const DiskInode& inode, std::vector<Extent>& extents,
                   BlockUse::Kind kind) {
    uint32_t blocks = 0;
    ReadNode(ino, inode.i_block, ExtentNode::kRootEntries, inode.i_block.eh_depth, extents, blocks);
    for (size_t i = 1; i < extents.size(); ++i) {
      if (extents[i].ee_block < extents[i - 1].end()) {
        Fault(absl::StrCat(Name(ino), ": extents overlap or are out of order"));
        break;
      }
    }
    for (const Extent& extent : extents) {
      Own(extent.ee_start, extent.ee_len, ino, kind);
      blocks += extent.ee_len;
    }
    if (blocks != inode.i_blocks) {
      Fault(absl::StrCat(Name(ino), ": i_blocks is wrong"),
            absl::StrFormat("is %d, has %d", inode.i_blocks, blocks));
    }
  }

  void ReadNode(Ino ino, const ExtentNode& node, uint32_t capacity, int depth,
                std::vector<Extent>& extents, uint32_t& blocks) {
    if (node.eh_depth != depth || node.extents.size() + node.indexes.size() > capacity ||
        (depth == 0 ? !node.indexes.empty() : !node.extents.empty())) {
      Fault(absl::StrCat(Name(ino), ": extent node is malformed"));
      return;
    }
    for (const Extent& extent : node.extents) {
      if (extent.ee_len == 0 || extent.ee_start >= geometry_.blocks ||
          extent.ee_len > geometry_.blocks - extent.ee_start) {
        Fault(absl::StrCat(Name(ino), ": extent is not on the device"));
        continue;
      }
      extents.push_back(extent);
    }
    for (const ExtentIndex& index : node.indexes) {
      if (index.ei_leaf >= geometry_.blocks) {
        Fault(absl::StrCat(Name(ino), ": extent index is not on the device"));
        continue;
      }
      Own(index.ei_leaf, 1, ino, BlockUse::Kind::kMetadata);
      ++blocks;
      const auto* child = Block<ExtentNode>(index.ei_leaf, "extent node");
      if (child == nullptr) continue;
      const size_t before = extents.size();
      ReadNode(ino, *child, ExtentNodeCapacity(geometry_.block_bytes), depth - 1, extents, blocks);
      if (extents.size() > before && extents[before].ee_block < index.ei_block) {
        Fault(absl::StrCat(Name(ino), ": extent index starts after its first extent"));
      }
    }
  }

  // --- Bitmaps and counts ---------------------------------------------------------------------

  void CheckBlockBitmap() {
    const auto* bitmap = Block<Bitmap>(geometry_.block_bitmap(), "block bitmap");
    if (bitmap == nullptr) return;
    uint32_t free_blocks = 0;
    uint32_t leaked = 0;
    for (Pblk pblk = 0; pblk < geometry_.blocks; ++pblk) {
      const bool used = bitmap->Test(pblk);
      const Ino owner = owner_[pblk];
      free_blocks += used ? 0 : 1;
      leaked += used && owner == 0 ? 1 : 0;
      if (!used && owner != 0)
        FaultOnce(absl::StrCat("block bitmap: blocks of ", OwnerName(owner), " are marked free"));
    }
    if (leaked != 0) {
      Fault("block bitmap: blocks are marked used that nothing owns",
            absl::StrFormat("%d blocks", leaked));
    }
    CheckCount("free blocks", &GroupDescriptors::bg_free_blocks_count, free_blocks);
  }

  void CheckInodeBitmap() {
    const auto* bitmap = Block<Bitmap>(geometry_.inode_bitmap(), "inode bitmap");
    if (bitmap == nullptr) return;
    uint32_t free_inodes = 0;
    for (Ino ino = 1; ino <= geometry_.inodes; ++ino) {
      const bool used = bitmap->Test(ino - 1);
      free_inodes += used ? 0 : 1;
      const DiskInode* inode = Inode(ino);
      const bool in_use = ino < kFirstIno || (inode != nullptr && inode->type != FileType::kFree);
      if (in_use && !used) FaultOnce(absl::StrCat("inode bitmap: ", Name(ino), " is marked free"));
      if (used && !in_use) FaultOnce("inode bitmap: a free inode is marked used");
    }
    CheckCount("free inodes", &GroupDescriptors::bg_free_inodes_count, free_inodes);
  }

  void CheckCount(const char* what, uint32_t GroupDescriptors::*count, uint32_t counted) {
    const auto it = state_.find(geometry_.group_descriptors());
    if (it == state_.end()) return;
    const auto* descriptors = std::get_if<GroupDescriptors>(&images_.Get(it->second));
    if (descriptors == nullptr || descriptors->*count == counted) return;
    Fault(absl::StrCat(what, ": count is wrong"),
          absl::StrFormat("is %d, bitmap has %d", descriptors->*count, counted));
  }

  std::string OwnerName(Ino owner) const {
    return owner == kFixed ? "fixed metadata" : Name(owner);
  }

  void FaultOnce(std::string message) {
    const auto same = [&](const MetadataFault& fault) { return fault.message == message; };
    if (std::none_of(tree_.faults.begin(), tree_.faults.end(), same)) Fault(std::move(message));
  }

  static constexpr Ino kFixed = UINT32_MAX;

  const Geometry& geometry_;
  const ImageStore& images_;
  const MetadataImages& state_;
  const DiskSuperBlock* super_ = nullptr;
  RecoveredTree tree_;
  std::vector<Ino> owner_;          // by block; 0: none
  std::vector<std::string> names_;  // by inode
  std::vector<uint32_t> links_;     // by inode: directory entries
  std::vector<bool> orphan_;        // by inode
};

}  // namespace

RecoveredTree CheckMetadata(const Geometry& geometry, const ImageStore& images,
                            const MetadataImages& state) {
  return MetadataReader(geometry, images, state).Read();
}

}  // namespace model
