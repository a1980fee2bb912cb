// A simulator that finds what the scenario's models name, and a console that keeps what is written.
#pragma once

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "model/scenario/text.h"
#include "tools/backend.h"
#include "tools/command_line.h"

namespace tools {

// Only a scenario of this name does not fit on its device.
inline absl::Status FakeFits(const scenario::Scenario& scenario) {
  return scenario.name == "too_big" ? absl::InvalidArgumentError("no room for the files")
                                    : absl::OkStatus();
}

// What is kept is how many executions there are; rubbish is refused. The search of "endless" is
// interrupted, "too_long" is cut off with nothing kept.
inline absl::Status FakeKeep(const scenario::Scenario& scenario, scenario::SearchKeeper& keeper,
                             scenario::ScenarioResult& result) {
  const auto before = keeper.Load();
  if (!before.ok()) return before.status();
  if (*before == "rubbish") {
    return absl::InvalidArgumentError(keeper.name() + ":1:1: want sense");
  }
  if (scenario.name == "endless") {
    kill(getpid(), SIGINT);
    while (!keeper.Stops()) std::this_thread::yield();
    result.interrupted = true;
  }
  if (scenario.name == "too_long") {
    result.out_of_time = true;
    return absl::OkStatus();
  }
  result.executions_kept = result.executions;
  return keeper.Keep(scenario::Cat(before->value_or(""), result.executions, "\n"));
}

// Each entry "found:KIND" of `models` is found; "policy:KIND" only when a policy is set.
inline absl::StatusOr<scenario::ScenarioResult> FakeRun(const scenario::Scenario& scenario,
                                                        const scenario::RunOptions& options,
                                                        scenario::SearchKeeper* keeper,
                                                        scenario::ProgressFn progress) {
  scenario::ScenarioResult result;
  result.executions =
      static_cast<uint64_t>(options.executions.value_or(scenario.search.executions.value_or(1)));
  if (keeper != nullptr) {
    if (absl::Status status = FakeKeep(scenario, *keeper, result); !status.ok()) return status;
  }
  result.complete = options.complete;
  if (result.complete) result.bounds = {"a bound"};
  result.steps = 7 * result.executions;
  result.crash_states = "123456789012345678901234567890";
  result.digest = scenario::Cat(std::string(31, '0'), options.seed.value_or(1) % 10);
  if (options.enumerate) {
    result.enumerated = model::EnumerationCount{.families = 12, .larger = 3, .states = 3456};
    if (*options.enumerate == 13) {
      result.enumerated->disagreements = 1;
      result.enumerated->first_disagreement =
          "execution 0, at 5 ns, a state shows what it should not";
    }
  }
  for (const std::string& model : scenario.models) {
    const size_t colon = model.find(':');
    if (colon == std::string::npos) continue;
    if (model.substr(0, colon) == "policy" && scenario.policy.empty()) continue;
    const std::string kind = model.substr(colon + 1);
    result.findings.push_back({.kind = kind,
                               .message = "a " + kind + " in T1 & T2",
                               .detail = "T1 waits for T2\nT2 waits for T1\n",
                               .count = 3,
                               .trace = {{"scenario", scenario.name}, {"kind", kind}}});
  }
  progress(result.executions, result.executions);
  return result;
}

inline absl::StatusOr<scenario::ReplayResult> FakeReplay(const nlohmann::ordered_json& trace,
                                                         const scenario::ReplayOptions& options) {
  if (!trace.is_object() || !trace.contains("kind")) {
    return absl::InvalidArgumentError("/kind: is missing");
  }
  scenario::ReplayResult result;
  result.scenario = trace["scenario"];
  result.expected_kind = trace["kind"];
  result.expected_digest = result.digest = "0123";
  if (options.then.has_value()) {
    result.left = {scenario::Cat("after turn ", options.from.value_or(0), " by ",
                                 scenario::kStrategyNames[static_cast<size_t>(*options.then)], " ",
                                 options.seed.value_or(0))};
  }
  if (options.keeps_events) {
    result.runs.push_back({.execution = 5});
    result.runs.back().log.events.push_back({.turn = 1, .what = "lock", .subject = "A"});
  }
  result.matches = result.expected_kind == "deadlock";
  if (!result.matches) result.why_not = "no such finding";
  return result;
}

// Records executions below 10; the others find something.
inline absl::StatusOr<scenario::Recording> FakeRecord(const scenario::Scenario& scenario,
                                                      const scenario::RunOptions& options,
                                                      int64_t number) {
  if (number >= 10) return absl::FailedPreconditionError("execution finds deadlock: T1, T2");
  return scenario::Recording{.digest = "0123",
                             .steps = 7,
                             .trace = {{"crashdep_trace", 1},
                                       {"scenario", scenario.name},
                                       {"seed", options.seed.value_or(1)},
                                       {"kind", ""}}};
}

// The finding of "stubborn" does not come again.
inline absl::StatusOr<scenario::ShrinkResult> FakeShrink(const nlohmann::ordered_json& trace, int) {
  if (!trace.is_object() || !trace.contains("kind")) {
    return absl::InvalidArgumentError("/kind: is missing");
  }
  if (trace["scenario"] == "stubborn") return absl::FailedPreconditionError("it is gone");
  scenario::ShrinkResult result;
  result.kind = trace["kind"];
  result.message = "T1 waits";
  result.detail = "who waits, and why\n";
  result.before = {.operations = 9, .threads = 2, .turns = 1234, .switches = 8, .bytes = 4096};
  result.after = {.operations = 2, .threads = 1, .turns = 5, .switches = 0, .bytes = 1};
  const nlohmann::ordered_json threads = {{{"name", "t"}, {"ops", {{{"op", "sync"}}}}}};
  result.trace = {{"crashdep_trace", 1}, {"scenario", {{"threads", threads}}}};
  return result;
}

// A device of some bytes with the mark of ours, about which something is known.
inline absl::Status GiveImage(nlohmann::ordered_json json, scenario::ImageSink sink,
                              bool external_journal = false) {
  json.update({{"scenario", "s"},
               {"at_ns", 17},
               {"states", "8"},
               {"sound", true},
               {"verdicts", nlohmann::ordered_json::object()}});
  json["verdicts"]["stale_data"] = nlohmann::ordered_json::array({"a shows b"});
  json["verdicts"]["metadata"] = nlohmann::ordered_json::array();
  const auto write = [](std::ostream& file) {
    file << std::string(1024 + 0x68, 'x') << "crashdep";
  };
  scenario::StateImage image = {write, std::move(json)};
  if (external_journal) {
    image.write_journal = [write](std::ostream& file) {
      write(file);
      file << " log";
    };
  }
  return sink(image);
}

// There are states 0 to 7.
inline absl::Status FakeImage(const nlohmann::ordered_json& trace,
                              const std::optional<std::string>& number, scenario::ImageSink sink) {
  if (number.value_or("0") > "7") {
    return absl::InvalidArgumentError(scenario::Cat("no state ", *number));
  }
  return GiveImage({{"state", number.value_or("own")}}, sink, trace["kind"] == "external journal");
}

inline absl::StatusOr<int64_t> FakeImages(const scenario::Scenario&, const scenario::RunOptions&,
                                          int64_t count, scenario::ImageSink sink) {
  for (int64_t i = 0; i < count; ++i) {
    const absl::Status status = GiveImage({}, sink);
    if (!status.ok()) return status;
  }
  return count;
}

// Of a device of one sector, which "a" is written to.
inline absl::Status FakeLog(const nlohmann::ordered_json& trace, model::ExecutionLog& log) {
  if (!trace.contains("kind")) return absl::InvalidArgumentError("/kind: is missing");
  log.name = "s";
  log.layout.lengthens_journal = trace["kind"] == "stale_data";
  log.base = std::string(1024 + 0x68, 'x') + "crashdep";
  log.writes["a"] = {{.offset_bytes = 16, .size_bytes = 512, .tag = 0x2a}};
  log.bytes = {std::string(512, 'a'), "fsync-done a"};
  log.recording.entries = {{.size_bytes = 512, .flush = true, .fua = true, .data = log.bytes[0]},
                           {.mark = log.bytes[1]}};
  return absl::OkStatus();
}

class CommandTest : public testing::Test {
 protected:
  CommandTest() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    directory_ = testing::TempDir() + "crashdep_" + name;
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~CommandTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  // A file below the test's directory; its path.
  std::string Put(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name)) << content;
    return Path(name);
  }

  // A scenario with these models, expecting these findings.
  std::string PutScenario(const std::string& name, const std::string& models,
                          const std::string& expect, const std::string& policy = "{}") const {
    return Put(name + ".json",
               scenario::Cat(R"({"schema": 1, "name": ")", name, R"(", "models": )", models,
                             R"(, "threads": [{"name": "t", "ops": [{"op": "sync"}]}], "policy": )",
                             policy, R"(, "expect": )", expect, "}"));
  }

  std::string Get(const std::string& name) const {
    std::ifstream file(Path(name));
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
  }

  // Runs "crashdep ARGUMENTS..." and keeps what it writes.
  int Crashdep(const std::vector<std::string>& arguments) {
    const Backend backend = {{{"break_it", "Breaks it.", "nowhere"}},
                             FakeFits,
                             FakeRun,
                             FakeReplay,
                             FakeRecord,
                             FakeShrink,
                             FakeImage,
                             FakeImages,
                             FakeLog};
    std::vector<const char*> argv = {"crashdep"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::ostringstream out, err;
    const ExitCode code =
        RunCommandLine(static_cast<int>(argv.size()), argv.data(), backend, {out, err});
    out_ = out.str();
    err_ = err.str();
    return static_cast<int>(code);
  }

  std::string directory_;
  std::string out_, err_;  // of the last command
};

}  // namespace tools
