// Any bytes as a trace: build with clang++ -fsanitize=fuzzer,address.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tools/import/ftrace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sim::Validator validator;
  tools::UnusedLines unused;
  tools::FtraceImporter(validator, unused)
      .AddFile("fuzz", std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
