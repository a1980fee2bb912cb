// Our reports beside the console text that a real kernel printed for the same operations.
//
// Compared are the facts of a report: the headline; the locks held, with usage and wait types; the
// dependency chain in its order; the two-column scenario; the change of usage. The kernel's names,
// addresses, stacks and times are its own.

#include <algorithm>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "sim/lockdep/kernel_verdict.h"
#include "sim/lockdep/lock_program.h"

namespace sim {
namespace {

using Json = nlohmann::ordered_json;

std::ifstream Open(const std::string& name) {
  return std::ifstream(std::string(LOCKDEP_TEST_DATA) + "/" + name);
}

// Without the times.
std::vector<std::string> ConsoleLines(const std::string& name) {
  static const std::regex time(R"(^\[ *[0-9.]+\] ?)");
  std::ifstream file = Open(name);
  EXPECT_TRUE(file.good()) << name;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(std::regex_replace(line, time, ""));
  }
  return lines;
}

std::vector<std::string> Lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// "kt_mutex_A" is A in the table; the other names of the module that provoked the reports likewise.
std::string TableNames(std::string line) {
  static const std::regex depth(R"(kt_depth#(\d+))");
  for (std::smatch match; std::regex_search(line, match, depth);) {
    line = absl::StrCat(match.prefix().str(), "D", std::stoi(match[1]) - 1, match.suffix().str());
  }
  static const std::vector<std::pair<std::regex, std::string>> renames = {
      {std::regex("kt_depth"), "D0"},
      {std::regex("kt_(mutex|rwsem|spin|rwlock)_"), ""},
      {std::regex("kt_handle"), "handle"},
      {std::regex("&o->lock"), "O"}};
  for (const auto& [from, to] : renames) line = std::regex_replace(line, from, to);
  return line;
}

// The lines that state a fact, reduced to it.
std::vector<std::string> Facts(const std::vector<std::string>& lines) {
  static const std::regex chain(R"(^-> (#\d+) (\(.*\)\{.*\}-\{.*\}):)");
  static const std::regex takes(R"(^ +(r?lock|sync)\((.*)\);)");
  static const std::regex held(R"(^ #\d+: .*(\(.*\)\{.*\}-\{.*\}), at: )");
  static const std::regex usage(R"(^inconsistent (\{.*\} -> \{.*\}) usage)");
  static const std::regex exists(R"(^  (\S+( --> \S+)+)$)");
  std::vector<std::string> facts;
  int held_count = 0;
  for (const std::string& line : lines) {
    std::smatch match;
    if (std::regex_search(line, match, chain) || std::regex_search(line, match, takes)) {
      facts.push_back(absl::StrCat(match[1].str(), " ", match[2].str()));
    } else if (std::regex_search(line, match, usage) || std::regex_search(line, match, exists)) {
      facts.push_back(match[1].str());
    } else if (std::regex_search(line, match, held)) {
      // Who writes to a proc file holds this one, too; it is not in the table.
      if (absl::StrContains(line, "(sb_writers")) continue;
      facts.push_back(absl::StrCat("held #", held_count++, " ", match[1].str()));
    }
  }
  return facts;
}

TEST(SplatTest, ReportsStateTheKernelsFacts) {
  std::ifstream file = Open("splat_programs.json");
  const Json table = Json::parse(file);
  const auto verdicts = RunLockPrograms(table);
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  size_t facts_compared = 0;
  for (size_t i = 0; i < verdicts->size(); ++i) {
    const Json& test = table["tests"][i];
    SCOPED_TRACE(test["name"].get<std::string>());
    std::vector<std::string> kernel;
    const auto console = ConsoleLines("splats/" + test["file"].get<std::string>());
    for (const std::string& line : console) kernel.push_back(TableNames(line));
    ASSERT_FALSE((*verdicts)[i].reports.empty());
    const LockReport& report = (*verdicts)[i].reports.front();
    EXPECT_TRUE(std::any_of(console.begin(), console.end(), [&](const std::string& line) {
      return SameHeadline(line, Headline(report));
    })) << Headline(report);
    std::vector<std::string> facts = Facts(kernel);
    // The kernel's 48 locks include the one that is not in the table.
    if (test["name"] == "depth") facts.push_back("held #47 (D47){+.+.}-{3:3}");
    EXPECT_THAT(Facts(Lines(RenderText(report))), testing::ElementsAreArray(facts));
    facts_compared += facts.size();
  }
  EXPECT_GT(facts_compared, 90u);
}

}  // namespace
}  // namespace sim
