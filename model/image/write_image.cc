#include "model/image/write_image.h"

#include <nettle/sha2.h>

#include <ostream>

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

bool IsZero(const std::vector<char>& block) {
  return std::all_of(block.begin(), block.end(), [](char byte) { return byte == 0; });
}

}  // namespace

absl::StatusOr<DiskLayout> LayoutOf(const CrashScene& scene, const DiskState& state) {
  const Geometry& geometry = scene.geometry;
  const SectorContent first = state[geometry.first_sector(geometry.journal())];
  if (!IsJournalSuperblock(scene.images, first)) return MakeDiskLayout(geometry, 0);
  const auto& super = std::get<JournalSuperblock>(scene.images.Get(ImageOf(first)));
  return MakeDiskLayout(geometry, super.s_start);
}

void WriteImage(const CrashScene& scene, const DiskLayout& layout, const DiskState& state,
                std::ostream& out) {
  const Geometry& geometry = layout.geometry;
  SectorBytes bytes(layout, scene.images, scene.history);
  std::vector<char> block;
  for (Pblk pblk = 0; pblk < geometry.blocks; ++pblk) {
    block.clear();
    for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
      const uint64_t sector = geometry.first_sector(pblk) + i;
      const DiskBytes content = bytes.At(sector, state[sector]);
      block.insert(block.end(), content.begin(), content.end());
    }
    if (IsZero(block)) continue;
    out.seekp(static_cast<std::streamoff>(geometry.first_sector(pblk) * kSectorBytes));
    out.write(block.data(), static_cast<std::streamsize>(block.size()));
  }
  // The last byte gives the file its size.
  const uint64_t end = uint64_t{layout.blocks()} * geometry.block_bytes;
  if (layout.padding() != 0 || IsZero(block)) {
    out.seekp(static_cast<std::streamoff>(end - 1));
    out.put(0);
  }
  out.flush();
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
