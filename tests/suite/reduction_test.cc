// Partial-order reduction on the lock programs that come with the program, beside every execution
// of each where those can all be had: the same traces, each once, and the same findings.
#include <set>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/execution.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/dpor.h"
#include "tests/explore/trace_listener.h"
#include "tests/suite/suite.h"

namespace {

using scenario::Scenario;

// What is more than this is not run in full.
constexpr int kMostExecutions = 700;

struct Shown {
  std::set<std::string> traces;
  std::set<std::string> findings;
  int executions = 0, redundant = 0;
};

bool HasTooManyExecutions(const Scenario& scenario) {
  const auto program = scenario::CompiledProgram(scenario);
  scenario::Workbench bench(scenario, program.get());
  sim::DepthFirstStrategy strategy;
  for (int executions = 0; strategy.Next(); ++executions) {
    if (executions == kMostExecutions) return true;
    sim::Validator locks;
    scenario::RunExecution(bench, {.seed = 1}, strategy, locks);
  }
  return false;
}

Shown RunAll(const Scenario& scenario, sim::SystematicStrategy& strategy) {
  Shown shown;
  const auto program = scenario::CompiledProgram(scenario);
  scenario::Workbench bench(scenario, program.get());
  while (strategy.Next()) {
    sim::TraceListener listener(strategy);
    sim::Validator locks;
    const auto result = scenario::RunExecution(bench, {.seed = 1}, listener, locks);
    if (result.abandoned) {
      ++shown.redundant;
      continue;
    }
    ++shown.executions;
    shown.traces.insert(listener.Trace());
    for (const sim::Finding& finding : result.findings) {
      shown.findings.insert(finding.kind + ": " + finding.message);
    }
  }
  return shown;
}

TEST(ReductionSuiteTest, RunsEveryTraceOfEachLockProgramOnce) {
  int compared = 0;
  for (const std::string& path : suite::Paths("scenarios/lock_order")) {
    SCOPED_TRACE(path);
    const Scenario scenario = suite::Load(path);
    if (!scenario.program || HasTooManyExecutions(scenario)) continue;
    sim::DepthFirstStrategy depth_first;
    const Shown every = RunAll(scenario, depth_first);
    ++compared;
    sim::DporStrategy dpor({.fixed_turns = true});
    const Shown reduced = RunAll(scenario, dpor);
    EXPECT_EQ(reduced.traces, every.traces);
    EXPECT_EQ(reduced.executions, static_cast<int>(every.traces.size()));
    EXPECT_EQ(reduced.redundant, 0);
    EXPECT_EQ(reduced.findings, every.findings);
  }
  EXPECT_GE(compared, 50);
}

}  // namespace
