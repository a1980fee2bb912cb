// Bad input: what is said of it, and the exit code of a command that cannot go on.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

// What is wrong with the content of `path`: its message has the path before it.
inline absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

inline ExitCode Refuse(const absl::Status& status, Console console) {
  console.Complain(std::string(status.message()));
  return ExitCode::kBadInput;
}

}  // namespace tools
