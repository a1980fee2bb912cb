// A search that is kept and gone on with is the search that was never interrupted.

#include "model/scenario/checkpoint.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "model/scenario/strategies.h"
#include "model/scenario/text.h"
#include "nlohmann/json.hpp"
#include "sim/engine/random.h"
#include "sim/lockdep/proc.h"
#include "sim/race/guard_report.h"
#include "tests/scenario/program_text.h"

namespace scenario {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Keeps the search whenever it can be kept, and cuts it off before that many executions have begun.
class MemoryKeeper final : public SearchKeeper {
 public:
  explicit MemoryKeeper(std::optional<std::string> text = std::nullopt,
                        int64_t stops_after = INT64_MAX)
      : text_(std::move(text)), left_(stops_after) {}

  const std::string& name() const override { return name_; }
  absl::StatusOr<std::optional<std::string>> Load() override { return text_; }
  bool IsDue() override { return true; }
  absl::Status Keep(std::string_view text) override {
    text_ = text;
    texts_.push_back(*text_);
    return absl::OkStatus();
  }
  bool Stops() override { return left_-- <= 0; }

  const std::optional<std::string>& text() const { return text_; }  // the last
  const std::vector<std::string>& texts() const { return texts_; }  // all of this search

 private:
  std::string name_ = "kept.json";
  std::optional<std::string> text_;
  std::vector<std::string> texts_;
  std::atomic<int64_t> left_;
};

// All that a result says, but for how the search came to it.
std::string Everything(const ScenarioResult& result) {
  std::string all = Cat(result.executions, " ", result.steps, " ", result.crash_families, " ",
                        result.crash_states, " ", result.digest, " ", result.complete ? 1 : 0, " ",
                        result.redundant, " ", result.estimate.value_or(0), "\n",
                        Join(result.bounds, "\n"), "\n");
  if (result.enumerated) {
    all += Cat(result.enumerated->families, " ", result.enumerated->larger, " ",
               result.enumerated->states, " ", result.enumerated->disagreements, "\n");
  }
  for (const FoundFinding& finding : result.findings) {
    all += Cat(finding.kind, "\n", finding.message, "\n", finding.detail, "\n", finding.count, "\n",
               finding.trace.dump(), "\n", finding.verdict, "\n", finding.why, "\n");
  }
  for (const ExcludedCycle& cycle : result.excluded_cycles) {
    all += Cat(cycle.message, "\n", cycle.verdict, "\n", cycle.why, "\n");
  }
  if (result.coverage) {
    for (const SeenThings* things : {&result.coverage->lock_edges, &result.coverage->choice_points,
                                     &result.coverage->final_states}) {
      all += Cat(things->seen, ": ", Join(things->new_by_quarter, " "), "\n");
    }
    for (const PolicyAsked& policy : result.coverage->policies) all += Cat(policy.times, " ");
  }
  return Cat(all, sim::ToJson(result.guards).dump(1), "\n", sim::RenderLockStat(result.lock_stat),
             sim::RenderLockdepStats(*result.locks), sim::RenderLockdepClasses(*result.locks),
             sim::RenderLockdepChains(*result.locks));
}

class CheckpointTest : public testing::Test {
 protected:
  static Scenario Parsed(const std::string& text) {
    auto scenario = ParseScenario("test.json", text, ModelPolicies());
    EXPECT_TRUE(scenario.ok()) << scenario.status() << text;
    return scenario.ok() ? *std::move(scenario) : Scenario{};
  }

  // Two or three threads that nest two locks and touch a field, with or without them.
  static Scenario RandomProgram(uint64_t seed, const std::string& search) {
    sim::RandomStream random(seed, "program");
    std::vector<std::string> threads;
    const uint64_t count = 2 + random.UniformBelow(2);
    for (uint64_t thread = 0; thread < count; ++thread) {
      std::vector<std::string> ops, unlocks;
      const uint64_t first = random.UniformBelow(2), depth = random.UniformBelow(3);
      for (uint64_t i = 0; i < depth; ++i) {
        const std::string lock = (first + i) % 2 == 0 ? "A" : "B";
        ops.push_back(OpText("lock", "lock", lock));
        unlocks.insert(unlocks.begin(), OpText("unlock", "lock", lock));
      }
      const bool writes = random.UniformBelow(2) == 0;
      ops.push_back(writes ? R"({"op": "store", "variable": "x", "value": 1})"
                           : R"({"op": "load", "variable": "x", "into": "r"})");
      if (random.UniformBelow(3) == 0) ops.push_back(OpText("signal", "event", "E"));
      if (random.UniformBelow(4) == 0) ops.push_back(OpText("wait", "event", "E"));
      ops.insert(ops.end(), unlocks.begin(), unlocks.end());
      threads.push_back(RoutineText(Cat("t", thread), ops));
    }
    return Program(threads, search);
  }

  static Scenario Program(const std::vector<std::string>& threads, const std::string& search) {
    return Parsed(Cat(R"({"schema": 1, "name": "program", "program": {
        "locks": [{"name": "A"}, {"name": "B", "kind": "rwsem"}], "events": [{"name": "E"}],
        "variables": [{"name": "x", "sharing": "plain"}]}, "threads": [)",
                      Join(threads, ", "), R"(], "search": )", search,
                      R"(, "expect": {"findings": []}})"));
  }

  static Scenario FileSystem(const std::string& threads, const std::string& search) {
    return Parsed(
        Cat(R"({"schema": 1, "name": "files", "files": [{"name": "a", "size_bytes": 8192}],
        "threads": )",
            threads, R"(, "search": )", search, R"(, "expect": {"findings": []}})"));
  }

  static ScenarioResult Kept(const Scenario& scenario, const RunOptions& options,
                             MemoryKeeper& keeper) {
    auto result = RunKeptScenario(scenario, options, &keeper, [](uint64_t, uint64_t) {});
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : ScenarioResult{};
  }
  static ScenarioResult Whole(const Scenario& scenario, const RunOptions& options) {
    return RunScenario(scenario, options, [](uint64_t, uint64_t) {});
  }
  static absl::Status WhyNot(const Scenario& scenario, const RunOptions& options,
                             const std::string& text) {
    MemoryKeeper keeper(text);
    const auto result = RunKeptScenario(scenario, options, &keeper, [](uint64_t, uint64_t) {});
    EXPECT_TRUE(keeper.texts().empty() || result.ok());
    return result.status();
  }

  // Whatever the jobs, and wherever it is interrupted, how often.
  static void ExpectNoBreakShows(const Scenario& scenario, RunOptions options,
                                 sim::RandomStream& random, int rounds, int& interruptions) {
    const std::string whole = Everything(Whole(scenario, options));
    MemoryKeeper keeper;
    options.jobs = 3;
    EXPECT_EQ(Everything(Kept(scenario, options, keeper)), whole);
    for (int round = 0; round < rounds; ++round) {
      std::optional<std::string> text;
      const auto& texts = keeper.texts();
      if (!texts.empty() && round > 0) text = texts[random.UniformBelow(texts.size())];
      for (int64_t stops_after = static_cast<int64_t>(random.UniformBelow(40));; stops_after *= 2) {
        options.jobs = static_cast<int>(1 + random.UniformBelow(3));
        MemoryKeeper later(text, stops_after);
        const ScenarioResult result = Kept(scenario, options, later);
        text = later.text();
        if (!result.interrupted) {
          ASSERT_EQ(Everything(result), whole);
          break;
        }
        if (text) ++interruptions;
        stops_after += 5;
      }
    }
  }
};

constexpr std::string_view kSearches[] = {
    R"({"strategy": "dpor"})",
    R"({"strategy": "dpor", "max_preemptions": 1})",
    R"({"strategy": "depth_first", "executions": 300})",
    R"({"strategy": "depth_first", "max_preemptions": 1})",
    R"({"strategy": "random", "executions": 200})",
    R"({"strategy": "pct", "executions": 200})",
    R"({"strategy": "pos", "executions": 150, "seed": 5})",
    R"({"strategy": "round_robin", "executions": 70})",
    R"({"strategy": "timed", "executions": 130})",
};

TEST_F(CheckpointTest, ALockProgramsSearchShowsNoBreak) {
  int interruptions = 0;
  sim::RandomStream random(1, "breaks");
  for (uint64_t seed = 0; seed < 5; ++seed) {
    for (const std::string_view search : kSearches) {
      SCOPED_TRACE(Cat(search, ", program ", seed));
      const Scenario scenario = RandomProgram(seed, std::string(search));
      const auto part = static_cast<int64_t>(1 + random.UniformBelow(9));
      ExpectNoBreakShows(
          scenario, {.part_executions = part, .guards = true, .coverage = true, .lock_stat = true},
          random, /*rounds=*/2, interruptions);
    }
  }
  EXPECT_GT(interruptions, 100);
}

TEST_F(CheckpointTest, AFileSystemsSearchShowsNoBreak) {
  const std::string workloads[] = {
      R"([{"name": "writer", "ops": [{"op": "write", "file": "a", "pos_bytes": 0, "len_bytes": 9}]},
          {"name": "truncate", "ops": [{"op": "truncate", "file": "a", "size_bytes": 4096}]}])",
      R"([{"name": "creator", "ops": [{"op": "write", "file": "a", "pos_bytes": 0, "len_bytes": 9},
                                      {"op": "fsync", "file": "a"}]},
          {"name": "syncer", "ops": [{"op": "fdatasync", "file": "a"}]}])"};
  int interruptions = 0;
  sim::RandomStream random(2, "breaks");
  for (const std::string& workload : workloads) {
    for (const StrategyKind strategy :
         {StrategyKind::kDpor, StrategyKind::kDepthFirst, StrategyKind::kRandom, StrategyKind::kPct,
          StrategyKind::kTimed}) {
      const std::string_view name = kStrategyNames[static_cast<size_t>(strategy)];
      SCOPED_TRACE(Cat(name, " ", workload));
      const Scenario scenario = FileSystem(
          workload, Cat(R"({"strategy": ")", name, R"(", "executions": 60, "crash_at": )",
                        IsSystematic(strategy) ? R"("none"})" : R"("each_flush"})"));
      ExpectNoBreakShows(scenario,
                         {.part_executions = 7,
                          .guards = true,
                          .coverage = true,
                          .lock_stat = true,
                          .enumerate = 4},
                         random, /*rounds=*/1, interruptions);
    }
  }
  EXPECT_GT(interruptions, 8);
}

// What is kept depends on how far it is, and on nothing else.
TEST_F(CheckpointTest, WhatIsKeptIsTheSameForAnyNumberOfJobs) {
  sim::RandomStream random(3, "breaks");
  for (const std::string_view search :
       {R"({"strategy": "dpor"})", R"({"strategy": "depth_first", "executions": 300})"}) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      const Scenario scenario = RandomProgram(seed, std::string(search));
      MemoryKeeper alone, shared;
      (void)Kept(scenario, {.jobs = 1, .part_executions = 4}, alone);
      (void)Kept(scenario, {.jobs = 3, .part_executions = 4}, shared);
      ASSERT_EQ(alone.texts(), shared.texts()) << search << ", program " << seed;
      ASSERT_FALSE(alone.texts().empty());
      const size_t begin = random.UniformBelow(alone.texts().size());
      MemoryKeeper later(alone.texts()[begin]);
      (void)Kept(scenario, {.jobs = 2, .part_executions = 4}, later);
      const std::vector<std::string> rest(alone.texts().begin() + static_cast<ptrdiff_t>(begin) + 1,
                                          alone.texts().end());
      ASSERT_EQ(later.texts(), rest) << search << ", program " << seed;
    }
  }
}

// The executions under a lower limit are the first of those under a higher one.
TEST_F(CheckpointTest, AHigherLimitGoesOnWhereALowerOneEnded) {
  for (const std::string_view search :
       {R"({"strategy": "dpor"})", R"({"strategy": "random", "executions": 100})",
        R"({"strategy": "depth_first", "executions": 100})"}) {
    for (uint64_t seed = 0; seed < 6; ++seed) {
      SCOPED_TRACE(Cat(search, ", program ", seed));
      const Scenario scenario = RandomProgram(seed, std::string(search));
      RunOptions options = {.jobs = 2, .part_executions = 5};
      const ScenarioResult whole = Whole(scenario, options);
      MemoryKeeper keeper;
      for (const int64_t limit : {3, 7, 20, 90}) {
        if (limit >= static_cast<int64_t>(whole.executions)) break;
        options.executions = limit;
        MemoryKeeper later(keeper.text());
        ASSERT_EQ(Everything(Kept(scenario, options, later)), Everything(Whole(scenario, options)));
        if (later.text()) (void)keeper.Keep(*later.text());
      }
      options.executions.reset();
      MemoryKeeper last(keeper.text());
      ASSERT_EQ(Everything(Kept(scenario, options, last)), Everything(whole));
    }
  }
}

TEST_F(CheckpointTest, ACompleteSearchRunsNothingMore) {
  const Scenario scenario = RandomProgram(1, R"({"strategy": "dpor"})");
  MemoryKeeper keeper;
  const ScenarioResult whole = Kept(scenario, {}, keeper);
  EXPECT_TRUE(whole.complete);
  MemoryKeeper later(keeper.text());
  const ScenarioResult again = Kept(scenario, {}, later);
  EXPECT_EQ(Everything(again), Everything(whole));
  EXPECT_EQ(whole.executions_before, 0u);
  EXPECT_EQ(whole.executions_kept, whole.executions);
  EXPECT_EQ(again.executions_before, whole.executions);
  EXPECT_EQ(again.executions_kept, whole.executions);
  EXPECT_TRUE(later.texts().empty());
}

TEST_F(CheckpointTest, WhatCannotBeKeptIsSaid) {
  class FullDisk final : public SearchKeeper {
   public:
    const std::string& name() const override { return name_; }
    absl::StatusOr<std::optional<std::string>> Load() override { return std::nullopt; }
    bool IsDue() override { return true; }
    absl::Status Keep(std::string_view) override { return absl::InternalError("disk full"); }
    bool Stops() override { return false; }

   private:
    std::string name_ = "kept.json";
  };
  const Scenario scenario = RandomProgram(1, R"({"strategy": "dpor"})");
  FullDisk keeper;
  const auto result = RunKeptScenario(scenario, {}, &keeper, [](uint64_t, uint64_t) {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->not_kept, "disk full");
  EXPECT_EQ(Everything(*result), Everything(Whole(scenario, {})));
}

// --- Files that are refused ----------------------------------------------------------------------

class RefusedTest : public CheckpointTest {
 protected:
  static constexpr std::string_view kSearch = R"({"strategy": "dpor", "executions": 4})";
  static constexpr char kStore[] = R"({"op": "store", "variable": "x", "value": 1})";

  // Opposite orders, and a race.
  RefusedTest()
      : scenario_(Program(
            {RoutineText("one", {OpText("lock", "lock", "A"), kStore, OpText("lock", "lock", "B"),
                                 OpText("unlock", "lock", "B"), OpText("unlock", "lock", "A")}),
             RoutineText("other", {OpText("lock", "lock", "B"), kStore, OpText("lock", "lock", "A"),
                                   OpText("unlock", "lock", "A"), OpText("unlock", "lock", "B")})},
            std::string(kSearch))) {
    MemoryKeeper keeper;
    (void)Kept(scenario_, {.part_executions = 2}, keeper);
    text_ = keeper.text().value_or("");
    EXPECT_THAT(text_, StartsWith("{\n\"crashdep_checkpoint\": 1"));
  }

  std::string Message(const std::string& text) const {
    return std::string(WhyNot(scenario_, {.part_executions = 2}, text).message());
  }
  std::string MessageOfAnother(const Scenario& scenario, const RunOptions& options) const {
    return std::string(WhyNot(scenario, options, text_).message());
  }
  // The file with one thing replaced, and, if `signs`, a digest that fits.
  std::string Edited(const std::string& from, const std::string& to, bool signs) const {
    std::string text = text_;
    const size_t at = text.find(from);
    EXPECT_NE(at, text.npos) << from << "\n" << text_;
    text.replace(at, from.size(), to);
    if (!signs) return text;
    const std::string refused = Message(text);
    const size_t begin = refused.find("want ");
    EXPECT_NE(begin, refused.npos) << refused;
    auto json = nlohmann::ordered_json::parse(text);
    json["content"] = refused.substr(begin + 5, 32);
    return json.dump(0);
  }

  Scenario scenario_;
  std::string text_;
};

TEST_F(RefusedTest, AnotherSearch) {
  Scenario other = scenario_;
  other.search.seed = 9;
  EXPECT_THAT(MessageOfAnother(other, {.part_executions = 2}),
              HasSubstr("/search/seed: want 9, as this search has, got 1"));
  EXPECT_THAT(MessageOfAnother(RandomProgram(1, std::string(kSearch)), {.part_executions = 2}),
              HasSubstr("/search/scenario_digest: want"));
  other.name = "other";
  EXPECT_THAT(MessageOfAnother(other, {.part_executions = 2}),
              HasSubstr("/search/scenario: want \"other\", as this search has, got \"program\""));
  EXPECT_THAT(MessageOfAnother(scenario_, {.part_executions = 2, .guards = true}),
              HasSubstr("/search/guards: want true, as this search has, got false"));
  EXPECT_THAT(MessageOfAnother(scenario_, {.part_executions = 2, .enumerate = 5}),
              HasSubstr("/search/enumerate: want 5, as this search has, got nothing"));
  EXPECT_THAT(MessageOfAnother(scenario_, {.part_executions = 3}),
              HasSubstr("/search/part_executions: want 3"));
  EXPECT_THAT(MessageOfAnother(scenario_, {.executions = 1, .part_executions = 2}),
              HasSubstr("/executions: want at most 1, as this search is to run, got "));
}

TEST_F(RefusedTest, WhatIsExpectedAndLimitsMayBeOthers) {
  Scenario other = scenario_;
  other.about = "Something else.";
  other.expect.findings.push_back({"deadlock", ""});
  other.search.executions = 100;
  EXPECT_TRUE(WhyNot(other, {.max_seconds = 100, .jobs = 5, .part_executions = 2}, text_).ok());
}

TEST_F(RefusedTest, WhatIsNoCheckpoint) {
  EXPECT_EQ(Message(""), "kept.json:1:1: the file is empty");
  EXPECT_EQ(Message("{}"),
            "kept.json:1:1: no checkpoint of crashdep: want \"crashdep_checkpoint\"");
  EXPECT_THAT(Message("[]"), HasSubstr("no checkpoint of crashdep"));
  EXPECT_EQ(Message(Edited("\"crashdep_checkpoint\": 1", "\"crashdep_checkpoint\": 2", false)),
            "kept.json:2:24: /crashdep_checkpoint: want 1, got 2");
}

TEST_F(RefusedTest, AnEditedNumber) {
  EXPECT_THAT(Message(Edited("\"redundant\": 0", "\"redundant\": 1", false)),
              HasSubstr("/content: want "));
}

// Of another build: what it kept is whole, but executions do not go as they went.
TEST_F(RefusedTest, ExecutionsThatGoAnotherWay) {
  const std::string word = "\"digest\": \"";
  const size_t at = text_.find(word) + word.size();
  const std::string digest = text_.substr(at, 32);
  EXPECT_THAT(Message(Edited(digest, std::string(32, '0'), true)),
              HasSubstr("/ways/0/digest: execution 0 has the digest " + digest +
                        " now: it was kept"
                        " by another build"));
  EXPECT_THAT(Message(Edited("\"kind\": \"data_race\"", "\"kind\": \"livelock\"", true)),
              HasSubstr("/findings/0: other things are found now"));
}

// Every line left out, every word changed, every end cut off.
TEST_F(RefusedTest, AnyDamage) {
  int same = 0, damaged = 0;
  const auto try_one = [&](const std::string& text) {
    MemoryKeeper keeper(text);
    const auto result =
        RunKeptScenario(scenario_, {.part_executions = 2}, &keeper, [](uint64_t, uint64_t) {});
    ++damaged;
    if (!result.ok()) {
      EXPECT_THAT(std::string(result.status().message()), StartsWith("kept.json:"));
      return;
    }
    ++same;
    EXPECT_EQ(Everything(*result), Everything(Whole(scenario_, {.part_executions = 2})));
  };
  for (size_t line = 0; line < text_.size();) {
    const size_t end = text_.find('\n', line) + 1;
    try_one(text_.substr(0, line) + text_.substr(end));
    try_one(text_.substr(0, line));
    const size_t middle = line + (end - line) / 2;
    for (const char with : {'0', '7', 'x', '"', '\xff'}) {
      std::string text = text_;
      text[middle] = with;
      if (text != text_) try_one(text);
    }
    line = end;
  }
  EXPECT_GT(damaged, 500);
  EXPECT_LT(same, damaged / 20);
}

}  // namespace
}  // namespace scenario
