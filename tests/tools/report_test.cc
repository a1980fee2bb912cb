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

}  // namespace
}  // namespace tools
