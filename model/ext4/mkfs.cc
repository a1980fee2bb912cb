#include "model/ext4/mkfs.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "model/ext4/dir.h"
#include "sim/check.h"

namespace model {
namespace {

absl::Status CheckGeometry(const Geometry& geometry) {
  SIM_CHECK(geometry.inodes % geometry.inodes_per_block() == 0 && geometry.inodes % 8 == 0);
  const uint64_t sectors = geometry.first_sector(geometry.blocks);
  if (geometry.inodes < kLostFoundIno || geometry.inodes > 8 * geometry.block_bytes) {
    return absl::InvalidArgumentError(absl::StrFormat("fs: want %d to %d inodes, got %d",
                                                      kLostFoundIno, 8 * geometry.block_bytes,
                                                      geometry.inodes));
  }
  if (geometry.first_data() >= geometry.blocks) {
    return absl::InvalidArgumentError(
        absl::StrFormat("device: %d sectors are too few for %d journal blocks and %d inodes",
                        sectors, geometry.journal_blocks, geometry.inodes));
  }
  if (geometry.blocks > 8 * geometry.block_bytes) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "device: %d sectors are more than one block group has: with blocks of %d bytes at most %d",
        sectors, geometry.block_bytes, geometry.first_sector(8 * geometry.block_bytes)));
  }
  return absl::OkStatus();
}

// The device while it is filled.
class Maker {
 public:
  Maker(const Geometry& geometry, ImageStore& images, GranuleTable& granules, History& history)
      : geometry_(geometry),
        images_(images),
        granules_(granules),
        history_(history),
        next_free_(geometry.first_data()),
        block_bitmap_(geometry.blocks),
        inode_bitmap_(geometry.inodes),
        inode_table_(geometry.inode_table_blocks()) {
    for (uint64_t sector = 0; sector < geometry.first_sector(geometry.end()); ++sector) {
      sectors_.push_back(StaleContent(sector));
    }
    for (InodeTableBlock& block : inode_table_) block.inodes.resize(geometry.inodes_per_block());
    for (Pblk pblk = 0; pblk < geometry.first_data(); ++pblk) block_bitmap_.Set(pblk);
    for (Ino ino = 1; ino < next_ino_; ++ino) inode_bitmap_.Set(ino - 1);
    MakeDirectory(kRootIno, 3, geometry.root_directory());
    MakeDirectory(kLostFoundIno, 2, geometry.lost_found());
    root_.entries["lost+found"] = kLostFoundIno;
    if (!geometry.external_journal) MakeJournalInode();
  }

  absl::Status AddFile(const MkfsFile& file);
  std::vector<SectorContent> Finish();

 private:
  DiskInode& Inode(Ino ino) {
    return inode_table_[(ino - 1) / geometry_.inodes_per_block()].inodes[geometry_.inode_slot(ino)];
  }
  void MakeDirectory(Ino ino, uint16_t links, Pblk pblk);
  void MakeJournalInode();
  absl::Status Allocate(const MkfsFile& file, DiskInode& inode);
  void FillData(const Extent& extent, uint64_t size_bytes, WriteId write);
  void PutBlock(Pblk pblk, BlockContent content);

  const Geometry& geometry_;
  ImageStore& images_;
  GranuleTable& granules_;
  History& history_;
  Ino next_ino_ = kLostFoundIno + 1;
  Pblk next_free_;
  bool has_inline_data_ = false;
  Bitmap block_bitmap_;
  Bitmap inode_bitmap_;
  std::vector<InodeTableBlock> inode_table_;
  DirectoryBlock root_;
  std::vector<SectorContent> sectors_;
};

void Maker::MakeDirectory(Ino ino, uint16_t links, Pblk pblk) {
  DiskInode& directory = Inode(ino);
  directory.type = FileType::kDirectory;
  directory.i_links_count = links;
  directory.i_size_bytes = geometry_.block_bytes;
  directory.i_blocks = 1;
  directory.i_block.extents = {{0, 1, pblk, false}};
}

void Maker::MakeJournalInode() {
  DiskInode& journal = Inode(kJournalIno);
  journal.type = FileType::kRegular;
  journal.i_links_count = 1;
  journal.i_size_bytes = uint64_t{geometry_.journal_blocks} * geometry_.block_bytes;
  journal.i_blocks = geometry_.journal_blocks;
  journal.i_block.extents = {{0, geometry_.journal_blocks, geometry_.journal(), false}};
}

absl::Status Maker::AddFile(const MkfsFile& file) {
  if (next_ino_ > geometry_.inodes) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("file '%s': all %d inodes are in use, of which %d are reserved", file.name,
                        geometry_.inodes, kLostFoundIno));
  }
  if (file.name.empty() || file.name.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("file '%s': want a name of 1 to %d bytes", file.name, kMaxNameBytes));
  }
  if (root_.entries.contains(file.name)) {
    return absl::InvalidArgumentError(absl::StrFormat("file '%s': there are two of it", file.name));
  }
  if (!DirectoryHasRoom(root_, file.name, geometry_.block_bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("file '%s': the root directory's block of %d bytes is full", file.name,
                        geometry_.block_bytes));
  }

  const Ino ino = next_ino_++;
  DiskInode& inode = Inode(ino);
  inode.type = FileType::kRegular;
  inode.i_links_count = 1;
  inode.i_generation = 1;
  inode.i_size_bytes = file.size_bytes;
  inode.inline_data = file.inline_data;
  has_inline_data_ |= file.inline_data;
  root_.entries[file.name] = ino;
  inode_bitmap_.Set(ino - 1);
  if (absl::Status status = Allocate(file, inode); !status.ok()) return status;

  const FileKey key{ino, inode.i_generation};
  history_.Created(key, file.name, file.contract, /*tid=*/0);
  if (inode.i_blocks > 0 && file.content == InitialContent::kWritten) {
    const WriteId write = history_.BeginWrite(key, 0, file.size_bytes);
    history_.Copied(write, 0, file.size_bytes);
    FillData(inode.i_block.extents[0], file.size_bytes, write);
  } else if (file.size_bytes > 0) {
    history_.Truncated(key, file.size_bytes, 0);
  }
  return absl::OkStatus();
}

absl::Status Maker::Allocate(const MkfsFile& file, DiskInode& inode) {
  if (file.inline_data) {
    if (file.size_bytes <= kMaxInlineBytes) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrFormat("file '%s': inline data takes at most %d bytes, got %d", file.name,
                        kMaxInlineBytes, file.size_bytes));
  }
  if (file.content == InitialContent::kHole || file.size_bytes == 0) return absl::OkStatus();
  const uint64_t blocks = (file.size_bytes + geometry_.block_bytes - 1) / geometry_.block_bytes;
  const uint32_t free = geometry_.blocks - next_free_;
  if (blocks > free) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("file '%s': %d bytes want %d blocks of %d bytes, %d are free", file.name,
                        file.size_bytes, blocks, geometry_.block_bytes, free));
  }
  inode.i_blocks = static_cast<uint32_t>(blocks);
  inode.i_block.extents = {
      {0, inode.i_blocks, next_free_, file.content == InitialContent::kUnwritten}};
  for (uint32_t i = 0; i < inode.i_blocks; ++i) block_bitmap_.Set(next_free_++);
  return absl::OkStatus();
}

// The last block is zero beyond the end of the file.
void Maker::FillData(const Extent& extent, uint64_t size_bytes, WriteId write) {
  const uint64_t first = geometry_.first_sector(extent.ee_start);
  const uint32_t sectors = extent.ee_len * geometry_.sectors_per_block();
  for (uint32_t i = 0; i < sectors; ++i) {
    const uint64_t begin = uint64_t{i} * kGranuleBytes;
    const uint64_t bytes =
        begin < size_bytes ? std::min<uint64_t>(size_bytes - begin, kGranuleBytes) : 0;
    sectors_[first + i] =
        granules_.Overlay(kZeroContent, 0, static_cast<uint32_t>(bytes), DataContent(write, i));
  }
}

void Maker::PutBlock(Pblk pblk, BlockContent content) {
  const ImageId image = images_.Add(std::move(content), pblk);
  const uint64_t first = geometry_.first_sector(pblk);
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    sectors_[first + i] = ImageContent(image, i);
  }
}

std::vector<SectorContent> Maker::Finish() {
  const GroupDescriptors group{geometry_.blocks - next_free_, geometry_.inodes - next_ino_ + 1};
  PutBlock(geometry_.superblock(), DiskSuperBlock{.s_free_blocks_count = group.bg_free_blocks_count,
                                                  .s_free_inodes_count = group.bg_free_inodes_count,
                                                  .inline_data = has_inline_data_});
  PutBlock(geometry_.group_descriptors(), group);
  PutBlock(geometry_.block_bitmap(), std::move(block_bitmap_));
  PutBlock(geometry_.inode_bitmap(), std::move(inode_bitmap_));
  for (uint32_t i = 0; i < inode_table_.size(); ++i) {
    PutBlock(geometry_.inode_table() + i, std::move(inode_table_[i]));
  }
  PutBlock(geometry_.root_directory(), std::move(root_));
  PutBlock(geometry_.lost_found(), DirectoryBlock{});
  PutBlock(geometry_.journal(), JournalSuperblock{});
  const uint64_t log_end = geometry_.first_sector(geometry_.journal_end());
  for (uint64_t sector = geometry_.first_sector(geometry_.journal() + 1); sector < log_end;
       ++sector) {
    sectors_[sector] = kZeroContent;
  }
  return std::move(sectors_);
}

}  // namespace

absl::StatusOr<std::vector<SectorContent>> MakeFilesystem(const Geometry& geometry,
                                                          absl::Span<const MkfsFile> files,
                                                          ImageStore& images,
                                                          GranuleTable& granules,
                                                          History& history) {
  if (absl::Status status = CheckGeometry(geometry); !status.ok()) return status;
  Maker maker(geometry, images, granules, history);
  for (const MkfsFile& file : files) {
    if (absl::Status status = maker.AddFile(file); !status.ok()) return status;
  }
  return maker.Finish();
}

}  // namespace model
