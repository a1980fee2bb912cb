// Any bytes as a search that was kept, and as the lines of its tree, which are else read only if
// the digest of the whole fits. What is read must be written as it was read. Build with clang++
// -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "model/scenario/checkpoint.h"
#include "sim/check.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/dpor_tree.h"

namespace {

template <class Tree>
void TryLines(const std::vector<std::string>& lines) {
  Tree tree, again;
  if (tree.FromLines(lines).has_value()) return;
  const std::vector<std::string> written = tree.ToLines();
  SIM_CHECK(!again.FromLines(written).has_value());
  SIM_CHECK(again.ToLines() == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto file = scenario::CheckpointFile::Read("fuzz", text);
  if (file.ok()) {
    const std::string written = scenario::CheckpointText(file->checkpoint());
    const auto again = scenario::CheckpointFile::Read("again", written);
    SIM_CHECK(again.ok());
    SIM_CHECK(scenario::CheckpointText(again->checkpoint()) == written);
  }
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  TryLines<sim::DporTree>(lines);
  TryLines<sim::DepthFirstTree>(lines);
  return 0;
}
