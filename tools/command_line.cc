#include "tools/command_line.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "model/scenario/nearest_name.h"
#include "model/scenario/text.h"
#include "tools/crash_command.h"
#include "tools/generate_command.h"
#include "tools/image_command.h"
#include "tools/lockdep_command.h"
#include "tools/log_command.h"
#include "tools/look_commands.h"
#include "tools/options.h"
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
constexpr char kTrace[] = "A file that run --traces or record wrote";
constexpr char kInstead[] = "Instead of the scenario's";

CLI::App& AddRun(CLI::App& app, RunArguments& run) {
  CLI::App& command = *app.add_subcommand("run", "Run scenarios and judge what they find");
  scenario::RunOptions& options = run.options;
  AddInput(command, "PATH", run.paths, kPaths);
  AddStrategy(command, "--strategy", kAllStrategies, options.strategy, kInstead);
  AddNumber(command, "--seed", options.seed, kInstead);
  AddNumber(command, "--executions", options.executions, kInstead)
      ->check(Between(1, 1'000'000'000));
  AddNumber(command, "--pct-depth", options.pct_depth, "Of pct, instead of the scenario's")
      ->check(Between(1, 16));
  AddNumber(command, "--max-preemptions", options.max_preemptions,
            "Of depth_first and dpor, instead of the scenario's")
      ->check(Between(0, 1'000'000));
  command.add_flag("--complete", options.complete,
                   "Run every execution that matters (dpor), until there are no more");
  AddNumber(command, "--time", options.max_seconds, "Cut each search off after N seconds")
      ->check(Between(1, 1'000'000));
  AddJobs(command, options.jobs);
  command.add_flag("!--no-races", options.races, "Do not look for data races");
  command.add_flag("!--no-confirm", options.confirms,
                   "Do not look for the deadlock of each lock cycle, or for the proof of none");
  command.add_flag("--guards", options.guards,
                   "Print which locks were held at the accesses to each field");
  command.add_flag("--coverage", options.coverage,
                   "Print what each search has come across, and how much of it was new of late");
  AddNumber(command, "--enumerate", options.enumerate,
            "Build each state of every crash family with up to N, and compare")
      ->check(Between(1, 100'000'000));
  command.add_flag("--all-cycles", run.all_cycles,
                   "List every lock cycle with its verdict, also those that cannot deadlock");
  AddPath(command, "--json", run.json, "Write the results as JSON", "FILE");
  AddPath(command, "--order", run.order, kOrder, "FILE");
  AddPath(command, "--suppress", run.suppressions, kSuppress, "FILE");
  AddLockOutputs(command, run.locks);
  AddPath(command, "--junit", run.junit, "Write the results as JUnit XML", "FILE");
  AddPath(
      command, "--checkpoint", run.checkpoint,
      "Keep each search there, also when --time, --executions or ^C cuts it off, and go on from "
      "what is kept",
      "DIR");
  AddPath(command, "--traces", run.traces, "Write a trace of each finding", "DIR");
  command.add_flag("!--no-shrink", run.shrinks,
                   "With --traces: do not make a small trace where a scenario fails");
  return command;
}

CLI::App& AddRecord(CLI::App& app, RecordArguments& record) {
  CLI::App& command =
      *app.add_subcommand("record", "Write down an execution in which nothing is found");
  AddInput(command, "SCENARIO", record.path, "A scenario file");
  AddOutput(command, record.trace, "The trace to write, for replay", "TRACE");
  AddNumber(command, "--seed", record.options.seed, kInstead);
  AddNumber(command, "--execution", record.execution,
            "Which one of the search (default: 0, the first)")
      ->check(Between(0, 1'000'000'000));
  return command;
}

CLI::App& AddShrink(CLI::App& app, ShrinkArguments& shrink) {
  CLI::App& command =
      *app.add_subcommand("shrink", "Make the scenario and the way of a finding small");
  AddInput(command, "TRACE", shrink.trace, "A file that run --traces wrote");
  AddOutput(command, shrink.output, "The smaller trace to write, for replay", "TRACE");
  AddJobs(command, shrink.jobs);
  return command;
}

CLI::App& AddReplay(CLI::App& app, ReplayArguments& replay) {
  CLI::App& command = *app.add_subcommand("replay", "Reproduce a finding or a recording");
  AddInput(command, "TRACE", replay.trace, kTrace);
  command.add_flag("--show", replay.show, "Print the run, a line for each event");
  AddPath(command, "--perfetto", replay.perfetto,
          "Write the run as trace-event JSON, for ui.perfetto.dev or chrome://tracing", "FILE");
  CLI::Option* then = AddStrategy(command, "--then", kSamples, replay.options.then,
                                  "How to go on where the trace does not agree any more");
  AddNumber(command, "--from", replay.options.from, "Go on so after turn N already")
      ->needs(then)
      ->check(Between(0, 1'000'000'000));
  AddNumber(command, "--seed", replay.options.seed, "For that; instead of the trace's")
      ->needs(then);
  AddLockOutputs(command, replay.locks);
  return command;
}

CLI::App& AddLockdep(CLI::App& app, LockdepArguments& lockdep) {
  CLI::App& command = *app.add_subcommand(
      "lockdep", "Check the locks of a real kernel, or tables of lock programs");
  AddInput(command, "FILE", lockdep.paths,
           "ftrace text with lock_acquire and lock_release events, /proc/lockdep, "
           "/proc/lockdep_chains; compressed or not; a directory of the last two; JSON with lock "
           "programs and what a kernel said to them. With --diff also scenarios, directories of "
           "them, and traces");
  AddPath(command, "--order", lockdep.order, kOrder, "FILE");
  AddPath(command, "--suppress", lockdep.suppressions, kSuppress, "FILE");
  AddLockOutputs(command, lockdep.outputs);
  command.add_flag("--reports", lockdep.show_reports,
                   "Print what is reported on each program of a table");
  command.add_flag("--diff", lockdep.diff,
                   "Compare two lock graphs; with --order, of the classes named there");
  AddPath(command, "--json", lockdep.json, "Write the reports, or the differences, as JSON",
          "FILE");
  return command;
}

CLI::App& AddImage(CLI::App& app, ImageArguments& image) {
  CLI::App& command =
      *app.add_subcommand("image", "Write a crash state of a trace as an ext4 image");
  AddInput(command, "TRACE", image.trace, kTrace);
  AddOutput(command, image.image,
            "The image to write; FILE.json says what is in it, FILE.journal is an external journal",
            "FILE");
  AddNumber(command, "--state", image.state,
            "Which one of the states possible then (default: the finding's own)");
  return command;
}

CLI::App& AddImages(CLI::App& app, ImagesArguments& images) {
  CLI::App& command =
      *app.add_subcommand("images", "Write a sample of a scenario's crash states as ext4 images");
  AddInput(command, "SCENARIO", images.path, "A scenario file");
  AddOutput(command, images.directory, "Where to write them", "DIR");
  AddNumber(command, "--count", images.count, "How many at most (default: 32)")
      ->check(Between(1, 1'000'000));
  AddNumber(command, "--seed", images.options.seed, kInstead);
  AddNumber(command, "--executions", images.options.executions,
            "Of how many executions (default: the scenario's, at most 8)")
      ->check(Between(1, 1'000'000'000));
  return command;
}

CLI::App& AddGenerate(CLI::App& app, GenerateArguments& generate) {
  CLI::App& command =
      *app.add_subcommand("generate", "Write all small workloads of a kind as scenarios, for run");
  AddNumber(command, "--ops", generate.space.operations, "Operations of each")
      ->required()
      ->check(Between(1, 3));
  AddNumber(command, "--files", generate.space.files, "Files that they work on (default: 1)")
      ->check(Between(1, 2));
  AddPath(command, "--like", generate.like,
          "A scenario whose file system, device, policy and search they have", "SCENARIO");
  command.add_option("--policy", generate.policies, "Rules to break, besides (see policies)")
      ->type_name("NAME");
  AddOutput(command, generate.directory, "Where to write them", "DIR");
  return command;
}

CLI::App& AddLog(CLI::App& app, LogArguments& log) {
  CLI::App& command = *app.add_subcommand(
      "log", "Write an execution's device writes as a log of dm-log-writes, for crash and others");
  AddInput(command, "TRACE", log.trace, kTrace);
  AddOutput(command, log.log,
            "The log to write; FILE.img is the device before, FILE.tags what was written", "FILE");
  return command;
}

CLI::App& AddCrash(CLI::App& app, CrashArguments& crash) {
  CLI::App& command = *app.add_subcommand(
      "crash", "Look for what a power cut could show, in a recording of a real kernel's writes");
  AddInput(command, "LOG", crash.log, "A log of dm-log-writes, compressed or not");
  command.add_option("--base", crash.base, "The ext4 device before the recording, likewise")
      ->required()
      ->type_name("IMAGE");
  command
      .add_option("--stale-pattern", crash.stale_pattern,
                  "What free blocks were filled with: a finding where a file shows it")
      ->type_name("TEXT");
  AddPath(
      command, "--tags", crash.tags,
      "What the workload wrote, a line \"PATH OFFSET LENGTH TAG\" for each write; anything else is "
      "a finding",
      "FILE");
  AddNumber(command, "--unit", crash.unit_bytes,
            "Bytes that the device writes whole or not at all (default: 512)")
      ->check(IsUnitSize());
  AddPath(command, "--json", crash.json, "Write the results as JSON", "FILE");
  AddPath(command, "-o,--output", crash.images, "Write the state of each finding as an image",
          "DIR");
  return command;
}

CLI::App& AddSchema(CLI::App& app, SchemaOf& of) {
  CLI::App& command = *app.add_subcommand("schema", "Print the JSON Schema of scenario files");
  command.add_flag_callback(
      "--order", [&of] { of = SchemaOf::kOrders; }, "Of files with documented lock orders instead");
  command
      .add_flag_callback(
          "--suppress", [&of] { of = SchemaOf::kSuppressions; },
          "Of files with known findings instead")
      ->excludes("--order");
  return command;
}

CLI::App& AddLook(CLI::App& app, const char* name, const char* about,
                  std::vector<std::string>& paths) {
  CLI::App& command = *app.add_subcommand(name, about);
  command.add_option("PATH", paths, kPaths)->type_name("");
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
  ExitCode exit_code = ExitCode::kAsExpected;
  RunArguments run;
  AddRun(app, run).callback([&] {
    if (run.options.guards && !run.options.races) {
      console.err << "crashdep: --guards needs what --no-races switches off\n";
      exit_code = ExitCode::kBadInput;
      return;
    }
    run.options.lock_stat = run.locks.proc.has_value();
    exit_code = RunCommand(run, backend, console);
  });
  RecordArguments record;
  AddRecord(app, record).callback([&] { exit_code = RecordCommand(record, backend, console); });
  ReplayArguments replay;
  AddReplay(app, replay).callback([&] { exit_code = ReplayCommand(replay, backend, console); });
  ShrinkArguments shrink;
  AddShrink(app, shrink).callback([&] { exit_code = ShrinkCommand(shrink, backend, console); });
  ImageArguments image;
  AddImage(app, image).callback([&] { exit_code = ImageCommand(image, backend, console); });
  ImagesArguments images;
  AddImages(app, images).callback([&] { exit_code = ImagesCommand(images, backend, console); });
  GenerateArguments generate;
  AddGenerate(app, generate).callback([&] {
    exit_code = GenerateCommand(generate, backend, console);
  });
  LogArguments log;
  AddLog(app, log).callback([&] { exit_code = LogCommand(log, backend, console); });
  CrashArguments crash;
  AddCrash(app, crash).callback([&] { exit_code = CrashCommand(crash, console); });
  std::vector<std::string> paths;
  CLI::App& check = AddLook(app, "check", "Say what is wrong with scenario files", paths);
  check.get_option("PATH")->required();
  check.callback([&] { exit_code = CheckCommand(paths, backend, console); });
  AddLook(app, "list", "Name scenarios and what they are for", paths).callback([&] {
    if (paths.empty()) paths = {"scenarios"};
    exit_code = ListCommand(paths, backend, console);
  });
  LockdepArguments lockdep;
  AddLockdep(app, lockdep).callback([&] { exit_code = LockdepCommand(lockdep, backend, console); });
  SchemaOf schema_of = SchemaOf::kScenarios;
  AddSchema(app, schema_of).callback([&] {
    exit_code = SchemaCommand(schema_of, backend, console);
  });
  app.add_subcommand("policies", "Name the policies a scenario may set")->callback([&] {
    exit_code = PoliciesCommand(backend, console);
  });
  if (argc > 1 && !IsCommand(app, argv[1])) return UnknownCommand(app, argv[1], console);
  try {
    app.parse(argc, argv);  // and runs the command
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      console.err << "crashdep: " << error.what() << "\nSee crashdep --help.\n";
      return ExitCode::kBadInput;
    }
    app.exit(error, console.out, console.err);  // asked for help
  }
  return exit_code;
}

}  // namespace tools
