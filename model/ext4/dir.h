// The size of directory entries [fs/ext4/ext4.h, ext4_dir_rec_len()].
//
// A directory here is one block, without htree: when it is full, no more files can be created.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/ondisk/structures.h"

namespace model {

inline constexpr size_t kMaxNameBytes = 255;  // EXT4_NAME_LEN

// A header of 8 bytes, and the name padded to 4.
constexpr uint32_t ext4_dir_rec_len(size_t name_bytes) {
  return static_cast<uint32_t>((name_bytes + 8 + 3) & ~size_t{3});
}

// Beside ".", ".." and the checksum's tail entry.
inline bool DirectoryHasRoom(const DirectoryBlock& directory, std::string_view name,
                             uint32_t block_bytes) {
  uint32_t used = ext4_dir_rec_len(1) + ext4_dir_rec_len(2) + 12;
  for (const auto& [entry, ino] : directory.entries) used += ext4_dir_rec_len(entry.size());
  return used + ext4_dir_rec_len(name.size()) <= block_bytes;
}

}  // namespace model
