// A log of writes in the format of dm-log-writes [Documentation/admin-guide/device-mapper/
// log-writes.rst, drivers/md/dm-log-writes.c], as the kernel's target, QEMU's blklogwrites filter
// and xfstests' replay-log have it. Everything is little endian, in sectors of the log's own size:
//
//   superblock  magic, version 1, number of entries, sector size
//   entry       sector, sectors, flags, bytes of text; then, unless it is a discard, the data
//
// A mark's text is in the entry's own sector, behind its header.
#pragma once

#include <iosfwd>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/recorded/recording.h"

namespace tools {

// The entries point into `bytes`, which are not compressed. Failure: "entry N, at byte M: why".
absl::StatusOr<model::Recording> ParseLogWrites(std::string_view bytes);

// The recording as such a log, in sectors of 512 bytes; what is longer of a mark is cut off.
// Requires: writes and discards are of whole sectors.
void WriteLogWrites(const model::Recording& recording, std::ostream& out);

}  // namespace tools
