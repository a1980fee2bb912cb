#include "tools/junit.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "absl/strings/str_format.h"
#include "model/scenario/text.h"
#include "nlohmann/json.hpp"

namespace tools {
namespace {

using scenario::Cat;

// Valid UTF-8 whatever `text` is.
std::string Utf8(std::string_view text) {
  using Json = nlohmann::json;
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (char c : Utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
      case '\t':
        out += c;
        break;
      default:  // XML 1.0 has no other control characters
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    }
  }
  return out;
}

std::string TestCase(const Outcome& outcome) {
  const std::filesystem::path path(outcome.path);
  std::string out =
      Cat("  <testcase classname=\"", Escaped(path.parent_path().generic_string()), "\" name=\"",
          Escaped(outcome.name.empty() ? path.stem().string() : outcome.name), "\" time=\"",
          absl::StrFormat("%.3f", outcome.seconds), "\"");
  if (outcome.verdict == Verdict::kPass) return out + "/>\n";
  const std::string_view tag = outcome.verdict == Verdict::kFail ? "failure" : "error";
  std::string text = scenario::Join(outcome.reasons, "\n");
  for (const scenario::FoundFinding& finding : outcome.result.findings) {
    text += Cat("\n\n", finding.detail);
  }
  return Cat(out, ">\n    <", tag, " type=\"", ToString(outcome.verdict), "\" message=\"",
             Escaped(outcome.reasons.empty() ? "" : outcome.reasons.front()), "\">", Escaped(text),
             "</", tag, ">\n  </testcase>\n");
}

}  // namespace

std::string JunitXml(const std::vector<Outcome>& outcomes) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(outcomes.begin(), outcomes.end(),
                         [&](const Outcome& outcome) { return outcome.verdict == verdict; });
  };
  double seconds = 0;
  std::string cases;
  for (const Outcome& outcome : outcomes) {
    seconds += outcome.seconds;
    cases += TestCase(outcome);
  }
  return Cat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"crashdep\" tests=\"",
             outcomes.size(), "\" failures=\"", count(Verdict::kFail), "\" errors=\"",
             count(Verdict::kError), "\" skipped=\"0\" time=\"", absl::StrFormat("%.3f", seconds),
             "\">\n", cases, "</testsuite>\n");
}

}  // namespace tools
