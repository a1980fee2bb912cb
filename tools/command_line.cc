#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
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
#include "tools/crash_command.h"
#include "tools/generate_command.h"
#include "tools/image_command.h"
#include "tools/lockdep_command.h"
#include "tools/log_command.h"
#include "tools/look_commands.h"
#include "tools/record_command.h"
#include "tools/replay_command.h"
#include "tools/run_command.h"
#include "tools/shrink_command.h"

namespace tools {
namespace {

constexpr char kPurpose[] =
    "Simulates ext4's write paths and looks for deadlocks and for what a power cut can show.";
constexpr char kFooter[] =
    "Exit code: 0 as expected, 1 not as expected, 2 bad input, 3 a fault of crashdep itself.";
constexpr char kSuppress[] = "Known findings, which do not count; entries not needed do";
constexpr char kOrder[] = "Documented lock orders, to be held against those observed";
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

CLI::Validator UnitSize() {
  return CLI::Validator(
      [](std::string& text) {
        const bool good = text == "512" || text == "1024" || text == "2048" || text == "4096";
        return good ? "" : scenario::Cat("want 512, 1024, 2048 or 4096, got ", text);
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

// One that makes single executions.
CLI::Validator KnownSample() {
  return CLI::Validator(
      [](std::string& text) {
        static constexpr std::array<std::string_view, 5> kNames = {"timed", "random", "pct", "pos",
                                                                   "round_robin"};
        if (std::find(kNames.begin(), kNames.end(), text) != kNames.end()) return std::string();
        return scenario::Cat("want one of ", scenario::Join(kNames, ", "), ", got ", text,
                             scenario::Suggestion(text, kNames));
      },
      "");
}

// Requires: KnownStrategy.
scenario::StrategyKind StrategyNamed(const std::string& name) {
  const scenario::Names names = scenario::kStrategyNames;
  return static_cast<scenario::StrategyKind>(std::find(names.begin(), names.end(), name) -
                                             names.begin());
}

void AddLockOutputs(CLI::App& command, LockOutputs& outputs) {
  command
      .add_option("--proc", outputs.proc,
                  "Write the lock graph as lockdep, lockdep_chains and lockdep_stats, and how long "
                  "locks were waited for and held as lock_stat")
      ->type_name("DIR");
  command.add_option("--dot", outputs.dot, "Write the lock graph, or its cycles, for Graphviz")
      ->type_name("FILE");
  command.add_option("--svg", outputs.svg, "The same as a picture, drawn by Graphviz")
      ->type_name("FILE");
}

int AllCores() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

CLI::App* AddRun(CLI::App& app, RunArguments& run, std::string& strategy) {
  CLI::App* command = app.add_subcommand("run", "Run scenarios and judge what they find");
  scenario::RunOptions& options = run.options;
  options.jobs = AllCores();
  const auto number = [&](const char* name, auto& value, const char* about) {
    return command->add_option(name, value, about)->type_name("N");
  };
  const auto path = [&](const char* name, auto& value, const char* about, const char* what) {
    command->add_option(name, value, about)->type_name(what);
  };
  command->add_option("PATH", run.paths, kPaths)->required()->type_name("");
  command
      ->add_option(
          "--strategy", strategy,
          "Instead of the scenario's: timed, random, pct, pos, round_robin, depth_first, dpor")
      ->check(KnownStrategy())
      ->type_name("NAME");
  number("--seed", options.seed, "Instead of the scenario's");
  number("--executions", options.executions, "Instead of the scenario's")
      ->check(Between(1, 1'000'000'000));
  number("--pct-depth", options.pct_depth, "Of pct, instead of the scenario's")
      ->check(Between(1, 16));
  number("--max-preemptions", options.max_preemptions,
         "Of depth_first and dpor, instead of the scenario's")
      ->check(Between(0, 1'000'000));
  command->add_flag("--complete", options.complete,
                    "Run every execution that matters (dpor), until there are no more");
  number("--time", options.max_seconds, "Cut each search off after N seconds")
      ->check(Between(1, 1'000'000));
  number("--jobs", options.jobs, "Threads; changes no result (default: all cores)")
      ->check(Between(1, 1024));
  command->add_flag("!--no-races", options.races, "Do not look for data races");
  command->add_flag("!--no-confirm", options.confirms,
                    "Do not look for the deadlock of each lock cycle, or for the proof of none");
  command->add_flag("--guards", options.guards,
                    "Print which locks were held at the accesses to each field");
  command->add_flag("--coverage", options.coverage,
                    "Print what each search has come across, and how much of it was new of late");
  number("--enumerate", options.enumerate,
         "Build each state of every crash family with up to N, and compare")
      ->check(Between(1, 100'000'000));
  command->add_flag("--all-cycles", run.all_cycles,
                    "List every lock cycle with its verdict, also those that cannot deadlock");
  path("--json", run.json, "Write the results as JSON", "FILE");
  path("--order", run.order, kOrder, "FILE");
  path("--suppress", run.suppressions, kSuppress, "FILE");
  AddLockOutputs(*command, run.locks);
  path("--junit", run.junit, "Write the results as JUnit XML", "FILE");
  path("--checkpoint", run.checkpoint,
       "Keep each search there, also when --time, --executions or ^C cuts it off, and go on from "
       "what is kept",
       "DIR");
  path("--traces", run.traces, "Write a trace of each finding", "DIR");
  command->add_flag("!--no-shrink", run.shrinks,
                    "With --traces: do not make a small trace where a scenario fails");
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

CLI::App* AddShrink(CLI::App& app, ShrinkArguments& shrink) {
  CLI::App* command =
      app.add_subcommand("shrink", "Make the scenario and the way of a finding small");
  command->add_option("TRACE", shrink.trace, "A file that run --traces wrote")
      ->required()
      ->type_name("");
  command->add_option("-o,--output", shrink.output, "The smaller trace to write, for replay")
      ->required()
      ->type_name("TRACE");
  shrink.jobs = AllCores();
  command->add_option("--jobs", shrink.jobs, "Threads; changes no result (default: all cores)")
      ->check(Between(1, 1024))
      ->type_name("N");
  return command;
}

CLI::App* AddReplay(CLI::App& app, ReplayArguments& replay, std::string& strategy) {
  CLI::App* command = app.add_subcommand("replay", "Reproduce a finding or a recording");
  command->add_option("TRACE", replay.trace, "A file that run --traces or record wrote")
      ->required()
      ->type_name("");
  command->add_flag("--show", replay.show, "Print the run, a line for each event");
  command
      ->add_option("--perfetto", replay.perfetto,
                   "Write the run as trace-event JSON, for ui.perfetto.dev or chrome://tracing")
      ->type_name("FILE");
  CLI::Option* then =
      command
          ->add_option("--then", strategy,
                       "How to go on where the trace does not agree any more: timed, random, pct, "
                       "pos, round_robin")
          ->check(KnownSample())
          ->type_name("NAME");
  command->add_option("--from", replay.options.from, "Go on so after turn N already")
      ->needs(then)
      ->check(Between(0, 1'000'000'000))
      ->type_name("N");
  command->add_option("--seed", replay.options.seed, "For that; instead of the trace's")
      ->needs(then)
      ->type_name("N");
  AddLockOutputs(*command, replay.locks);
  return command;
}

CLI::App* AddLockdep(CLI::App& app, LockdepArguments& lockdep) {
  CLI::App* command =
      app.add_subcommand("lockdep", "Check the locks of a real kernel, or tables of lock programs");
  command
      ->add_option("FILE", lockdep.paths,
                   "ftrace text with lock_acquire and lock_release events, /proc/lockdep, "
                   "/proc/lockdep_chains; compressed or not; a directory of the last two; JSON "
                   "with lock programs and what a kernel said to them. With --diff also "
                   "scenarios, directories of them, and traces")
      ->required()
      ->type_name("");
  command->add_option("--order", lockdep.order, kOrder)->type_name("FILE");
  command->add_option("--suppress", lockdep.suppressions, kSuppress)->type_name("FILE");
  AddLockOutputs(*command, lockdep.outputs);
  command->add_flag("--reports", lockdep.show_reports,
                    "Print what is reported on each program of a table");
  command->add_flag("--diff", lockdep.diff,
                    "Compare two lock graphs; with --order, of the classes named there");
  command->add_option("--json", lockdep.json, "Write the reports, or the differences, as JSON")
      ->type_name("FILE");
  return command;
}

CLI::App* AddImage(CLI::App& app, ImageArguments& image) {
  CLI::App* command =
      app.add_subcommand("image", "Write a crash state of a trace as an ext4 image");
  command->add_option("TRACE", image.trace, "A file that run --traces or record wrote")
      ->required()
      ->type_name("");
  command
      ->add_option("-o,--output", image.image, "The image to write; FILE.json says what is in it")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--state", image.state,
                   "Which one of the states possible then (default: the finding's own)")
      ->type_name("N");
  return command;
}

CLI::App* AddImages(CLI::App& app, ImagesArguments& images) {
  CLI::App* command =
      app.add_subcommand("images", "Write a sample of a scenario's crash states as ext4 images");
  command->add_option("SCENARIO", images.path, "A scenario file")->required()->type_name("");
  command->add_option("-o,--output", images.directory, "Where to write them")
      ->required()
      ->type_name("DIR");
  command->add_option("--count", images.count, "How many at most (default: 32)")
      ->check(Between(1, 1'000'000))
      ->type_name("N");
  command->add_option("--seed", images.options.seed, "Instead of the scenario's")->type_name("N");
  command
      ->add_option("--executions", images.options.executions,
                   "Of how many executions (default: the scenario's, at most 8)")
      ->check(Between(1, 1'000'000'000))
      ->type_name("N");
  return command;
}

CLI::App* AddGenerate(CLI::App& app, GenerateArguments& generate) {
  CLI::App* command =
      app.add_subcommand("generate", "Write all small workloads of a kind as scenarios, for run");
  command->add_option("--ops", generate.space.operations, "Operations of each")
      ->required()
      ->check(Between(1, 3))
      ->type_name("N");
  command->add_option("--files", generate.space.files, "Files that they work on (default: 1)")
      ->check(Between(1, 2))
      ->type_name("N");
  command
      ->add_option("--like", generate.like,
                   "A scenario whose file system, device, policy and search they have")
      ->type_name("SCENARIO");
  command->add_option("--policy", generate.policies, "Rules to break, besides (see policies)")
      ->type_name("NAME");
  command->add_option("-o,--output", generate.directory, "Where to write them")
      ->required()
      ->type_name("DIR");
  return command;
}

CLI::App* AddLog(CLI::App& app, LogArguments& log) {
  CLI::App* command = app.add_subcommand(
      "log", "Write an execution's device writes as a log of dm-log-writes, for crash and others");
  command->add_option("TRACE", log.trace, "A file that run --traces or record wrote")
      ->required()
      ->type_name("");
  command
      ->add_option("-o,--output", log.log,
                   "The log to write; FILE.img is the device before, FILE.tags what was written")
      ->required()
      ->type_name("FILE");
  return command;
}

CLI::App* AddCrash(CLI::App& app, CrashArguments& crash) {
  CLI::App* command = app.add_subcommand(
      "crash", "Look for what a power cut could show, in a recording of a real kernel's writes");
  command->add_option("LOG", crash.log, "A log of dm-log-writes, compressed or not")
      ->required()
      ->type_name("");
  command->add_option("--base", crash.base, "The ext4 device before the recording, likewise")
      ->required()
      ->type_name("IMAGE");
  command
      ->add_option("--stale-pattern", crash.stale_pattern,
                   "What free blocks were filled with: a finding where a file shows it")
      ->type_name("TEXT");
  command
      ->add_option("--tags", crash.tags,
                   "What the workload wrote, a line \"PATH OFFSET LENGTH TAG\" for each write; "
                   "anything else is a finding")
      ->type_name("FILE");
  command
      ->add_option("--unit", crash.unit_bytes,
                   "Bytes that the device writes whole or not at all (default: 512)")
      ->check(UnitSize())
      ->type_name("N");
  command->add_option("--json", crash.json, "Write the results as JSON")->type_name("FILE");
  command->add_option("-o,--output", crash.images, "Write the state of each finding as an image")
      ->type_name("DIR");
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
  CLI::App* run_command = AddRun(app, run, strategy);
  RecordArguments record;
  CLI::App* record_command = AddRecord(app, record);
  ReplayArguments replay;
  CLI::App* replay_command = AddReplay(app, replay, strategy);
  ShrinkArguments shrink;
  CLI::App* shrink_command = AddShrink(app, shrink);
  ImageArguments image;
  CLI::App* image_command = AddImage(app, image);
  ImagesArguments images;
  CLI::App* images_command = AddImages(app, images);
  GenerateArguments generate;
  CLI::App* generate_command = AddGenerate(app, generate);
  LogArguments log;
  CLI::App* log_command = AddLog(app, log);
  CrashArguments crash;
  CLI::App* crash_command = AddCrash(app, crash);
  CLI::App* check = AddPaths(app, "check", "Say what is wrong with scenario files", paths);
  check->get_option("PATH")->required();
  CLI::App* list = AddPaths(app, "list", "Name scenarios and what they are for", paths);
  LockdepArguments locks;
  CLI::App* lockdep = AddLockdep(app, locks);
  bool schema_of_orders = false, schema_of_suppressions = false;
  CLI::App* schema = app.add_subcommand("schema", "Print the JSON Schema of scenario files");
  schema->add_flag("--order", schema_of_orders, "Of files with documented lock orders instead");
  schema->add_flag("--suppress", schema_of_suppressions, "Of files with known findings instead")
      ->excludes("--order");
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
    if (run.options.guards && !run.options.races) {
      console.err << "crashdep: --guards needs what --no-races switches off\n";
      return ExitCode::kBadInput;
    }
    if (!strategy.empty()) run.options.strategy = StrategyNamed(strategy);
    run.options.lock_stat = run.locks.proc.has_value();
    return RunCommand(run, backend, console);
  }
  if (record_command->parsed()) return RecordCommand(record, backend, console);
  if (replay_command->parsed()) {
    if (!strategy.empty()) replay.options.then = StrategyNamed(strategy);
    return ReplayCommand(std::move(replay), backend, console);
  }
  if (shrink_command->parsed()) return ShrinkCommand(shrink, backend, console);
  if (image_command->parsed()) return ImageCommand(image, backend, console);
  if (images_command->parsed()) return ImagesCommand(images, backend, console);
  if (generate_command->parsed()) return GenerateCommand(generate, backend, console);
  if (log_command->parsed()) return LogCommand(log, backend, console);
  if (crash_command->parsed()) return CrashCommand(crash, console);
  if (check->parsed()) return CheckCommand(paths, backend, console);
  if (list->parsed()) {
    if (paths.empty()) paths = {"scenarios"};
    return ListCommand(paths, backend, console);
  }
  if (lockdep->parsed()) return LockdepCommand(locks, backend, console);
  if (schema->parsed()) {
    return SchemaCommand(schema_of_orders         ? SchemaOf::kOrders
                         : schema_of_suppressions ? SchemaOf::kSuppressions
                                                  : SchemaOf::kScenarios,
                         backend, console);
  }
  SIM_CHECK(policies->parsed());
  return PoliciesCommand(backend, console);
}

}  // namespace tools
