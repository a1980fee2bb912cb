// Numbers of jbd2's format on disk [include/linux/jbd2.h]; everything is big endian.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "boost/endian/conversion.hpp"

namespace model {

inline constexpr uint32_t kJbd2Magic = 0xc03b3998;

enum class Jbd2BlockType : uint32_t {
  kDescriptor = 1,
  kCommit = 2,
  kSuperblockV2 = 4,
  kRevoke = 5,
};

// journal_header_t: magic, type, sequence.
inline constexpr uint32_t kJbd2HeaderBytes = 12;
// The checksum in the last bytes of descriptor and revoke blocks.
inline constexpr uint32_t kJbd2TailBytes = 4;
inline constexpr uint32_t kJbd2SuperblockBytes = 1024;

inline constexpr uint32_t kJbd2FlagEscape = 1;
inline constexpr uint32_t kJbd2FlagSameUuid = 2;
inline constexpr uint32_t kJbd2FlagLastTag = 8;

inline constexpr uint32_t kJbd2IncompatRevoke = 0x1;
inline constexpr uint32_t kJbd2Incompat64bit = 0x2;
inline constexpr uint32_t kJbd2IncompatCsumV3 = 0x10;
inline constexpr uint8_t kJbd2Crc32cChecksum = 4;

// s_uuid of every journal, and of the device that it has to itself.
inline constexpr uint8_t kJournalUuid[16] = {'c', 'r', 'a', 's', 'h', 'd',
                                             'e', 'p', ' ', 'l', 'o', 'g'};
// s_uuid of every file system, which an external journal has among its users.
inline constexpr uint8_t kFileSystemUuid[16] = {'c', 'r', 'a', 's', 'h', 'd', 'e', 'p'};

inline bool BeginsWithJournalMagic(absl::Span<const uint8_t> bytes) {
  return boost::endian::load_big_u32(bytes.data()) == kJbd2Magic;
}

}  // namespace model
