// The bytes of metadata and journal blocks, as ext4 and jbd2 have them on disk.
//
// Features of the file system: has_journal, filetype, extents, sparse_super, extra_isize, and
// inline_data if some inode uses it; blocks are numbered with 32 bits, and nothing but the journal
// has checksums. Of the journal: revoke, 64bit (the model counts tags and revoke records so), and
// checksum v3 or none. What the model does not know (times, owners, modes, the UUID) is the same in
// every image. An external journal's device has the feature journal_dev and nothing else.
//
// Not modelled: the superblock's mount and error counts; metadata_csum. So a torn block of metadata
// is, on disk, a mixture that nothing gives away but what it says.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "model/ondisk/disk_layout.h"
#include "model/ondisk/image_store.h"

namespace model {

// block_bytes of them, or one sector.
using DiskBytes = std::vector<uint8_t>;

// The block as it is at its home; a journal block as it is in the log.
DiskBytes RenderBlock(const DiskLayout& layout, const ImageStore& images, ImageId image);
// A block of metadata as its copy in the log: one that begins with the journal's magic number is
// escaped.
DiskBytes RenderLogCopy(const DiskLayout& layout, const ImageStore& images, ImageId image);
// The first two KiB of an external journal's device: its superblock, as of a file system.
DiskBytes RenderJournalDevice(const DiskLayout& layout);

// Whether the two sectors, each of a metadata or journal image or zero, hold the same bytes: what a
// disk cannot tell apart. False for other contents.
bool SameBytes(const Geometry& geometry, const ImageStore& images, SectorContent one,
               SectorContent other);

// --- Shared by the files of the renderer ---------------------------------------------------------

DiskBytes RenderJournalBlock(const DiskLayout& layout, const ImageStore& images, ImageId image);
// 60 bytes: the root of the extent tree that has these extents.
void RenderExtentNode(const ExtentNode& node, absl::Span<uint8_t> bytes);

}  // namespace model
