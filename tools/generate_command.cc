#include "tools/generate_command.h"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string_view>
#include <system_error>
#include <utility>

#include "model/scenario/brief.h"
#include "model/scenario/nearest_name.h"
#include "model/scenario/schema.h"
#include "model/scenario/text.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"
#include "tools/bad_input.h"
#include "tools/load_scenario.h"
#include "tools/output_file.h"
#include "tools/text_report.h"

namespace tools {
namespace {

using scenario::Cat;
using scenario::Scenario;

absl::Status SetPolicy(const std::string& name, const Backend& backend, Scenario& like) {
  std::vector<std::string_view> known;
  for (const scenario::PolicyField& policy : backend.policies) known.push_back(policy.name);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    return absl::InvalidArgumentError(Cat("--policy: there is no policy ", scenario::Quoted(name),
                                          scenario::Suggestion(name, known)));
  }
  std::erase_if(like.policy, [&](const auto& policy) { return policy.first == name; });
  like.policy.emplace_back(name, true);
  return absl::OkStatus();
}

absl::StatusOr<Scenario> Pattern(const GenerateArguments& arguments, const Backend& backend) {
  Scenario like;
  if (arguments.like) {
    auto loaded = LoadScenario(*arguments.like, backend);
    if (!loaded.ok()) return loaded;
    like = *std::move(loaded);
  }
  if (like.program.has_value()) {
    return absl::InvalidArgumentError(
        Cat(*arguments.like, ": a lock program has no file system to work on"));
  }
  for (const std::string& name : arguments.policies) {
    if (absl::Status status = SetPolicy(name, backend, like); !status.ok()) return status;
  }
  return like;
}

absl::Status MakeEmptyDirectory(const std::string& path) {
  if (absl::Status status = MakeDirectory(path); !status.ok()) return status;
  std::error_code error;
  if (std::filesystem::is_empty(path, error) && !error) return absl::OkStatus();
  return absl::InvalidArgumentError(Cat(path, ": is not empty; it is left alone"));
}

}  // namespace

ExitCode GenerateCommand(const GenerateArguments& arguments, const Backend& backend,
                         Console console) {
  const absl::StatusOr<Scenario> like = Pattern(arguments, backend);
  if (!like.ok()) return Refuse(like.status(), console);
  if (absl::Status status = MakeEmptyDirectory(arguments.directory); !status.ok()) {
    return Refuse(status, console);
  }
  const nlohmann::ordered_json schema = scenario::JsonSchema(backend.policies);
  const uint64_t count = arguments.space.Count();
  for (uint64_t i = 0; i < count; ++i) {
    const Scenario made = arguments.space.Make(i, *like);
    const absl::Status written =
        WriteOutput(Cat(arguments.directory, "/", made.name, ".json"),
                    scenario::LaidOut(scenario::WithoutDefaults(ToJson(made), schema)) + "\n");
    if (!written.ok()) return Refuse(written, console);
  }
  console.out << Grouped(std::to_string(count)) << " workloads\n\n"
              << "run them: crashdep run " << arguments.directory << "\n";
  return ExitCode::kAsExpected;
}

}  // namespace tools
