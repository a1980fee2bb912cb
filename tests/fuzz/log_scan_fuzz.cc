// Any bytes as the journal of a device that needs recovery: build with clang++
// -fsanitize=fuzzer,address. What is behind the eighth block may be there instead of the first
// ones.

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/recorded/log_scan.h"

namespace {

constexpr uint32_t kBlockBytes = 1024;
constexpr uint64_t kJournalBlocks = 8;
constexpr uint64_t kFirstBlock = 2;
constexpr uint64_t kUnits = 2 * (kFirstBlock + kJournalBlocks);

class FuzzedDevice : public model::UnitSets {
 public:
  FuzzedDevice(model::ContentTable& contents, std::string_view journal) : units_(kUnits) {
    ext2_super_block super = {};
    super.s_magic = EXT2_SUPER_MAGIC;
    super.s_feature_incompat = EXT3_FEATURE_INCOMPAT_RECOVER;
    const std::string_view bytes(reinterpret_cast<const char*>(&super), sizeof(super));
    Put(contents, 2, bytes.substr(0, 512));
    Put(contents, 3, bytes.substr(512));
    for (uint64_t i = 0; i < journal.size() / 512; ++i) {
      Put(contents, 2 * kFirstBlock + i % (2 * kJournalBlocks), journal.substr(i * 512, 512));
    }
    for (std::vector<model::ContentId>& unit : units_) {
      if (unit.empty()) unit.push_back(contents.Intern(""));
    }
  }
  absl::Span<const model::ContentId> At(uint64_t unit) const override { return units_[unit]; }

 private:
  void Put(model::ContentTable& contents, uint64_t unit, std::string_view bytes) {
    const model::ContentId content = contents.Intern(bytes);
    std::vector<model::ContentId>& known = units_[unit];
    if (std::find(known.begin(), known.end(), content) == known.end()) known.push_back(content);
  }

  std::vector<std::vector<model::ContentId>> units_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  model::ContentTable contents(512);
  const FuzzedDevice device(contents, std::string_view(reinterpret_cast<const char*>(data), size));
  model::JournalPlace place = {.block_bytes = kBlockBytes, .device_blocks = 64};
  for (uint64_t i = 0; i < kJournalBlocks; ++i) place.blocks.push_back(kFirstBlock + i);
  (void)model::ScanLog(device, contents, place);
  return 0;
}
