#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>

#include "model/scenario/execution_log.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/runner.h"
#include "model/scenario/shrink.h"
#include "tools/backend.h"
#include "tools/command_line.h"

namespace {

tools::Backend RealBackend() {
  tools::Backend backend;
  backend.policies = scenario::ModelPolicies();
  backend.fits = scenario::CheckFits;
  backend.run = scenario::RunKeptScenario;
  backend.replay = scenario::ReplayTrace;
  backend.record = scenario::RecordExecution;
  backend.shrink = scenario::ShrinkTrace;
  backend.log = scenario::LogTrace;
  backend.image = scenario::MakeTraceImage;
  backend.images = scenario::MakeSampleImages;
  return backend;
}

}  // namespace

int main(int argc, char** argv) {
  const bool color = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  const bool progress = isatty(STDERR_FILENO) != 0;
  const tools::Console console{std::cout, std::cerr, color, progress};
  try {
    return static_cast<int>(tools::RunCommandLine(argc, argv, RealBackend(), console));
  } catch (const std::exception& error) {
    std::cerr << "crashdep: fault of crashdep itself: " << error.what() << "\n";
    return static_cast<int>(tools::ExitCode::kOwnFault);
  }
}
