#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tools/junit.h"
#include "tools/result_json.h"
#include "tools/text_report.h"

namespace tools {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Outcome Failed() {
  Outcome outcome;
  outcome.path = "scenarios/seed/a.json";
  outcome.name = "a";
  outcome.verdict = Verdict::kFail;
  outcome.reasons = {"unexpected deadlock: x < y"};
  outcome.result = {
      .executions = 2, .steps = 3, .crash_states = "9007199254740992", .digest = "0f"};
  outcome.result.findings = {
      {.kind = "deadlock", .message = "x < y", .detail = "long\x01 story", .count = 1}};
  return outcome;
}

TEST(ResultJsonTest, HasTheKeysThatReadersRelyOn) {
  EXPECT_EQ(json::parse(ResultJson({Failed()})), json::parse(R"({"scenarios": [{
      "name": "a", "path": "scenarios/seed/a.json", "verdict": "fail", "executions": 2, "steps": 3,
      "crash_families": 0, "crash_states": "9007199254740992", "digest": "0f",
      "complete": false,
      "reasons": ["unexpected deadlock: x < y"],
      "findings": [{"kind": "deadlock", "message": "x < y", "count": 1, "trace": null,
                    "detail": "long\u0001 story"}]}]})"));
}

TEST(ResultJsonTest, CrashStatesAreANumberWhileADoubleHoldsThem) {
  Outcome outcome = Failed();
  outcome.result.crash_states = "9007199254740991";
  EXPECT_EQ(json::parse(ResultJson({outcome}))["scenarios"][0]["crash_states"], 9007199254740991);
}

TEST(ResultJsonTest, SurvivesAPathThatIsNoText) {
  Outcome outcome;
  outcome.path = "\xFF.json";
  EXPECT_TRUE(json::accept(ResultJson({outcome})));
}

TEST(TextReportTest, EveryLockCycleIsListedWithItsVerdict) {
  Outcome outcome = Failed();
  EXPECT_EQ(CyclesText(outcome), "");
  outcome.verdict = Verdict::kPass;
  outcome.result.findings.push_back(
      {.kind = "lock_cycle", .message = "A --> B --> A", .verdict = "confirmed", .why = "it came"});
  outcome.result.findings.push_back({.kind = "lock_cycle", .message = "A --> C --> A"});
  outcome.result.excluded_cycles = {{"B --> C --> B", "guarded", "always under gate"}};
  outcome.result.more_cycles = true;
  EXPECT_EQ(CyclesText(outcome),
            "\nlock cycles of a:\n"
            "  confirmed: A --> B --> A\n"
            "    it came\n"
            "  possible: A --> C --> A\n"
            "  no finding, guarded: B --> C --> B\n"
            "    always under gate\n"
            "  There are more lock cycles than are listed.\n");
}

TEST(JunitTest, CountsAndEscapes) {
  Outcome pass = Failed();
  pass.verdict = Verdict::kPass;
  Outcome error;
  error.path = "b\xFF.json";
  error.reasons = {"b.json:1:1: the file is empty"};
  EXPECT_EQ(JunitXml({pass, Failed(), error}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"crashdep\" tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"0\" "
            "time=\"0.000\">\n"
            "  <testcase classname=\"scenarios/seed\" name=\"a\" time=\"0.000\"/>\n"
            "  <testcase classname=\"scenarios/seed\" name=\"a\" time=\"0.000\">\n"
            "    <failure type=\"fail\" message=\"unexpected deadlock: x &lt; y\">"
            "unexpected deadlock: x &lt; y\n\nlong? story</failure>\n  </testcase>\n"
            "  <testcase classname=\"\" name=\"b\uFFFD\" time=\"0.000\">\n"
            "    <error type=\"error\" message=\"b.json:1:1: the file is empty\">"
            "b.json:1:1: the file is empty</error>\n  </testcase>\n"
            "</testsuite>\n");
}

TEST(TextReportTest, GroupsDigits) {
  EXPECT_EQ(Grouped("0"), "0");
  EXPECT_EQ(Grouped("999"), "999");
  EXPECT_EQ(Grouped("1234567"), "1,234,567");
  EXPECT_EQ(Grouped("123456789012345"), "123,456,789,012,345");
  EXPECT_EQ(Grouped("1299000000000000"), "1.2e15");
}

TEST(TextReportTest, ColoursOnlyTheVerdict) {
  EXPECT_THAT(OutcomeLine(Failed(), {.name_width = 1, .color = true}),
              HasSubstr("\x1b[1;31mFAIL \x1b[0m  a "));
}

// What a search that came to its end, or did not, says of itself, below the line with the verdict.
TEST(TextReportTest, TellsAllFromSome) {
  Outcome outcome = Failed();
  outcome.result.executions = 41214;
  EXPECT_EQ(OutcomeLine(outcome, {.name_width = 3}),
            "FAIL   a        41,214 executions     9.0e15 crash states  deadlock");
  outcome.result.complete = true;
  EXPECT_EQ(OutcomeLine(outcome, {.name_width = 3}),
            "FAIL   a    all 41,214 executions     9.0e15 crash states  deadlock");
}

TEST(TextReportTest, TellsWhyNotAllAndInWhichBounds) {
  Outcome outcome = Failed();
  outcome.result.findings.clear();
  outcome.result.redundant = 5122;
  outcome.result.out_of_time = outcome.result.interrupted = true;
  outcome.result.estimate = 41214.0;
  outcome.result.bounds = {"at most 2 preemptions", "and one more"};
  const std::string line = OutcomeLine(outcome, {.name_width = 1});
  EXPECT_EQ(line.substr(line.find('\n')),
            "\n       beside these, 5,122 given up as redundant: they show nothing new"
            "\n       cut off by --time"
            "\n       cut off by an interrupt"
            "\n       not all: there are about 4.1e+04 without reduction"
            "\n       at most 2 preemptions"
            "\n       and one more");
}

TEST(TextReportTest, AFailureHasEachFindingWithItsVerdict) {
  Outcome outcome = Failed();
  outcome.result.findings = {
      {.kind = "lock_cycle",
       .message = "A -> B -> A",
       .detail = "a story",
       .count = 1234,
       .verdict = "confirmed",
       .why = "execution 7 ends in its deadlock"},
      {.kind = "deadlock", .message = "x -> y", .detail = "who\n", .count = 1}};
  EXPECT_THAT(FailureText(outcome, "crashdep run a"),
              HasSubstr("\nlock_cycle, 1,234 times: A -> B -> A\na story\n"
                        "confirmed: execution 7 ends in its deadlock\n"
                        "\ndeadlock, 1 time: x -> y\nwho\n"
                        "\nagain: crashdep run a\n"));
}

TEST(TextReportTest, AFailureNamesTheCyclesThatAreNone) {
  Outcome outcome = Failed();
  outcome.result.excluded_cycles = {{"B -> C -> B", "refuted", "all 2 executions"}};
  EXPECT_THAT(FailureText(outcome, ""),
              HasSubstr("\n\nno finding, refuted: B -> C -> B\n  all 2 executions\n"));
  EXPECT_THAT(FailureText(outcome, ""), testing::Not(HasSubstr("more lock cycles")));
  outcome.result.more_cycles = true;
  EXPECT_THAT(FailureText(outcome, ""),
              HasSubstr("\nThere are more lock cycles than are listed.\n"));
}

TEST(TextReportTest, AFailureNamesItsTracesTheSmallOnesToo) {
  Outcome outcome = Failed();
  outcome.traces = {"t/a-1.json", "", "t/a-3.json"};
  outcome.shrunk_traces = {"t/a-1.small.json", "", ""};
  EXPECT_THAT(FailureText(outcome, "crashdep run a"),
              testing::EndsWith("\nreplay: crashdep replay t/a-1.json\n"
                                " small: crashdep replay t/a-1.small.json\n"
                                "replay: crashdep replay t/a-3.json\n"));
}

TEST(TextReportTest, AFailureTellsWhatIsFoundWithoutThePolicy) {
  Outcome outcome = Failed();
  outcome.without_policy.emplace();
  outcome.without_policy->findings = {{.kind = "metadata", .message = "free", .count = 2}};
  EXPECT_THAT(FailureText(outcome, ""), HasSubstr("\nwithout policy: metadata, 2 times: free\n"));
}

TEST(ResultJsonTest, HasWhatASearchSaysOfItselfOnlyWhereThereIsSomething) {
  Outcome outcome = Failed();
  outcome.result.complete = true;
  outcome.result.redundant = 5;
  outcome.result.out_of_time = true;
  outcome.result.estimate = 100.5;
  outcome.result.bounds = {"at most 2 preemptions"};
  outcome.result.more_cycles = true;
  outcome.result.findings[0].verdict = "open";
  outcome.result.findings[0].why = "256 executions";
  outcome.result.excluded_cycles = {{"B -> C -> B", "refuted", "all 2 executions"}};
  const json result = json::parse(ResultJson({outcome}))["scenarios"][0];
  const json plain = json::parse(ResultJson({Failed()}))["scenarios"][0];
  EXPECT_EQ(result["complete"], true);
  EXPECT_EQ(plain["complete"], false);
  const std::pair<const char*, json> values[] = {
      {"redundant", 5},
      {"out_of_time", true},
      {"estimate", 100.5},
      {"bounds", {"at most 2 preemptions"}},
      {"more_cycles", true},
      {"excluded_cycles",
       {{{"message", "B -> C -> B"}, {"verdict", "refuted"}, {"why", "all 2 executions"}}}}};
  for (const auto& [key, value] : values) {
    EXPECT_EQ(result[key], value) << key;
    EXPECT_FALSE(plain.contains(key)) << key;
  }
  EXPECT_EQ(result["findings"][0]["verdict"], "open");
  EXPECT_EQ(result["findings"][0]["why"], "256 executions");
  EXPECT_FALSE(plain["findings"][0].contains("verdict"));
}

scenario::Coverage SomeCoverage() {
  scenario::Coverage coverage;
  coverage.executions = 400;
  coverage.lock_edges = {3, {3, 0, 0, 0}};
  coverage.choice_points = {1234, {1200, 30, 3, 1}};
  coverage.final_states = {2, {1, 0, 0, 1}};
  coverage.policies = {{"asked", false, 1600}, {"on_but_unasked", true, 0}, {"unasked", false, 0}};
  return coverage;
}

TEST(TextReportTest, CoverageNamesThePoliciesThatAreOnOrAskedFor) {
  EXPECT_EQ(CoverageText(SomeCoverage()),
            "       coverage            seen   new in each quarter of the executions\n"
            "       lock edges             3          3         0         0         0\n"
            "       choice points      1,234      1,200        30         3         1\n"
            "       final states           2          1         0         0         1\n"
            "       policies asked for: asked 1,600, on_but_unasked (on) 0\n");
  EXPECT_THAT(CoverageText({}), testing::Not(HasSubstr("policies")));
}

TEST(ResultJsonTest, CoverageIsWholeThere) {
  Outcome outcome = Failed();
  outcome.result.coverage = SomeCoverage();
  EXPECT_EQ(json::parse(ResultJson({outcome}))["scenarios"][0]["coverage"], json::parse(R"({
      "executions": 400,
      "lock_edges": {"seen": 3, "new_by_quarter": [3, 0, 0, 0]},
      "choice_points": {"seen": 1234, "new_by_quarter": [1200, 30, 3, 1]},
      "final_states": {"seen": 2, "new_by_quarter": [1, 0, 0, 1]},
      "policies": {"asked": {"on": false, "asked": 1600}, "on_but_unasked": {"on": true, "asked": 0},
                   "unasked": {"on": false, "asked": 0}}})"));
  EXPECT_FALSE(json::parse(ResultJson({Failed()}))["scenarios"][0].contains("coverage"));
}

}  // namespace
}  // namespace tools
