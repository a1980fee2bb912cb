// damage_files DIRECTORY: gives a fuzz target every file below, whole, cut short, and with bytes
// changed. The same damage every time.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sim/check.h"
#include "sim/engine/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxBytes = 4096;  // of a file: more of the same teaches nothing
constexpr int kDamagesPerFile = 60;

void Try(const std::string& text) {
  (void)LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

void TryDamaged(std::string text, sim::RandomStream& random) {
  for (uint64_t changes = random.UniformBelow(4); changes > 0 && !text.empty(); --changes) {
    text[random.UniformBelow(text.size())] = static_cast<char>(random.UniformBelow(256));
  }
  if (random.UniformBelow(2) == 0) text.resize(random.UniformBelow(text.size() + 1));
  Try(text);
}

}  // namespace

int main(int argc, char** argv) {
  SIM_CHECK(argc == 2);
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  SIM_CHECK(!paths.empty());
  std::sort(paths.begin(), paths.end());
  sim::RandomStream random(1, "damage");
  Try("");
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    text.resize(std::min(text.size(), kMaxBytes));
    Try(text);
    for (int i = 0; i < kDamagesPerFile; ++i) TryDamaged(text, random);
  }
  return 0;
}
