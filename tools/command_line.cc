#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "model/scenario/fields.h"
#include "model/scenario/nearest_name.h"
#include "model/scenario/scenario.h"
#include "model/scenario/text.h"
#include "sim/check.h"
#include "tools/lockdep_command.h"
#include "tools/look_commands.h"
#include "tools/record_command.h"
#include "tools/replay_command.h"
#include "tools/run_command.h"

namespace tools {
namespace {

constexpr char kPurpose[] =
    "Simulates ext4's write paths and looks for deadlocks and for what a power cut can show.";
constexpr char kFooter[] =
    "Exit code: 0 as expected, 1 not as expected, 2 bad input, 3 a fault of crashdep itself.";
constexpr char kPaths[] = "Scenario files; a directory means every *.json below it";

// What an option's text must be; CLI11's own checks fill the help with how they are made.
CLI::Validator Between(int64_t min, int64_t max) {
  return CLI::Validator(
      [=](std::string& text) {
        int64_t value = 0;
        const bool good = absl::SimpleAtoi(text, &value) && value >= min && value <= max;
        return good ? "" : scenario::Cat("want a number from ", min, " to ", max, ", got ", text);
      },
      "");
}

CLI::Validator KnownStrategy() {
  return CLI::Validator(
      [](std::string& text) {
        const scenario::Names names = scenario::kStrategyNames;
        if (std::find(names.begin(), names.end(), text) != names.end()) return std::string();
        return scenario::Cat("want one of ", scenario::Join(names, ", "), ", got ", text,
                             scenario::Suggestion(text, names));
      },
      "");
}

// Requires: KnownStrategy.
scenario::StrategyKind StrategyNamed(const std::string& name) {
  const scenario::Names names = scenario::kStrategyNames;
  return static_cast<scenario::StrategyKind>(std::find(names.begin(), names.end(), name) -
                                             names.begin());
}

CLI::App* AddRun(CLI::App& app, RunArguments& run, std::string& strategy) {
  CLI::App* command = app.add_subcommand("run", "Run scenarios and judge what they find");
  scenario::RunOptions& options = run.options;
  options.jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const auto number = [&](const char* name, auto& value, const char* about) {
    return command->add_option(name, value, about)->type_name("N");
  };
  const auto path = [&](const char* name, auto& value, const char* about, const char* what) {
    command->add_option(name, value, about)->type_name(what);
  };
  command->add_option("PATH", run.paths, kPaths)->required()->type_name("");
  command->add_option("--strategy", strategy, "timed or random; instead of the scenario's")
      ->check(KnownStrategy())
      ->type_name("NAME");
  number("--seed", options.seed, "Instead of the scenario's");
  number("--executions", options.executions, "Instead of the scenario's")
      ->check(Between(1, 1'000'000'000));
  number("--jobs", options.jobs, "Threads; changes no result (default: all cores)")
      ->check(Between(1, 1024));
  path("--json", run.json, "Write the results as JSON", "FILE");
  path("--junit", run.junit, "Write the results as JUnit XML", "FILE");
  path("--traces", run.traces, "Write a trace of each finding", "DIR");
  return command;
}

CLI::App* AddRecord(CLI::App& app, RecordArguments& record) {
  CLI::App* command =
      app.add_subcommand("record", "Write down an execution in which nothing is found");
  command->add_option("SCENARIO", record.path, "A scenario file")->required()->type_name("");
  command->add_option("-o,--output", record.trace, "The trace to write, for replay")
      ->required()
      ->type_name("TRACE");
  command->add_option("--seed", record.options.seed, "Instead of the scenario's")->type_name("N");
  command
      ->add_option("--execution", record.execution,
                   "Which one of the search (default: 0, the first)")
      ->check(Between(0, 1'000'000'000))
      ->type_name("N");
  return command;
}

CLI::App* AddPaths(CLI::App& app, const char* name, const char* about,
                   std::vector<std::string>& paths) {
  CLI::App* command = app.add_subcommand(name, about);
  command->add_option("PATH", paths, kPaths)->type_name("");
  return command;
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

// True for options as well: what is wrong with them, the parser says.
bool IsCommand(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = CommandNames(app);
  return word.starts_with("-") || std::find(names.begin(), names.end(), word) != names.end();
}

ExitCode UnknownCommand(const CLI::App& app, const std::string& word, Console console) {
  const std::vector<std::string> names = CommandNames(app);
  const std::vector<std::string_view> known(names.begin(), names.end());
  console.err << "crashdep: no such command: " << scenario::Quoted(word)
              << scenario::Suggestion(word, known) << "\nSee crashdep --help.\n";
  return ExitCode::kBadInput;
}

}  // namespace

ExitCode RunCommandLine(int argc, const char* const* argv, const Backend& backend,
                        Console console) {
  CLI::App app(kPurpose, "crashdep");
  app.footer(kFooter);
  app.require_subcommand(1);
  RunArguments run;
  std::string strategy;
  std::vector<std::string> paths;
  std::string trace;
  CLI::App* run_command = AddRun(app, run, strategy);
  RecordArguments record;
  CLI::App* record_command = AddRecord(app, record);
  CLI::App* replay = app.add_subcommand("replay", "Reproduce a finding or a recording");
  replay->add_option("TRACE", trace, "A file that run --traces or record wrote")
      ->required()
      ->type_name("");
  CLI::App* check = AddPaths(app, "check", "Say what is wrong with scenario files", paths);
  check->get_option("PATH")->required();
  CLI::App* list = AddPaths(app, "list", "Name scenarios and what they are for", paths);
  CLI::App* lockdep = app.add_subcommand(
      "lockdep", "Check the lock order that a real kernel recorded, or tables of lock programs");
  lockdep
      ->add_option("FILE", paths,
                   "ftrace text with lock_acquire and lock_release events, /proc/lockdep, "
                   "/proc/lockdep_chains, compressed or not; or JSON with lock programs and what a "
                   "kernel said to them")
      ->required()
      ->type_name("");
  bool show_reports = false;
  lockdep->add_flag("--reports", show_reports, "Print what is reported on each program of a table");
  CLI::App* schema = app.add_subcommand("schema", "Print the JSON Schema of scenario files");
  CLI::App* policies = app.add_subcommand("policies", "Name the policies a scenario may set");
  if (argc > 1 && !IsCommand(app, argv[1])) return UnknownCommand(app, argv[1], console);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // asked for help
      app.exit(error, console.out, console.err);
      return ExitCode::kAsExpected;
    }
    console.err << "crashdep: " << error.what() << "\nSee crashdep --help.\n";
    return ExitCode::kBadInput;
  }
  if (run_command->parsed()) {
    if (!strategy.empty()) run.options.strategy = StrategyNamed(strategy);
    return RunCommand(run, backend, console);
  }
  if (record_command->parsed()) return RecordCommand(record, backend, console);
  if (replay->parsed()) return ReplayCommand(trace, backend, console);
  if (check->parsed()) return CheckCommand(paths, backend, console);
  if (list->parsed()) {
    if (paths.empty()) paths = {"scenarios"};
    return ListCommand(paths, backend, console);
  }
  if (lockdep->parsed()) return LockdepCommand(paths, show_reports, console);
  if (schema->parsed()) return SchemaCommand(backend, console);
  SIM_CHECK(policies->parsed());
  return PoliciesCommand(backend, console);
}

}  // namespace tools
