#include "model/image/write_image.h"

#include <nettle/sha2.h>

#include <algorithm>
#include <ostream>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "model/image/sector_bytes.h"
#include "nlohmann/json.hpp"

namespace model {
namespace {

std::string Sha256(std::string_view bytes) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), reinterpret_cast<const uint8_t*>(bytes.data()));
  uint8_t digest[SHA256_DIGEST_SIZE];
  sha256_digest(&context, sizeof(digest), digest);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), sizeof(digest)});
}

}  // namespace

absl::StatusOr<DiskLayout> LayoutOf(const CrashScene& scene, const DiskState& state) {
  const Geometry& geometry = scene.geometry;
  const SectorContent first = state[geometry.first_sector(geometry.journal())];
  if (!IsJournalSuperblock(scene.images, first)) return MakeDiskLayout(geometry, 0);
  const auto& super = std::get<JournalSuperblock>(scene.images.Get(ImageOf(first)));
  return MakeDiskLayout(geometry, super.s_start);
}

namespace {

class Writer {
 public:
  Writer(const CrashScene& scene, const DiskLayout& layout, const DiskState& state,
         std::ostream& out)
      : geometry_(layout.geometry),
        state_(state),
        out_(out),
        bytes_(layout, scene.images, scene.history) {}

  // The model's block, as block `at` of the image.
  void PutBlock(Pblk pblk, uint64_t at) {
    DiskBytes block;
    for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
      const uint64_t sector = geometry_.first_sector(pblk) + i;
      const DiskBytes content = bytes_.At(sector, state_[sector]);
      block.insert(block.end(), content.begin(), content.end());
    }
    Put(block, at * geometry_.block_bytes);
  }
  void Put(const DiskBytes& bytes, uint64_t at_byte) {
    if (absl::c_all_of(bytes, [](uint8_t byte) { return byte == 0; })) return;
    out_.seekp(static_cast<std::streamoff>(at_byte));
    out_.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    end_ = std::max(end_, at_byte + bytes.size());
  }
  // The last byte gives the file its size.
  void Finish(uint64_t blocks) {
    const uint64_t end = blocks * geometry_.block_bytes;
    if (end_ < end) {
      out_.seekp(static_cast<std::streamoff>(end - 1));
      out_.put(0);
    }
    out_.flush();
  }

 private:
  const Geometry& geometry_;
  const DiskState& state_;
  std::ostream& out_;
  SectorBytes bytes_;
  uint64_t end_ = 0;
};

}  // namespace

void WriteImage(const CrashScene& scene, const DiskLayout& layout, const DiskState& state,
                std::ostream& out) {
  Writer writer(scene, layout, state, out);
  for (Pblk pblk = 0; pblk < layout.geometry.blocks; ++pblk) writer.PutBlock(pblk, pblk);
  writer.Finish(layout.blocks());
}

void WriteJournalImage(const CrashScene& scene, const DiskLayout& layout, const DiskState& state,
                       std::ostream& out) {
  Writer writer(scene, layout, state, out);
  writer.Put(RenderJournalDevice(layout), 0);
  const Pblk journal = layout.geometry.journal();
  writer.PutBlock(journal, layout.journal_superblock());
  for (uint32_t block = 1; block < layout.geometry.journal_blocks; ++block) {
    writer.PutBlock(journal + block, layout.LogBlockOnDisk(block));
  }
  writer.Finish(layout.log_end());
}

std::string FileBytes(const CrashScene& scene, const DiskLayout& layout,
                      const PredictedFile& file) {
  SectorBytes sectors(layout, scene.images, scene.history);
  std::string bytes;
  for (size_t i = 0; i < file.granules.size(); ++i) {
    const DiskBytes granule = sectors.At(file.sectors[i], file.granules[i]);
    bytes.append(granule.begin(), granule.end());
  }
  bytes.resize(file.size_bytes);
  return bytes;
}

nlohmann::ordered_json ImageJson(const CrashScene& scene, const DiskLayout& layout,
                                 const StateReport& report) {
  nlohmann::ordered_json json = {{"sound", report.sound}};
  if (!report.sound) json["why_not"] = report.why_not;
  json["recovered"] = {{"first_transaction", report.outcome.first},
                       {"last_transaction", report.outcome.recovered}};
  json["orphans"] = report.orphans;
  for (const OracleVerdict& verdict : report.verdicts) {
    json["verdicts"][verdict.oracle] = verdict.findings;
  }
  if (!report.sound) return json;
  json["files"] = nlohmann::ordered_json::array();
  for (const PredictedFile& file : report.files) {
    json["files"].push_back({{"path", "/" + file.name},
                             {"size", file.size_bytes},
                             {"sha256", Sha256(FileBytes(scene, layout, file))}});
  }
  return json;
}

}  // namespace model
