// The writes that reached a real device, as dm-log-writes and similar filters record them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace model {

struct RecordedEntry {
  uint64_t offset_bytes = 0;  // on the device
  uint64_t size_bytes = 0;    // 0: a plain flush, or a mark
  bool flush = false;         // what was recorded before is durable once this has completed
  bool fua = false;           // this itself is durable once it has completed
  bool discard = false;       // no data
  std::string_view data;      // size_bytes, unless it is a discard
  std::string_view mark;      // what the workload said; empty if this is no mark
};

struct Recording {
  std::vector<RecordedEntry> entries;
};

}  // namespace model
