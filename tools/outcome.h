// What became of one scenario file of a run: what every report is made from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/scenario/runner.h"

namespace tools {

enum class Verdict { kPass, kFail, kError };

constexpr std::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kError:
      break;
  }
  return "error";
}

struct Outcome {
  std::string path;
  std::string name;  // empty when the file could not be read
  Verdict verdict = Verdict::kError;
  std::vector<std::string> reasons;  // for a fail or an error, one line each
  scenario::ScenarioResult result;
  std::optional<scenario::ScenarioResult> without_policy;  // the clean twin, if it was run
  std::vector<std::string> traces;         // the file of each finding's trace; empty: not written
  std::vector<std::string> shrunk_traces;  // the same, made small
  std::string kept_in, without_policy_kept_in;  // the files that keep its searches; empty: none
  double seconds = 0;                           // that the run took
};

}  // namespace tools
