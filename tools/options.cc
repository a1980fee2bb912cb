#include "tools/options.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "model/scenario/nearest_name.h"
#include "model/scenario/text.h"
#include "tools/search_pool.h"

namespace tools {
namespace {

using scenario::Cat;

CLI::Validator IsOneOf(scenario::Names names) {
  return CLI::Validator(
      [=](std::string& text) {
        if (std::find(names.begin(), names.end(), text) != names.end()) return std::string();
        return Cat("want one of ", scenario::Join(names, ", "), ", got ", text,
                   scenario::Suggestion(text, names));
      },
      "");
}

}  // namespace

CLI::Validator Between(int64_t min, int64_t max) {
  return CLI::Validator(
      [=](std::string& text) {
        int64_t value = 0;
        const bool good = absl::SimpleAtoi(text, &value) && value >= min && value <= max;
        return good ? "" : Cat("want a number from ", min, " to ", max, ", got ", text);
      },
      "");
}

CLI::Validator IsUnitSize() {
  return CLI::Validator(
      [](std::string& text) {
        const bool good = text == "512" || text == "1024" || text == "2048" || text == "4096";
        return good ? "" : Cat("want 512, 1024, 2048 or 4096, got ", text);
      },
      "");
}

void AddOutput(CLI::App& command, std::string& path, const char* about, const char* what) {
  command.add_option("-o,--output", path, about)->required()->type_name(what);
}

void AddJobs(CLI::App& command, int& jobs) {
  jobs = AllCores();
  AddNumber(command, "--jobs", jobs, "Threads; changes no result (default: all cores)")
      ->check(Between(1, 1024));
}

CLI::Option* AddStrategy(CLI::App& command, const char* name, scenario::Names names,
                         std::optional<scenario::StrategyKind>& value, const char* about) {
  const auto take = [&value](const std::string& text) {
    const auto at = std::find(kAllStrategies.begin(), kAllStrategies.end(), text);
    value = static_cast<scenario::StrategyKind>(at - kAllStrategies.begin());
  };
  return command
      .add_option_function<std::string>(name, take, Cat(about, ": ", scenario::Join(names, ", ")))
      ->check(IsOneOf(names))
      ->type_name("NAME");
}

void AddLockOutputs(CLI::App& command, LockOutputs& outputs) {
  AddPath(command, "--proc", outputs.proc,
          "Write the lock graph as lockdep, lockdep_chains and lockdep_stats, and how long locks "
          "were waited for and held as lock_stat",
          "DIR");
  AddPath(command, "--dot", outputs.dot, "Write the lock graph, or its cycles, for Graphviz",
          "FILE");
  AddPath(command, "--svg", outputs.svg, "The same as a picture, drawn by Graphviz", "FILE");
}

}  // namespace tools
