#include "tools/lock_output.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string_view>
#include <vector>

#include "model/scenario/text.h"
#include "sim/lockdep/dot.h"
#include "sim/lockdep/proc.h"
#include "tools/output_file.h"

namespace tools {
namespace {

using scenario::Cat;

// Classes of the model that a kernel's checker has no idea of.
constexpr std::array<std::string_view, 4> kUnseen = {"folio lock", "PG_writeback", "BH_", "JI_"};

absl::Status WriteProc(const sim::Validator& locks, const sim::LockStat* stat,
                       const std::string& directory) {
  absl::Status status = MakeDirectory(directory);
  if (status.ok()) status = WriteOutput(directory + "/lockdep", sim::RenderLockdepClasses(locks));
  if (status.ok()) {
    status = WriteOutput(directory + "/lockdep_chains", sim::RenderLockdepChains(locks));
  }
  if (status.ok())
    status = WriteOutput(directory + "/lockdep_stats", sim::RenderLockdepStats(locks));
  if (status.ok() && stat != nullptr) {
    status = WriteOutput(directory + "/lock_stat", sim::RenderLockStat(*stat));
  }
  return status;
}

// Runs Graphviz on the text in the file `dot`.
absl::Status Draw(const std::string& dot, const std::string& svg) {
  const std::array<std::string, 5> words = {"dot", "-Tsvg", "-o", svg, dot};
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawnp(&pid, "dot", nullptr, nullptr, argv.data(), environ) != 0) {
    return absl::NotFoundError(
        Cat(svg, ": cannot be drawn: no program \"dot\"; install Graphviz, or use --dot"));
  }
  int status = 0;
  if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return absl::OkStatus();
  }
  return absl::InternalError(Cat(svg, ": cannot be drawn: dot failed"));
}

absl::Status WriteSvg(const std::string& text, const std::string& svg) {
  const std::string dot = svg + ".dot";
  absl::Status status = WriteOutput(dot, text);
  if (!status.ok()) return status;
  status = Draw(dot, svg);
  std::error_code ignored;
  std::filesystem::remove(dot, ignored);
  return status;
}

}  // namespace

absl::Status WriteLocks(const sim::Validator& locks, const sim::LockStat* stat,
                        const LockOutputs& outputs) {
  std::vector<std::string> failures;
  const auto note = [&](const absl::Status& status) {
    if (!status.ok()) failures.emplace_back(status.message());
  };
  if (outputs.proc) note(WriteProc(locks, stat, *outputs.proc));
  if (outputs.dot || outputs.svg) {
    const std::string text = sim::RenderDot(locks, kUnseen);
    if (outputs.dot) note(WriteOutput(*outputs.dot, text));
    if (outputs.svg) note(WriteSvg(text, *outputs.svg));
  }
  if (failures.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(scenario::Join(failures, "\n"));
}

}  // namespace tools
