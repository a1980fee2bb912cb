// Searches that are kept: crashdep run --checkpoint, and what stands below it.

#include "tools/search_file.h"

#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"
#include "tools/interrupt_watch.h"

namespace tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kNoFindings[] = R"({"findings": []})";

class SearchFileTest : public CommandTest {};

TEST_F(SearchFileTest, KeepsTheLastThatItWasGiven) {
  const std::atomic<bool> stop = false;
  SearchFile file(Path("kept"), stop);
  EXPECT_FALSE(file.Load()->has_value());
  EXPECT_FALSE(file.IsDue());  // so soon
  ASSERT_TRUE(file.Keep("first").ok());
  ASSERT_TRUE(file.Keep("second").ok());
  EXPECT_EQ(*file.Load(), "second");
  EXPECT_EQ(Get("kept"), "second");
  EXPECT_FALSE(std::filesystem::exists(Path("kept.part")));
}

TEST_F(SearchFileTest, ADirectoryInItsPlaceIsNoFile) {
  const std::atomic<bool> stop = false;
  std::filesystem::create_directory(Path("kept"));
  SearchFile file(Path("kept"), stop);
  EXPECT_EQ(file.Load().status().message(), Path("kept") + ": not a regular file");
  EXPECT_FALSE(file.Keep("first").ok());
}

TEST_F(SearchFileTest, AnInterruptIsNoticedOnceAndThenDoesWhatItDid) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    InterruptWatch watch;
    EXPECT_FALSE(watch.Notice());
    raise(SIGTERM);
    EXPECT_TRUE(watch.Notice());
    EXPECT_FALSE(watch.Notice());
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
}

TEST_F(SearchFileTest, EachSearchAndItsTwinHasAFileWhereTheNextRunFindsIt) {
  PutScenario("plain", "[]", kNoFindings);
  PutScenario("twin", R"(["policy:deadlock"])",
              R"({"findings": ["deadlock"], "without_policy": []})", R"({"break_it": true})");
  EXPECT_EQ(Crashdep({"run", Path("plain.json"), Path("twin.json"), "--checkpoint", Path("kept")}),
            0);
  EXPECT_THAT(err_, IsEmpty());
  EXPECT_EQ(Get("kept/plain.json"), "1\n");
  EXPECT_EQ(Get("kept/twin.json"), "1\n");
  EXPECT_EQ(Get("kept/twin.without_policy.json"), "1\n");
  EXPECT_EQ(Crashdep({"run", Path("plain.json"), "--checkpoint", Path("kept")}), 0);
  EXPECT_EQ(Get("kept/plain.json"), "1\n1\n");
}

TEST_F(SearchFileTest, WhatWasKeptAndIsOfNoUseIsLeftAsItIs) {
  PutScenario("bad", "[]", kNoFindings);
  PutScenario("good", "[]", kNoFindings);
  Put("kept/bad.json", "rubbish");
  EXPECT_EQ(Crashdep({"run", Path("bad.json"), Path("good.json"), "--checkpoint", Path("kept"),
                      "--json", Path("result")}),
            2);
  EXPECT_EQ(err_, scenario::Cat(Path("kept/bad.json"), ":1:1: want sense\n", Path("kept/bad.json"),
                                ": is left as it is; remove it, or name another directory, to "
                                "begin anew\n"));
  EXPECT_THAT(out_, AllOf(HasSubstr("ERROR  " + Path("bad.json")), HasSubstr("pass   good"),
                          HasSubstr("1 passed, 0 failed, 1 could not be read")));
  EXPECT_EQ(Get("kept/bad.json"), "rubbish");
  const auto scenarios = nlohmann::json::parse(Get("result"))["scenarios"];
  EXPECT_EQ(scenarios[0]["verdict"], "error");
  EXPECT_EQ(scenarios[1]["verdict"], "pass");
}

TEST_F(SearchFileTest, WhatCannotBeKeptApartIsNotRun) {
  PutScenario("same", "[]", kNoFindings);
  const std::string copy = Put("copy.json", Get("same.json"));
  EXPECT_EQ(Crashdep({"run", copy, Path("same.json"), "--checkpoint", Path("kept")}), 2);
  EXPECT_EQ(err_,
            scenario::Cat(Path("same.json"), ": would be kept in ", Path("kept/same.json"), ", as ",
                          copy, " would: give it a name of its own, or another directory\n"));
  EXPECT_THAT(out_, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(Path("kept/same.json")));
}

TEST_F(SearchFileTest, WhereNothingCanBeKeptNothingIsRun) {
  PutScenario("s", "[]", kNoFindings);
  EXPECT_EQ(Crashdep({"run", Path("s.json"), "--checkpoint", Path("s.json")}), 2);
  EXPECT_THAT(err_, HasSubstr(Path("s.json") + ": cannot be written: "));
  EXPECT_THAT(out_, IsEmpty());
  std::filesystem::create_directories(Path("kept/s.json"));
  EXPECT_EQ(Crashdep({"run", Path("s.json"), "--checkpoint", Path("kept")}), 2);
  EXPECT_EQ(err_, Path("kept/s.json") + ": cannot be written: it is a directory\n");
  EXPECT_THAT(out_, IsEmpty());
}

TEST_F(SearchFileTest, AnInterruptEndsTheSearchAndSaysHowMuchIsKept) {
  PutScenario("endless", "[]", kNoFindings);
  EXPECT_EQ(Crashdep({"run", Path("endless.json"), "--executions", "1234", "--checkpoint",
                      Path("kept"), "--json", Path("result")}),
            0);
  EXPECT_THAT(out_, HasSubstr("\n       cut off by an interrupt\n"));
  EXPECT_EQ(err_,
            Path("kept/endless.json") +
                ": the first 1,234 executions are kept; the same command goes on from there\n");
  EXPECT_EQ(nlohmann::json::parse(Get("result"))["scenarios"][0]["interrupted"], true);
}

TEST_F(SearchFileTest, ASearchOfWhichNothingIsKeptSaysSo) {
  PutScenario("too_long", "[]", kNoFindings);
  EXPECT_EQ(Crashdep({"run", Path("too_long.json"), "--checkpoint", Path("kept")}), 0);
  EXPECT_EQ(err_, Path("kept/too_long.json") +
                      ": nothing is kept: the search was cut off in its first part\n");
  EXPECT_THAT(out_, Not(HasSubstr("kept")));
}

}  // namespace
}  // namespace tools
