// A lock graph, wherever it is from: a real kernel, a scenario, a trace, an earlier run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sim/lockdep/validator.h"
#include "tools/backend.h"
#include "tools/import/lock_importer.h"
#include "tools/import/recording.h"

namespace tools {

// The texts of a file or archive (import/recording.h), or of the files lockdep and lockdep_chains
// in a directory, compressed or not. Failure: "path: why".
absl::StatusOr<std::vector<RecordedText>> ReadLockTexts(const std::string& path);

// Reads what a kernel, or `--proc`, wrote. Failure: there is nothing of locks in it; names the
// path.
absl::Status ImportLocks(const std::string& path, const std::vector<RecordedText>& texts,
                         LockImporter& importer);

// What ImportLocks() takes from ReadLockTexts(); or a scenario, or a directory of them, run as they
// say; or a trace that this program wrote, replayed. Failure: as those say, naming the path.
absl::StatusOr<std::shared_ptr<const sim::Validator>> ReadLocks(const std::string& path,
                                                                const Backend& backend);

}  // namespace tools
