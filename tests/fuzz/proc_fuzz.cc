// Any bytes as /proc/lockdep and as /proc/lockdep_chains: build with
// clang++ -fsanitize=fuzzer,address.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tools/import/proc_lockdep.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sim::Validator validator;
  tools::UnusedLines unused;
  tools::ProcImporter import(validator, unused);
  import.AddClasses("classes", text);
  import.AddChains("chains", text);
  return 0;
}
