#include "tools/run_command.h"

#include <filesystem>
#include <string>
#include <tuple>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kNothing[] = R"({"findings": []})";
constexpr char kWantsDeadlock[] = R"({"findings": ["deadlock"]})";

class RunCommandTest : public CommandTest {};

TEST_F(RunCommandTest, AScenarioThatGivesWhatItExpectsPasses) {
  PutScenario("clean", "[]", kNothing);
  PutScenario("broken", R"(["found:deadlock"])", kWantsDeadlock);
  EXPECT_EQ(Crashdep({"run", directory_}), 0);
  EXPECT_EQ(out_,
            "pass   broken           1 execution      1.2e29 crash states  deadlock\n"
            "pass   clean            1 execution      1.2e29 crash states\n"
            "\n2 passed, 0 failed\n");
  EXPECT_THAT(err_, IsEmpty());
}

TEST_F(RunCommandTest, AFailureShowsWhyAndHowToSeeItAgain) {
  const std::string path = PutScenario("surprise", R"(["found:deadlock"])", kNothing);
  EXPECT_EQ(Crashdep({"run", path, "--seed", "5"}), 1);
  EXPECT_THAT(out_, AllOf(StartsWith("FAIL   surprise"),
                          HasSubstr("unexpected deadlock: a deadlock in T1 & T2\n"),
                          HasSubstr("deadlock, 3 times: a deadlock in T1 & T2\nT1 waits for T2\n"),
                          EndsWith("again: crashdep run " + path +
                                   " --seed 5 --traces traces\n\n0 passed, 1 failed\n")));
}

TEST_F(RunCommandTest, ABadScenarioDoesNotStopTheOthers) {
  Put("a.json", "{\"schema\": 1,");
  PutScenario("b", "[]", kNothing);
  EXPECT_EQ(Crashdep({"run", directory_, Path("none.json"), "--json", Path("out")}), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("a.json:1:14: not valid JSON: the text ends too early\n"),
                          HasSubstr("none.json: no such file or directory\n")));
  EXPECT_THAT(out_, EndsWith("1 passed, 0 failed, 1 could not be read\n"));
  const json scenarios = json::parse(Get("out"))["scenarios"];
  EXPECT_EQ(scenarios[0]["verdict"], "error");
  EXPECT_EQ(scenarios[1]["verdict"], "pass");
}

TEST_F(RunCommandTest, TheTwinRunsWithoutThePolicy) {
  constexpr char kTwin[] = R"({"findings": ["deadlock"], "without_policy": []})";
  PutScenario("twin", R"(["policy:deadlock"])", kTwin, R"({"break_it": true})");
  EXPECT_EQ(Crashdep({"run", directory_}), 0);
  PutScenario("twin", R"(["found:deadlock"])", kTwin, R"({"break_it": true})");
  EXPECT_EQ(Crashdep({"run", directory_}), 1);
  EXPECT_THAT(out_, HasSubstr("without its policy: unexpected deadlock: "));
}

TEST_F(RunCommandTest, TheResultIsTheSameForAnyNumberOfJobs) {
  for (int i = 0; i < 20; ++i) {
    PutScenario(scenario::Cat("s", i), R"(["found:deadlock"])", i % 2 ? kWantsDeadlock : kNothing);
  }
  EXPECT_EQ(Crashdep({"run", directory_, "--jobs", "1", "--json", Path("one")}), 1);
  const std::string one = out_;
  EXPECT_EQ(Crashdep({"run", directory_, "--jobs", "7", "--json", Path("seven")}), 1);
  EXPECT_EQ(out_, one);
  EXPECT_EQ(Get("seven"), Get("one"));
}

TEST_F(RunCommandTest, TracesAreWrittenAndNamedInTheReport) {
  const std::string path = PutScenario("s", R"(["found:deadlock"])", kNothing);
  EXPECT_EQ(Crashdep({"run", path, "--traces", Path("a/b"), "--json", Path("out")}), 1);
  const std::string trace = Path("a/b/s-1-deadlock.json");
  EXPECT_EQ(Get("a/b/s-1-deadlock.json"), "{\"scenario\":\"s\",\"kind\":\"deadlock\"}\n");
  EXPECT_THAT(out_, HasSubstr("replay: crashdep replay " + trace + "\n"));
  EXPECT_EQ(json::parse(Get("out"))["scenarios"][0]["findings"][0]["trace"], trace);
  EXPECT_EQ(Crashdep({"replay", trace}), 0);
}

TEST_F(RunCommandTest, SaysHowManyStatesWereBuilt) {
  const std::string path = PutScenario("s", "[]", kNothing);
  EXPECT_EQ(Crashdep({"run", path, "--enumerate", "64", "--json", Path("out")}), 0);
  EXPECT_THAT(out_, HasSubstr("enumerated 12 families, 3,456 states, 0 disagreements; "
                              "3 families are larger\n"));
  EXPECT_EQ(json::parse(Get("out"))["scenarios"][0]["enumerated"],
            json::parse(R"({"families": 12, "states": 3456, "larger_families": 3,
                            "disagreements": 0})"));
  EXPECT_EQ(Crashdep({"run", path, "--enumerate", "0"}), 2);
}

// Whatever else was found, this is no verdict on the scenario.
TEST_F(RunCommandTest, ADisagreementBetweenAFamilyAndItsStatesIsOurFault) {
  const std::string path = PutScenario("s", "[]", kNothing);
  EXPECT_EQ(Crashdep({"run", path, "--enumerate", "13"}), 3);
  EXPECT_THAT(err_,
              HasSubstr("execution 0, at 5 ns, a state shows what it should not. This is a fault "
                        "of crashdep: please report it with the scenario and crashdep run " +
                        path + " --enumerate 13"));
}

TEST_F(RunCommandTest, WhereNothingCanBeWrittenNothingRunsOrIsOverwritten) {
  const std::string path = PutScenario("s", "[]", kNothing);
  Put("old", "as it was");
  for (const auto& [json, option, file] :
       {std::tuple{Path("no/such/dir/out"), "--junit", Path("out")},
        {Path("old"), "--junit", directory_},
        {Path("old"), "--junit", Path("old")},
        {Path("out"), "--traces", Path("old")}}) {
    EXPECT_EQ(Crashdep({"run", path, "--json", json, option, file}), 2) << json << option << file;
    EXPECT_THAT(out_, IsEmpty());
    EXPECT_THAT(err_, StartsWith(directory_));
    EXPECT_EQ(Get("old"), "as it was");
  }
  EXPECT_FALSE(std::filesystem::exists(Path("old.part")));
  EXPECT_FALSE(std::filesystem::exists(Path("out")));
}

TEST_F(RunCommandTest, RefusesABadCommandLine) {
  EXPECT_EQ(Crashdep({}), 2);
  EXPECT_EQ(Crashdep({"run"}), 2);
  EXPECT_EQ(Crashdep({"run", "x", "--jobs", "0"}), 2);
  EXPECT_EQ(Crashdep({"run", "x", "--seed", "-1"}), 2);
  EXPECT_EQ(Crashdep({"run", "x", "--strategy", "randon"}), 2);
  EXPECT_THAT(err_, HasSubstr("want one of timed, random, pct, pos, round_robin, depth_first, "
                              "dpor, got randon; did you mean \"random\"?"));
  EXPECT_EQ(Crashdep({"run", "x", "--json", "a", "--json", "b"}), 2);
  EXPECT_EQ(Crashdep({"relpay"}), 2);
  EXPECT_EQ(
      err_,
      "crashdep: no such command: \"relpay\"; did you mean \"replay\"?\nSee crashdep --help.\n");
  EXPECT_EQ(Crashdep({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("Exit code: 0 as expected"));
}

TEST_F(RunCommandTest, OptionsReplaceWhatTheScenarioSays) {
  const std::string path = PutScenario("s", "[]", kNothing);
  const std::string out = Path("out");
  EXPECT_EQ(Crashdep({"run", path, "--strategy", "random", "--seed", "18446744073709551615",
                      "--executions", "12345", "--json", out}),
            0);
  const json scenario = json::parse(Get("out"))["scenarios"][0];
  EXPECT_EQ(scenario["executions"], 12345);
  EXPECT_EQ(scenario["digest"], std::string(31, '0') + "5");
}

TEST_F(RunCommandTest, ACompleteSearchIsToldFromOthersAndItsNumberIsExpected) {
  const std::string path = PutScenario("s", "[]", R"({"findings": [], "all_executions": 7})");
  EXPECT_EQ(Crashdep({"run", path, "--complete", "--executions", "7"}), 0);
  EXPECT_THAT(out_, HasSubstr("all 7 executions"));
  EXPECT_THAT(out_, HasSubstr("\n       a bound\n"));
  EXPECT_EQ(Crashdep({"run", path, "--complete", "--executions", "6"}), 1);
  EXPECT_THAT(out_, HasSubstr("expected 7 executions to be all, found that all are 6"));
  EXPECT_THAT(out_, HasSubstr("--executions 6 --complete --traces traces"));
  EXPECT_EQ(Crashdep({"run", path}), 1);
  EXPECT_THAT(out_, HasSubstr("expected 7 executions to be all, found more than 1"));
}

TEST_F(RunCommandTest, WhatDoesNotFitOnTheDeviceIsBadInput) {
  const std::string path = PutScenario("too_big", "[]", kNothing);
  for (const char* command : {"run", "check", "list"}) {
    EXPECT_EQ(Crashdep({command, path}), 2) << command;
    EXPECT_THAT(err_, HasSubstr(path + ": no room for the files"));
  }
}

TEST_F(RunCommandTest, SuppressedFindingDoesNotCount) {
  const std::string scenario = PutScenario("s", R"(["found:deadlock"])", R"({"findings": []})");
  const std::string known = Put("known", R"({"schema": 1, "suppressions":
      [{"kind": "deadlock", "message": "T1 & T2", "reason": "known"}]})");
  EXPECT_EQ(Crashdep({"run", scenario}), 1);
  EXPECT_EQ(Crashdep({"run", scenario, "--suppress", known}), 0);
  EXPECT_THAT(out_, HasSubstr("suppressed 1 x: deadlock: T1 & T2 [known]"));
}

}  // namespace
}  // namespace tools
