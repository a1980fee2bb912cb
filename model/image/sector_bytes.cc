#include "model/image/sector_bytes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/check.h"

namespace model {
namespace {

std::string Padded(std::string text) {
  text.resize(kTagBytes - 1, ' ');
  return text + "\n";
}

void Append(DiskBytes& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

}  // namespace

std::string DataTag(std::string_view file_name, uint64_t pos_bytes, WriteId write) {
  const std::string place = absl::StrCat(":", absl::Hex(pos_bytes), "#", write);
  const size_t room = place.size() < kTagBytes - 1 ? kTagBytes - 1 - place.size() : 0;
  return Padded(absl::StrCat(std::string(file_name.substr(0, room)), place));
}

std::string StaleTag(uint64_t device_byte) {
  return Padded(absl::StrCat("STALE:", absl::Hex(device_byte)));
}

TaggedWrite TaggedWriteOf(const History& history, WriteId write) {
  SIM_CHECK(write <= kMaxTaggedWrites);
  const History::Write& from = history.write(write);
  return {from.pos_bytes, from.len_bytes, write};
}

bool SectorBytes::InLog(uint64_t sector) const {
  const Pblk pblk = layout_.geometry.block_of_sector(sector);
  return layout_.geometry.InJournal(pblk) && pblk != layout_.geometry.journal();
}

const DiskBytes& SectorBytes::Block(ImageId image, bool in_log) {
  DiskBytes& block = blocks_[uint64_t{image} << 1 | (in_log ? 1 : 0)];
  if (block.empty()) {
    const bool of_journal = IsJournalBlock(images_.Get(image));
    block = in_log && !of_journal ? RenderLogCopy(layout_, images_, image)
                                  : RenderBlock(layout_, images_, image);
  }
  return block;
}

DiskBytes SectorBytes::Data(WriteId write, uint64_t pos_bytes) const {
  DiskBytes bytes;
  if (data_text_ == DataText::kTagged) {
    const TaggedWrite tagged = TaggedWriteOf(history_, write);
    const uint64_t begin = std::max(pos_bytes, tagged.offset_bytes);
    bytes.resize(begin - pos_bytes);  // another's
    Append(bytes, WrittenIn(tagged, begin, pos_bytes + kSectorBytes));
    return bytes;
  }
  const std::string& name = history_.Find(history_.write(write).file)->name;
  for (uint32_t at = 0; at < kSectorBytes; at += kTagBytes) {
    Append(bytes, DataTag(name, pos_bytes + at, write));
  }
  return bytes;
}

DiskBytes SectorBytes::At(uint64_t sector, SectorContent content) {
  DiskBytes bytes;
  switch (KindOf(content)) {
    case ContentKind::kZero:
      return DiskBytes(kSectorBytes);
    case ContentKind::kStale:
      // What a sector was before may have moved: its word says from where.
      for (uint32_t at = 0; at < kSectorBytes; at += kTagBytes) {
        Append(bytes, StaleTag((content & UINT32_MAX) * kSectorBytes + at));
      }
      return bytes;
    case ContentKind::kImage: {
      const DiskBytes& block = Block(ImageOf(content), InLog(sector));
      const auto begin = block.begin() + ImageSectorOf(content) * kSectorBytes;
      return DiskBytes(begin, begin + kSectorBytes);
    }
    case ContentKind::kData:
      return Data(WriteOf(content), uint64_t{GranuleIndexOf(content)} * kGranuleBytes);
    case ContentKind::kMixed:
      for (const GranuleRun& run : history_.granules().Runs(content)) {
        const DiskBytes all = At(sector, run.content);
        bytes.insert(bytes.end(), all.begin() + static_cast<long>(bytes.size()),
                     all.begin() + run.end_byte);
      }
      return bytes;
    case ContentKind::kUnreadable:
      break;
  }
  SIM_CHECK(false);
  return bytes;
}

}  // namespace model
