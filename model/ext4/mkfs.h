// The device before the first mount: an empty journal, and some files [e2fsprogs, misc/mke2fs.c].
//
// Metadata blocks are images; the journal's blocks are zero but for its superblock. A block that
// nobody uses, or that an unwritten extent covers, keeps what a former owner of the disk left
// there: StaleContent(). So whatever shows it to a reader has a name.
//
// Each file is one extent (the group is smaller than the longest one), in order of the list.
//
// Not modelled: block groups, reserved blocks for root (as mke2fs -m 0), the contents of
// inline-data files.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/crash/history.h"
#include "model/ondisk/image_store.h"

namespace model {

enum class InitialContent : uint8_t {
  kHole,       // of this size, without blocks
  kUnwritten,  // allocated by fallocate(2)
  kWritten,    // every byte was written by a write of its own in the history
};

struct MkfsFile {
  std::string name;
  uint64_t size_bytes = 0;
  InitialContent content = InitialContent::kHole;
  bool inline_data = false;  // at most kMaxInlineBytes; `content` does not matter then
  FileContract contract;     // what the history is told
};

// EXT4_MIN_INLINE_DATA_SIZE: what i_block takes. No extended attribute holds the rest.
inline constexpr uint64_t kMaxInlineBytes = 60;

// The contents of all devices, sector by sector. Files get the numbers behind
// kLostFoundIno, in order, and are created in `history`, whose table `granules` is. Fails, with a
// message that says how much is there and how much is wanted, if something does not fit.
absl::StatusOr<std::vector<SectorContent>> MakeFilesystem(const Geometry& geometry,
                                                          absl::Span<const MkfsFile> files,
                                                          ImageStore& images,
                                                          GranuleTable& granules, History& history);

}  // namespace model
