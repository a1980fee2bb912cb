// Reads a committed state's metadata as a mount and e2fsck would: what is wrong with it, and which
// blocks make up which file.
//
// The state is judged as it is before orphan cleanup [fs/ext4/orphan.c], with what that will do
// taken into account: an orphan may have blocks beyond its size; one without links is no file any
// more. Cleanup frees exactly what e2fsck's passes find owned here, so it needs no check of its
// own.
//
// Faults [e2fsck/pass1.c, pass2.c, pass4.c, pass5.c]: extent trees out of order, overlapping, too
// full, of wrong depth or off the device; i_blocks; blocks owned twice; written extents beyond the
// block of i_size of an inode that is no orphan; the orphan list; directory entries, link counts;
// both bitmaps and the free counts. The root directory's block is an
// extent of inode 2.
//
// Not modelled: link counts of directories ("." and ".." are not in directory blocks here);
// inodes 1 and 3 to 10, which are marked used and otherwise not looked at: the journal is where the
// geometry has it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "model/crash/history.h"
#include "model/ondisk/geometry.h"
#include "model/ondisk/image_store.h"

namespace model {

using MetadataImages = absl::btree_map<Pblk, ImageId>;

struct RecoveredFile {
  FileKey key;
  std::string name;
  uint64_t size_bytes = 0;
  bool inline_data = false;
  bool orphan = false;          // on the orphan list: cleanup will cut what is beyond the size
  std::vector<Extent> extents;  // ascending; unwritten ones too
};

// What a block is in a state.
struct BlockUse {
  enum class Kind : uint8_t { kNone, kMetadata, kData };
  Kind kind = Kind::kNone;
  uint32_t file = 0;  // kData: index into RecoveredTree::files
  Lblk lblk = 0;
};

struct MetadataFault {
  std::string message;  // one line, without numbers that vary
  std::string detail;
};

struct RecoveredTree {
  std::vector<RecoveredFile> files;      // regular files that have a name, by inode number
  std::map<std::string, FileKey> names;  // of regular files; paths from the root
  // By block. Data are the blocks that reading a file up to its size reads from the disk.
  std::vector<BlockUse> blocks;
  std::vector<Pblk> metadata;  // ascending
  uint32_t orphans = 0;        // inodes on the orphan list
  std::vector<MetadataFault> faults;
};

RecoveredTree CheckMetadata(const Geometry& geometry, const ImageStore& images,
                            const MetadataImages& state);

}  // namespace model
