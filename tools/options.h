// The options of a command, by kind: what the help calls their values, and what these must be. What
// several commands have is the same in all of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "model/scenario/fields.h"
#include "model/scenario/scenario.h"
#include "tools/lock_output.h"

namespace tools {

// What the text of an option must be; CLI11's own checks fill the help with how they are made.
CLI::Validator Between(int64_t min, int64_t max);
CLI::Validator IsUnitSize();  // of a device: 512, 1024, 2048 or 4096

// What the command works on, `what` in the help.
template <class T>
void AddInput(CLI::App& command, const char* what, T& value, const char* about) {
  command.add_option(what, value, about)->required()->type_name("");
}

// Where it writes, and must be told so.
void AddOutput(CLI::App& command, std::string& path, const char* about, const char* what);

// Another file or directory.
template <class T>
void AddPath(CLI::App& command, const char* name, T& path, const char* about, const char* what) {
  command.add_option(name, path, about)->type_name(what);
}

template <class T>
CLI::Option* AddNumber(CLI::App& command, const char* name, T& value, const char* about) {
  return command.add_option(name, value, about)->type_name("N");
}

// How many threads; by default what the machine has.
void AddJobs(CLI::App& command, int& jobs);

inline constexpr scenario::Names kAllStrategies = scenario::kStrategyNames;
// Those that make single executions: the systematic ones come last.
inline constexpr scenario::Names kSamples =
    kAllStrategies.first(static_cast<size_t>(scenario::StrategyKind::kDepthFirst));

// One of `names`, which the help lists after `about`.
CLI::Option* AddStrategy(CLI::App& command, const char* name, scenario::Names names,
                         std::optional<scenario::StrategyKind>& value, const char* about);

void AddLockOutputs(CLI::App& command, LockOutputs& outputs);

}  // namespace tools
