// A crash state as a file that e2fsck and Linux take for an ext4 device, and what is said beside
// it.
#pragma once

#include <iosfwd>

#include "model/image/state_report.h"
#include "model/ondisk/disk_layout.h"
#include "nlohmann/json_fwd.hpp"

namespace model {

// The layout of the image of `state`. Fails if the device is too large for one that can be mounted.
absl::StatusOr<DiskLayout> LayoutOf(const CrashScene& scene, const DiskState& state);

// Writes the file system's device. Blocks of zeros are skipped, so that the file is sparse: `out`
// is empty and can be positioned; whether it is good afterwards says whether all is written.
void WriteImage(const CrashScene& scene, const DiskLayout& layout, const DiskState& state,
                std::ostream& out);
// The same of an external journal's device.
void WriteJournalImage(const CrashScene& scene, const DiskLayout& layout, const DiskState& state,
                       std::ostream& out);

// {"sound", "why_not", "recovered": {"first_transaction", "last_transaction"}, "orphans",
//  "verdicts": {oracle: [message]}, "files": [{"path", "size", "sha256"}]}
//
// `sound` is about the metadata; `files` is there if it is true, and says what each file holds once
// the journal is replayed and orphans are cleaned up.
nlohmann::ordered_json ImageJson(const CrashScene& scene, const DiskLayout& layout,
                                 const StateReport& report);

// The bytes of a file after recovery.
std::string FileBytes(const CrashScene& scene, const DiskLayout& layout, const PredictedFile& file);

}  // namespace model
