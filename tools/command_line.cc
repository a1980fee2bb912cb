#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "model/scenario/nearest_name.h"
#include "model/scenario/scenario.h"
#include "sim/check.h"
#include "tools/lockdep_command.h"
#include "tools/look_commands.h"
#include "tools/replay_command.h"
#include "tools/run_command.h"

namespace tools {
namespace {

constexpr char kPurpose[] =
    "Simulates ext4's write paths and looks for deadlocks and for what a power cut can show.";
constexpr char kFooter[] =
    "Exit code: 0 as expected, 1 not as expected, 2 bad input, 3 a fault of crashdep itself.";
constexpr char kPaths[] = "Scenario files; a directory means every *.json below it";

CLI::App* AddRun(CLI::App& app, RunArguments& run) {
  CLI::App* command = app.add_subcommand("run", "Run scenarios and judge what they find");
  scenario::RunOptions& options = run.options;
  options.jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  command->add_option("PATH", run.paths, kPaths)->required()->type_name("");
  std::map<std::string, scenario::StrategyKind> strategies;
  for (size_t i = 0; i < scenario::kStrategyNames.size(); ++i) {
    strategies.emplace(scenario::kStrategyNames[i], static_cast<scenario::StrategyKind>(i));
  }
  command->add_option("--strategy", options.strategy, "Instead of the scenario's")
      ->transform(CLI::CheckedTransformer(strategies))
      ->type_name("{timed,random}");
  command->add_option("--seed", options.seed, "Instead of the scenario's")->type_name("N");
  command->add_option("--executions", options.executions, "Instead of the scenario's")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}))
      ->type_name("N");
  command->add_option("--jobs", options.jobs, "Threads; changes no result (default: all cores)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  command->add_option("--json", run.json, "Write the results as JSON")->type_name("FILE");
  command->add_option("--junit", run.junit, "Write the results as JUnit XML")->type_name("FILE");
  command->add_option("--traces", run.traces, "Write a trace of each finding")->type_name("DIR");
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
  std::vector<std::string> paths;
  std::string trace;
  CLI::App* run_command = AddRun(app, run);
  CLI::App* replay = app.add_subcommand("replay", "Reproduce a finding from its trace");
  replay->add_option("TRACE", trace, "A file that run --traces wrote")->required()->type_name("");
  CLI::App* check = AddPaths(app, "check", "Say what is wrong with scenario files", paths);
  check->get_option("PATH")->required();
  CLI::App* list = AddPaths(app, "list", "Name scenarios and what they are for", paths);
  CLI::App* lockdep = app.add_subcommand("lockdep", "Check lock traces of a real kernel");
  lockdep->add_option("TRACE", paths, "ftrace text with lock_acquire and lock_release events")
      ->required()
      ->type_name("");
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
  if (run_command->parsed()) return RunCommand(run, backend, console);
  if (replay->parsed()) return ReplayCommand(trace, backend, console);
  if (check->parsed()) return CheckCommand(paths, backend, console);
  if (list->parsed()) {
    if (paths.empty()) paths = {"scenarios"};
    return ListCommand(paths, backend, console);
  }
  if (lockdep->parsed()) return LockdepCommand(paths, console);
  if (schema->parsed()) return SchemaCommand(backend, console);
  SIM_CHECK(policies->parsed());
  return PoliciesCommand(backend, console);
}

}  // namespace tools
