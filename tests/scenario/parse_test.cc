#include "model/scenario/parse.h"
#include "nlohmann/json.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/scenario/writer.h"
#include "tests/scenario/example.h"

namespace scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

Scenario Parsed(std::string_view text) {
  absl::StatusOr<Scenario> scenario = ParseScenario("a.json", text, kPolicies);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *scenario : Scenario();
}

// The complaint about `text`; empty when there is none.
std::string Complaint(std::string_view text) {
  return std::string(ParseScenario("a.json", text, kPolicies).status().message());
}

// The example with `from` replaced by `to`.
std::string ExampleWith(std::string_view from, std::string_view to) {
  EXPECT_NE(kExample.find(from), std::string_view::npos) << from;
  return absl::StrReplaceAll(std::string(kExample), {{std::string(from), std::string(to)}});
}

TEST(ParseTest, ReadsEveryPart) {
  const Scenario scenario = Parsed(kExample);
  EXPECT_EQ(scenario.name, "example");
  EXPECT_EQ(scenario.fs.journal_blocks, 32);
  EXPECT_EQ(scenario.device.write_latency_ns.hi_ns, 90000);
  EXPECT_EQ(scenario.device.faults.at(0).nth, 3);
  EXPECT_EQ(scenario.threads.at(1).ops.at(0).size_bytes, 4096);
  EXPECT_THAT(scenario.policy, ElementsAre(Pair("skip_revoke", true)));
  EXPECT_EQ(scenario.search.strategy, StrategyKind::kRandom);
  EXPECT_EQ(scenario.search.max_steps, 1000000);
  EXPECT_EQ(scenario.expect.findings.at(1).message, "block bitmap");
  EXPECT_TRUE(scenario.expect.without_policy.has_value());
}

TEST(ParseTest, TakesBytesOrAnErrnoAsResult) {
  const std::vector<Op> ops = Parsed(kExample).threads.at(0).ops;
  EXPECT_EQ(ops.at(0).returns, (OpResult{.errno_name = "", .value = 16384}));
  EXPECT_EQ(ops.at(1).returns, (OpResult{.errno_name = "EIO", .value = 0}));
  EXPECT_EQ(ops.at(2).returns, std::nullopt);
}

TEST(ParseTest, DeclaredFilesTakeTheirDefaultsFromSizeAndFileSystem) {
  const std::vector<FileConfig> files = Parsed(kExample).files;
  EXPECT_EQ(files.at(0).content, FileContent::kWritten);
  EXPECT_EQ(files.at(0).buffered, BufferedPath::kIomap);
  EXPECT_EQ(files.at(1).content, FileContent::kHole);
  EXPECT_EQ(files.at(1).buffered, BufferedPath::kBufferHead);
}

TEST(ParseTest, UndeclaredFilesAreEmptyAndCreatedOnesAbsent) {
  const Scenario scenario = Parsed(Minimal(R"([{"op": "create", "file": "new"},
      {"op": "fsync", "file": "old"}, {"op": "fsync", "file": "old"}])"));
  ASSERT_EQ(scenario.files.size(), 2u);
  EXPECT_EQ(scenario.files[0].name, "new");
  EXPECT_FALSE(scenario.files[0].exists);
  EXPECT_EQ(scenario.files[1].name, "old");
  EXPECT_TRUE(scenario.files[1].exists);
  EXPECT_EQ(scenario.files[1].size_bytes, 0);
}

TEST(ParseTest, WhatTheWriterWritesReadsBackTheSame) {
  const auto written = ToJson(Parsed(kExample));
  EXPECT_EQ(ToJson(Parsed(written.dump())), written);
}

TEST(ParseTest, NamesEveryPlaceThatIsWrongInTheOrderOfTheText) {
  EXPECT_EQ(Complaint("{\"schema\": 2,\n \"about\": \"ä\", \"nane\": \"x\",\n \"threads\": [7]}"),
            "a.json:1:1: \"name\" is missing: What goes on, in a few words.\n"
            "a.json:1:1: \"expect\" is missing: What the search must find.\n"
            "a.json:1:12: /schema: want 1, got 2\n"
            "a.json:2:16: /nane: unknown key; did you mean \"name\"?\n"
            "a.json:3:14: /threads/0: want an object, got 7");
}

TEST(ParseTest, SuggestsTheNearestName) {
  EXPECT_THAT(Complaint(ExampleWith("\"len_bytes\"", "\"len_byte\"")),
              HasSubstr("/threads/0/ops/0/len_byte: unknown key; did you mean \"len_bytes\"?"));
  EXPECT_THAT(Complaint(ExampleWith("\"op\": \"write\"", "\"op\": \"wriet\"")),
              HasSubstr("/threads/0/ops/0/op: unknown name \"wriet\"; did you mean \"write\"?"));
  EXPECT_THAT(Complaint(ExampleWith("skip_revoke", "skip_rewoke")),
              HasSubstr("/policy/skip_rewoke: no such policy; did you mean \"skip_revoke\"?"));
  EXPECT_THAT(Complaint(ExampleWith("\"file\": \"log\"", "\"file\": \"lag\"")),
              HasSubstr("/file: no such file: \"files\" does not have it, and nobody creates it; "
                        "did you mean \"log\"?"));
}

TEST(ParseTest, AStrategyThatDoesNotExistIsAnError) {
  EXPECT_THAT(
      Complaint(ExampleWith("\"random\"", "\"fair\"")),
      HasSubstr("/search/strategy: want one of \"timed\", \"random\", "
                "\"pct\", \"pos\", \"round_robin\", \"depth_first\", \"dpor\", got \"fair\""));
}

TEST(ParseTest, RefusesNumbersOutOfRange) {
  for (const char* number : {"-4", "0", "1.5", "1e300", "99999999999999999999999", "\"4096\""}) {
    EXPECT_THAT(
        Complaint(ExampleWith("\"len_bytes\": 16384", Cat("\"len_bytes\": ", number))),
        HasSubstr(
            Cat("/threads/0/ops/0/len_bytes: want an integer from 1 to 16777216, got ", number)));
  }
}

TEST(ParseTest, RefusesTextThatIsNoJson) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a.json:1:1: the file is empty"},
      {" \n", "a.json:1:1: the file is empty"},
      {"{\"schema\": 1,", "a.json:1:14: not valid JSON: the text ends too early"},
      {"{\"schema\":\n  nul}", "a.json:2:3: not valid JSON: invalid literal"},
      {"{\"schema\": 1e999}", "a.json:1:12: not valid JSON: number overflow parsing '1e999'"},
      {"{\"a\": 1,\n \"a\": 2}", "a.json:2:2: the key \"a\" is there twice"},
      {std::string("{\0}", 3), "a.json: not a text file"},
      {"[]", "a.json:1:1: want an object, got a list of 0"},
  };
  for (const auto& [text, complaint] : cases) EXPECT_EQ(Complaint(text), complaint);
  EXPECT_THAT(Complaint("{\"na\xFFme\": 1}"), StartsWith("a.json:1:2: not valid JSON: "));
  EXPECT_THAT(Complaint(std::string(100'000, '[')), HasSubstr("nested deeper than 32 levels"));
}

TEST(ParseTest, EveryTruncationOfAScenarioIsRefused) {
  for (size_t size = 0; size < kExample.rfind('}'); ++size) {
    EXPECT_NE(Complaint(kExample.substr(0, size)), "") << size;
  }
}

TEST(ParseTest, StopsListingAfterTwentyPlaces) {
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += Cat("\"key", i, "\": 1,");
  EXPECT_THAT(Complaint(many + "\"schema\": 1}"), HasSubstr("\na.json: and 83 more"));
}

TEST(LoadTest, RefusesWhatIsNoFile) {
  EXPECT_EQ(LoadScenario("/", {}).status().message(), "/: not a regular file");
  EXPECT_EQ(LoadScenario("no/such.json", {}).status().message(), "no/such.json: no such file");
  EXPECT_EQ(LoadScenario("/dev/zero", {}).status().message(), "/dev/zero: not a regular file");
}

}  // namespace
}  // namespace scenario
