// A real ext4 file system after recovery, as libext2fs reads it: which files there are and where
// their contents lie, and whether the metadata is sound.
//
// Sound, as e2fsck means it: checksums of superblock, descriptors, bitmaps, inodes, extent nodes
// and directories; each block owned once, by an inode or by the file system, and marked so; each
// inode in use marked, linked as often as it says, or on the orphan list or in the orphan file;
// sizes, i_blocks and the groups' free counts. Not looked at: the superblock's own free counts,
// which ext4 writes lazily; contents of extended attributes, hash trees, quota files; the orphan
// file's checksums; times and modes.
//
// Refused: bigalloc, encryption, case folding, verity, extended attributes in inodes, and what came
// after 2023.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/recorded/ext2_source.h"
#include "model/recorded/log_scan.h"

namespace model {

// Written extents only: holes and unwritten ones read as zeros.
struct FileExtent {
  uint64_t file_bytes = 0;    // where in the file
  uint64_t device_bytes = 0;  // where on the device
  uint64_t size_bytes = 0;
};

struct RecoveredFileOnDisk {
  std::string path;  // without a leading "/"
  uint32_t ino = 0;
  uint64_t size_bytes = 0;
  std::vector<FileExtent> extents;
};

struct RecoveredFileSystem {
  std::vector<std::string> faults;         // of the metadata; none: sound
  std::vector<RecoveredFileOnDisk> files;  // regular files, by path
};

// `size_bytes`: of the file system, as it was when it was probed.
RecoveredFileSystem ReadFileSystem(BlockSource& source, uint64_t size_bytes);

// What does not change while the file system is used.
struct FileSystemLayout {
  uint64_t size_bytes = 0;
  JournalPlace journal;
};

// Fails, with the place, if this is no ext4 file system with a journal in it, or one with features
// that are not known here.
absl::StatusOr<FileSystemLayout> ProbeFileSystem(BlockSource& source, uint32_t unit_bytes);

}  // namespace model
