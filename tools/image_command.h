// crashdep image, crashdep images: crash states as ext4 images, which e2fsck and Linux open.
//
// Beside each image, in a file of its name and ".json", lies what is known of it
// (model/scenario/images.h); and if the journal has a device of its own, that in a file of its name
// and ".journal".
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/scenario/runner.h"
#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

struct ImageArguments {
  std::string trace;
  std::optional<std::string> state;  // its number; by default the finding's own
  std::string image;                 // where to write
};

// kBadInput, and nothing written, if there is no such state, or `image` is there and is not one of
// ours.
ExitCode ImageCommand(const ImageArguments& arguments, const Backend& backend, Console console);

struct ImagesArguments {
  std::string path;       // a scenario file
  std::string directory;  // where to write: NAME-0001.img, ...
  int64_t count = 32;
  scenario::RunOptions options;
};

// kBadInput for a bad scenario, and for a place that cannot be written.
ExitCode ImagesCommand(const ImagesArguments& arguments, const Backend& backend, Console console);

// Fails if `path` is there and is not an image of crashdep.
absl::Status CheckIsOurImage(const std::string& path);

}  // namespace tools
