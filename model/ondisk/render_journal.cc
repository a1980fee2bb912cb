// Journal blocks.

#include <ext2fs/ext2fs.h>

#include <boost/endian/conversion.hpp>
#include <cstring>

#include "model/ondisk/jbd2_format.h"
#include "model/ondisk/render.h"
#include "sim/check.h"

namespace model {
namespace {

using boost::endian::store_big_u32;
using boost::endian::store_big_u64;

constexpr uint64_t kCommitTime = 1735689600;

class JournalRenderer {
 public:
  JournalRenderer(const DiskLayout& layout, const ImageStore& images)
      : layout_(layout),
        images_(images),
        v3_(layout.geometry.journal_checksum == JournalChecksum::kV3),
        seed_(Crc32c(~0u, kJournalUuid)),
        bytes_(layout.geometry.block_bytes) {}

  DiskBytes Render(const BlockContent& content) {
    if (const auto* super = std::get_if<JournalSuperblock>(&content)) {
      Put(*super);
    } else if (const auto* descriptor = std::get_if<JournalDescriptor>(&content)) {
      Put(*descriptor);
    } else if (const auto* revoke = std::get_if<JournalRevoke>(&content)) {
      Put(*revoke);
    } else if (const auto* commit = std::get_if<JournalCommit>(&content)) {
      Put(*commit);
    }
    return std::move(bytes_);
  }

 private:
  static uint32_t Crc32c(uint32_t seed, absl::Span<const uint8_t> bytes) {
    return ext2fs_crc32c_le(seed, bytes.data(), bytes.size());
  }
  void Put32(size_t offset, uint32_t value) { store_big_u32(&bytes_[offset], value); }

  void PutHeader(Jbd2BlockType type, Tid sequence) {
    Put32(0, kJbd2Magic);
    Put32(4, static_cast<uint32_t>(type));
    Put32(8, sequence);
  }
  void PutTail() {
    if (v3_) Put32(bytes_.size() - kJbd2TailBytes, Crc32c(seed_, bytes_));
  }

  // journal_superblock_t
  void Put(const JournalSuperblock& super) {
    PutHeader(Jbd2BlockType::kSuperblockV2, 0);
    Put32(12, layout_.geometry.block_bytes);           // s_blocksize
    Put32(16, layout_.log_end());                      // s_maxlen
    Put32(20, layout_.journal_superblock() + 1);       // s_first
    Put32(24, super.s_sequence);                       // s_sequence
    Put32(28, layout_.LogBlockOnDisk(super.s_start));  // s_start
    Put32(40, kJbd2IncompatRevoke | kJbd2Incompat64bit | (v3_ ? kJbd2IncompatCsumV3 : 0));
    std::memcpy(&bytes_[48], kJournalUuid, sizeof(kJournalUuid));
    Put32(64, 1);  // s_nr_users
    if (layout_.geometry.external_journal) {
      std::memcpy(&bytes_[256], kFileSystemUuid, sizeof(kFileSystemUuid));  // s_users[0]
    }
    if (!v3_) return;
    bytes_[80] = kJbd2Crc32cChecksum;  // s_checksum_type
    Put32(252, Crc32c(~0u, absl::MakeSpan(bytes_).first(kJbd2SuperblockBytes)));
  }

  // Tags: journal_block_tag3_t, or journal_block_tag_t with 64 bits, of which 12 bytes are used.
  void Put(const JournalDescriptor& descriptor) {
    PutHeader(Jbd2BlockType::kDescriptor, descriptor.h_sequence);
    size_t at = kJbd2HeaderBytes;
    for (const JournalTag& tag : descriptor.tags) {
      uint32_t flags = 0;
      if (&tag != &descriptor.tags.front()) flags |= kJbd2FlagSameUuid;
      if (&tag == &descriptor.tags.back()) flags |= kJbd2FlagLastTag;
      if (BeginsWithJournalMagic(RenderBlock(layout_, images_, tag.checksum))) {
        flags |= kJbd2FlagEscape;
      }
      Put32(at, tag.blocknr);
      if (v3_) {
        Put32(at + 4, flags);
        Put32(at + 12, TagChecksum(descriptor.h_sequence, tag.checksum));
      } else {
        Put32(at + 4, flags);  // t_checksum, 16 bits, and t_flags, 16 bits
      }
      at += v3_ ? 16 : 12;
      if ((flags & kJbd2FlagSameUuid) == 0) at += sizeof(kJournalUuid);  // zero, as the kernel's
    }
    PutTail();
  }

  uint32_t TagChecksum(Tid sequence, ImageId image) const {
    uint8_t be_sequence[4];
    store_big_u32(be_sequence, sequence);
    return Crc32c(Crc32c(seed_, be_sequence), RenderLogCopy(layout_, images_, image));
  }

  void Put(const JournalRevoke& revoke) {
    PutHeader(Jbd2BlockType::kRevoke, revoke.h_sequence);
    size_t at = kJbd2HeaderBytes + 4;
    for (const Pblk pblk : revoke.blocks) {
      store_big_u64(&bytes_[at], pblk);
      at += 8;
    }
    Put32(kJbd2HeaderBytes, static_cast<uint32_t>(at));  // r_count: bytes used
    PutTail();
  }

  // struct commit_header
  void Put(const JournalCommit& commit) {
    PutHeader(Jbd2BlockType::kCommit, commit.h_sequence);
    store_big_u64(&bytes_[48], kCommitTime);
    if (v3_) Put32(16, Crc32c(seed_, bytes_));  // h_chksum[0]
  }

  const DiskLayout& layout_;
  const ImageStore& images_;
  const bool v3_;
  const uint32_t seed_;
  DiskBytes bytes_;
};

}  // namespace

DiskBytes RenderJournalBlock(const DiskLayout& layout, const ImageStore& images, ImageId image) {
  return JournalRenderer(layout, images).Render(images.Get(image));
}

}  // namespace model
