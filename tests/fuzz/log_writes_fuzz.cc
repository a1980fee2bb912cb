// Any bytes as a log of dm-log-writes: build with clang++ -fsanitize=fuzzer,address.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/recorded/promises.h"
#include "tools/import/log_writes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto recording =
      tools::ParseLogWrites(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!recording.ok()) return 0;
  for (const model::RecordedMark& mark : model::FindMarks(*recording, 4096)) {
    (void)model::PromisedFiles(mark);
  }
  return 0;
}
