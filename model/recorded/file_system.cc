#include "model/recorded/file_system.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/endian/conversion.hpp"

namespace model {
namespace {

constexpr size_t kMaxFaults = 16;  // more tell nothing

// Without com_err, whose list of tables is global.
std::string ErrorText(errcode_t error) {
  const error_table& table = et_ext2_error_table;
  if (error < table.base || error >= table.base + table.n_msgs)
    return absl::StrCat("error ", error);
  return table.msgs[error - table.base];
}

bool IsEndOfExtents(errcode_t error) {
  return error == EXT2_ET_EXTENT_NO_NEXT || error == EXT2_ET_NO_CURRENT_NODE;
}

// One look at all of the metadata.
class Reader {
 public:
  Reader(ext2_filsys fs, RecoveredFileSystem& result)
      : fs_(fs), result_(result), owners_(ext2fs_blocks_count(fs->super)), uses_(Inodes() + 1) {}

  void Run() {
    if (const errcode_t error = ext2fs_read_bitmaps(fs_); error != 0) {
      return Fault("the bitmaps: ", ErrorText(error));
    }
    ClaimFixedBlocks();
    WalkOrphans();
    ReadOrphanFile();
    WalkTree();
    for (ext2_ino_t ino = 1; ino <= Inodes(); ++ino) {
      if (ext2fs_test_inode_bitmap2(fs_->inode_map, ino)) {
        LookAtInode(ino);
      } else if (uses_[ino].links != 0) {
        Fault("inode ", ino, " is in a directory and marked free");
      }
    }
    CompareBlockBitmap();
    CompareGroups();
    std::sort(result_.files.begin(), result_.files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
  }

 private:
  static constexpr ext2_ino_t kFileSystem = UINT32_MAX;  // as an owner of blocks

  struct Use {
    uint32_t links = 0;  // from directories
    bool orphan = false;
    std::vector<std::string> paths;
  };
  struct Directory {
    ext2_ino_t ino = 0;
    std::string path;  // ends with "/", unless it is the root
  };

  ext2_ino_t Inodes() const { return fs_->super->s_inodes_count; }

  template <class... Text>
  void Fault(const Text&... text) {
    if (result_.faults.size() < kMaxFaults) result_.faults.push_back(absl::StrCat(text...));
  }

  void Claim(blk64_t block, ext2_ino_t owner) {
    if (block < fs_->super->s_first_data_block || block >= owners_.size()) {
      return Fault("inode ", owner, " has block ", block, ", which is not in the file system");
    }
    // The resize inode maps descriptor blocks kept for later, which are the file system's.
    if (owner == EXT2_RESIZE_INO && owners_[block] == kFileSystem) return;
    if (owners_[block] != 0) {
      return Fault("block ", block, " of inode ", owner,
                   owners_[block] == kFileSystem
                       ? std::string(" is the file system's")
                       : absl::StrCat(" is also of inode ", owners_[block]));
    }
    owners_[block] = owner;
  }

  void ClaimFixedBlocks() {
    for (dgrp_t group = 0; group < fs_->group_desc_count; ++group) {
      blk64_t super = 0, old_descriptors = 0, new_descriptors = 0;
      ext2fs_super_and_bgd_loc2(fs_, group, &super, &old_descriptors, &new_descriptors, nullptr);
      const bool has_super = super != 0 || (group == 0 && fs_->super->s_first_data_block == 0);
      if (has_super) Claim(super, kFileSystem);
      const blk64_t reserved = fs_->super->s_reserved_gdt_blocks;
      for (blk64_t i = 0; old_descriptors != 0 && i < fs_->desc_blocks + reserved; ++i) {
        Claim(old_descriptors + i, kFileSystem);
      }
      if (new_descriptors != 0) Claim(new_descriptors, kFileSystem);
      Claim(ext2fs_block_bitmap_loc(fs_, group), kFileSystem);
      Claim(ext2fs_inode_bitmap_loc(fs_, group), kFileSystem);
      const blk64_t table = ext2fs_inode_table_loc(fs_, group);
      for (blk64_t i = 0; i < fs_->inode_blocks_per_group; ++i) Claim(table + i, kFileSystem);
    }
  }

  void WalkOrphans() {
    ext2_inode inode = {};
    for (ext2_ino_t ino = fs_->super->s_last_orphan; ino != 0; ino = inode.i_dtime) {
      if (ino > Inodes() || uses_[ino].orphan) {
        return Fault("the orphan list leads to inode ", ino);
      }
      uses_[ino].orphan = true;
      if (ext2fs_read_inode(fs_, ino, &inode) != 0) return;  // said when it is looked at
    }
  }

  void ReadOrphanFile() {
    const ext2_ino_t ino = fs_->super->s_orphan_file_inum;
    if (!ext2fs_has_feature_orphan_file(fs_->super) || ino == 0) return;
    const errcode_t error = ext2fs_block_iterate3(
        fs_, ino, BLOCK_FLAG_READ_ONLY | BLOCK_FLAG_DATA_ONLY, nullptr,
        [](ext2_filsys, blk64_t* block, e2_blkcnt_t, blk64_t, int, void* reader) {
          static_cast<Reader*>(reader)->ReadOrphanBlock(*block);
          return 0;
        },
        this);
    if (error != 0) Fault("the orphan file, inode ", ino, ": ", ErrorText(error));
  }

  // Inode numbers, 0 for none, and a tail of 8 bytes.
  void ReadOrphanBlock(blk64_t block) {
    std::vector<uint8_t> bytes(fs_->blocksize);
    if (io_channel_read_blk64(fs_->io, block, 1, bytes.data()) != 0) return;
    for (size_t at = 0; at + 12 <= bytes.size(); at += 4) {
      const uint32_t ino = boost::endian::load_little_u32(&bytes[at]);
      if (ino > Inodes()) return Fault("the orphan file has inode ", ino);
      uses_[ino].orphan = true;
    }
  }

  // Not in any directory.
  bool IsHidden(ext2_ino_t ino) const {
    const ext2_super_block& super = *fs_->super;
    return (ino < EXT2_FIRST_INODE(&super) && ino != EXT2_ROOT_INO) ||
           (ext2fs_has_feature_orphan_file(fs_->super) && ino == super.s_orphan_file_inum) ||
           (ext2fs_has_feature_project(fs_->super) && ino == super.s_prj_quota_inum);
  }

  void WalkTree() {
    std::set<ext2_ino_t> seen = {EXT2_ROOT_INO};
    std::vector<Directory> open = {{EXT2_ROOT_INO, ""}};
    while (!open.empty()) {
      const Directory directory = open.back();
      open.pop_back();
      WalkDirectory(directory, seen, open);
    }
  }

  struct Walk {
    Reader& reader;
    const Directory& directory;
    std::set<ext2_ino_t>& seen;
    std::vector<Directory>& open;
  };

  void WalkDirectory(const Directory& directory, std::set<ext2_ino_t>& seen,
                     std::vector<Directory>& open) {
    Walk walk{*this, directory, seen, open};
    const errcode_t error = ext2fs_dir_iterate2(
        fs_, directory.ino, 0, nullptr,
        [](ext2_ino_t, int, ext2_dir_entry* entry, int, int, char*, void* data) {
          auto& at = *static_cast<Walk*>(data);
          at.reader.TakeEntry(*entry, at);
          return 0;
        },
        &walk);
    if (error != 0) Fault("directory inode ", directory.ino, ": ", ErrorText(error));
  }

  void TakeEntry(const ext2_dir_entry& entry, Walk& walk) {
    const std::string name(entry.name, ext2fs_dirent_name_len(&entry));
    if (entry.inode == 0) return;
    if (entry.inode > Inodes()) {
      return Fault("\"", walk.directory.path, name, "\" is inode ", entry.inode,
                   ", which does not exist");
    }
    Use& use = uses_[entry.inode];
    ++use.links;
    if (name == "." || name == "..") return;
    const std::string path = walk.directory.path + name;
    use.paths.push_back(path);
    ext2_inode inode = {};
    if (ext2fs_read_inode(fs_, entry.inode, &inode) == 0 && LINUX_S_ISDIR(inode.i_mode) &&
        walk.seen.insert(entry.inode).second) {
      walk.open.push_back({entry.inode, path + "/"});
    }
  }

  void LookAtInode(ext2_ino_t ino) {
    ext2_inode inode = {};
    if (const errcode_t error = ext2fs_read_inode(fs_, ino, &inode); error != 0) {
      return Fault("inode ", ino, ": ", ErrorText(error));
    }
    const Use& use = uses_[ino];
    const bool is_hidden = IsHidden(ino);
    if (!is_hidden) {
      if (inode.i_links_count != use.links) {
        Fault("inode ", ino, " says that it has ", inode.i_links_count, " links and has ",
              use.links);
      } else if (use.links == 0 && !use.orphan) {
        Fault("inode ", ino, " is in use, in no directory and not on the orphan list");
      }
    }
    RecoveredFileOnDisk file = {.ino = ino, .size_bytes = EXT2_I_SIZE(&inode)};
    uint64_t blocks = ReadMapping(ino, inode, file);
    if (const blk64_t attributes = ext2fs_file_acl_block(fs_, &inode); attributes != 0) {
      ++blocks;
      if (attribute_blocks_.insert(attributes).second) Claim(attributes, ino);
    }
    const uint64_t sectors = blocks * (fs_->blocksize / 512);
    if (!is_hidden && ext2fs_get_stat_i_blocks(fs_, &inode) != sectors) {
      Fault("inode ", ino, " says that it has ", ext2fs_get_stat_i_blocks(fs_, &inode),
            " sectors and has ", sectors);
    }
    if (!LINUX_S_ISREG(inode.i_mode)) return;
    const uint64_t end =
        file.extents.empty() ? 0 : file.extents.back().file_bytes + file.extents.back().size_bytes;
    if (!use.orphan && !is_hidden && end >= file.size_bytes + fs_->blocksize) {
      Fault("inode ", ino, " has blocks up to ", end, " and a size of ", file.size_bytes);
    }
    for (const std::string& path : use.paths) {
      file.path = path;
      result_.files.push_back(file);
    }
  }

  // Returns how many blocks it has.
  uint64_t ReadMapping(ext2_ino_t ino, ext2_inode& inode, RecoveredFileOnDisk& file) {
    if (!ext2fs_inode_has_valid_blocks2(fs_, &inode)) return 0;
    if ((inode.i_flags & EXT4_EXTENTS_FL) != 0) return ReadExtents(ino, inode, file);
    struct Mapping {
      Reader& reader;
      ext2_ino_t ino;
      RecoveredFileOnDisk& file;
      uint64_t blocks = 0;
    } mapping{*this, ino, file};
    const errcode_t error = ext2fs_block_iterate3(
        fs_, ino, BLOCK_FLAG_READ_ONLY, nullptr,
        [](ext2_filsys, blk64_t* block, e2_blkcnt_t lblk, blk64_t, int, void* data) {
          auto& at = *static_cast<Mapping*>(data);
          ++at.blocks;
          at.reader.Claim(*block, at.ino);
          if (lblk >= 0) at.reader.AddExtent(at.file, static_cast<uint64_t>(lblk), *block, 1);
          return 0;
        },
        &mapping);
    if (error != 0) Fault("inode ", ino, ": ", ErrorText(error));
    return mapping.blocks;
  }

  uint64_t ReadExtents(ext2_ino_t ino, ext2_inode& inode, RecoveredFileOnDisk& file) {
    ext2_extent_handle_t handle = nullptr;
    errcode_t error = ext2fs_extent_open2(fs_, ino, &inode, &handle);
    uint64_t blocks = 0, next = 0;
    ext2fs_extent extent = {};
    for (int operation = EXT2_EXTENT_ROOT; error == 0; operation = EXT2_EXTENT_NEXT) {
      error = ext2fs_extent_get(handle, operation, &extent);
      if (error != 0) break;
      if ((extent.e_flags & EXT2_EXTENT_FLAGS_SECOND_VISIT) != 0) continue;
      if ((extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) == 0) {
        ++blocks;
        Claim(extent.e_pblk, ino);
        continue;
      }
      if (extent.e_lblk < next || extent.e_len == 0) {
        Fault("inode ", ino, " has extents out of order at block ", extent.e_lblk);
      }
      next = extent.e_lblk + extent.e_len;
      blocks += extent.e_len;
      for (uint32_t i = 0; i < extent.e_len; ++i) Claim(extent.e_pblk + i, ino);
      if ((extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT) == 0) {
        AddExtent(file, extent.e_lblk, extent.e_pblk, extent.e_len);
      }
    }
    if (handle != nullptr) ext2fs_extent_free(handle);
    if (error != 0 && !IsEndOfExtents(error)) Fault("inode ", ino, ": ", ErrorText(error));
    return blocks;
  }

  void AddExtent(RecoveredFileOnDisk& file, uint64_t lblk, uint64_t pblk, uint64_t blocks) const {
    const uint64_t block_bytes = fs_->blocksize;
    file.extents.push_back({lblk * block_bytes, pblk * block_bytes, blocks * block_bytes});
  }

  void CompareBlockBitmap() {
    for (blk64_t block = fs_->super->s_first_data_block; block < owners_.size(); ++block) {
      const bool marked = ext2fs_test_block_bitmap2(fs_->block_map, block) != 0;
      if (marked && owners_[block] == 0) Fault("block ", block, " is marked used and nobody's");
      if (!marked && owners_[block] != 0) {
        Fault("block ", block, " is marked free and ",
              owners_[block] == kFileSystem ? std::string("the file system's")
                                            : absl::StrCat("inode ", owners_[block], "'s"));
      }
    }
  }

  void CompareGroups() {
    for (dgrp_t group = 0; group < fs_->group_desc_count; ++group) {
      uint32_t free_blocks = 0, free_inodes = 0;
      const blk64_t last = ext2fs_group_last_block2(fs_, group);
      for (blk64_t block = ext2fs_group_first_block2(fs_, group); block <= last; ++block) {
        free_blocks += ext2fs_test_block_bitmap2(fs_->block_map, block) == 0 ? 1 : 0;
      }
      const ext2_ino_t per_group = fs_->super->s_inodes_per_group;
      for (ext2_ino_t i = 1; i <= per_group; ++i) {
        free_inodes +=
            ext2fs_test_inode_bitmap2(fs_->inode_map, group * per_group + i) == 0 ? 1 : 0;
      }
      Compare("blocks", group, ext2fs_bg_free_blocks_count(fs_, group), free_blocks);
      Compare("inodes", group, ext2fs_bg_free_inodes_count(fs_, group), free_inodes);
    }
  }

  void Compare(const char* what, dgrp_t group, uint32_t said, uint32_t counted) {
    if (said == counted) return;
    Fault("group ", group, " says that ", said, " ", what, " are free, and ", counted, " are");
  }

  ext2_filsys fs_;
  RecoveredFileSystem& result_;
  std::vector<ext2_ino_t> owners_;  // by block
  std::vector<Use> uses_;           // by inode
  std::set<blk64_t> attribute_blocks_;
};

// ext4 features whose on-disk structures this reads or need not.
constexpr uint32_t kKnownIncompat =
    EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_RECOVER | EXT2_FEATURE_INCOMPAT_META_BG |
    EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG |
    EXT4_FEATURE_INCOMPAT_CSUM_SEED | EXT4_FEATURE_INCOMPAT_LARGEDIR |
    EXT4_FEATURE_INCOMPAT_INLINE_DATA;
constexpr uint32_t kKnownRoCompat =
    EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
    EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM |
    EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE |
    EXT4_FEATURE_RO_COMPAT_METADATA_CSUM | EXT4_FEATURE_RO_COMPAT_QUOTA |
    EXT4_FEATURE_RO_COMPAT_PROJECT | EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT;

absl::Status CheckFeatures(const ext2_super_block& super) {
  if ((super.s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL) == 0) {
    return absl::InvalidArgumentError("superblock: the file system has no journal");
  }
  if (super.s_journal_inum == 0) {
    return absl::InvalidArgumentError(
        "superblock: the journal is on another device, and a recording is of one: want a journal "
        "in "
        "the file system");
  }
  const uint32_t incompat = super.s_feature_incompat & ~kKnownIncompat;
  const uint32_t ro_compat = super.s_feature_ro_compat & ~kKnownRoCompat;
  if (incompat == 0 && ro_compat == 0) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("superblock: features not known here: incompatible 0x", absl::Hex(incompat),
                   ", read-only compatible 0x", absl::Hex(ro_compat)));
}

}  // namespace

RecoveredFileSystem ReadFileSystem(BlockSource& source, uint64_t size_bytes) {
  RecoveredFileSystem result;
  errcode_t error = 0;
  const Ext2 fs = OpenExt2(source, error);
  if (fs == nullptr) {
    result.faults.push_back("superblock: " + ErrorText(error));
    return result;
  }
  if (ext2fs_blocks_count(fs->super) * fs->blocksize != size_bytes) {
    result.faults.push_back("superblock: the file system has changed its size");
    return result;
  }
  Reader(fs.get(), result).Run();
  return result;
}

absl::StatusOr<FileSystemLayout> ProbeFileSystem(BlockSource& source, uint32_t unit_bytes) {
  errcode_t error = 0;
  const Ext2 fs = OpenExt2(source, error);
  if (fs == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("superblock, at byte 1024: ", ErrorText(error)));
  }
  if (absl::Status status = CheckFeatures(*fs->super); !status.ok()) return status;
  if (fs->blocksize % unit_bytes != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("blocks of ", fs->blocksize, " bytes are no multiple of ", unit_bytes));
  }
  FileSystemLayout layout = {.size_bytes = ext2fs_blocks_count(fs->super) * fs->blocksize};
  layout.journal.block_bytes = fs->blocksize;
  layout.journal.device_blocks = ext2fs_blocks_count(fs->super);
  error = ext2fs_block_iterate3(
      fs.get(), fs->super->s_journal_inum, BLOCK_FLAG_READ_ONLY | BLOCK_FLAG_DATA_ONLY, nullptr,
      [](ext2_filsys, blk64_t* block, e2_blkcnt_t, blk64_t, int, void* blocks) {
        static_cast<std::vector<uint64_t>*>(blocks)->push_back(*block);
        return 0;
      },
      &layout.journal.blocks);
  if (error != 0 || layout.journal.blocks.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("journal, inode ", fs->super->s_journal_inum, ": ", ErrorText(error)));
  }
  for (const uint64_t block : layout.journal.blocks) {
    if (block < ext2fs_blocks_count(fs->super)) continue;
    return absl::InvalidArgumentError(absl::StrCat("journal, inode ", fs->super->s_journal_inum,
                                                   ": block ", block,
                                                   " is not in the file system"));
  }
  return layout;
}

}  // namespace model
