#include "tools/image_command.h"

#include <ostream>
#include <utility>

#include "absl/strings/str_format.h"
#include "model/scenario/text.h"
#include "tools/bad_input.h"
#include "tools/load_scenario.h"
#include "tools/output_file.h"
#include "tools/trace_document.h"

namespace tools {
namespace {

using scenario::Cat;
using scenario::StateImage;

// The image, that of the journal's device if it has one, and what is known of them.
absl::Status WriteFiles(const std::string& path, const StateImage& image) {
  const bool external = image.write_journal != nullptr;
  const std::string journal_path = path + ".journal";
  if (absl::Status status = CheckIsOurImage(path); !status.ok()) return status;
  if (absl::Status status = external ? CheckIsOurImage(journal_path) : absl::OkStatus();
      !status.ok()) {
    return status;
  }
  absl::StatusOr<OutputFile> device = OutputFile::Open(path);
  if (!device.ok()) return device.status();
  auto journal = OutputFile::OpenIfAsked(external ? std::optional(journal_path) : std::nullopt);
  if (!journal.ok()) return journal.status();
  absl::StatusOr<OutputFile> json = OutputFile::Open(path + ".json");
  if (!json.ok()) return json.status();
  if (absl::Status status = device->WriteWith(image.write); !status.ok()) return status;
  if (external) {
    absl::Status status = (*journal)->WriteWith(image.write_journal);
    if (!status.ok()) return status;
  }
  return json->Write(image.json.dump(1) + "\n");
}

// What has been written beside the image.
std::string Others(const std::string& path, const StateImage& image) {
  const std::string json = path + ".json";
  return image.write_journal != nullptr ? Cat(", ", path, ".journal and ", json)
                                        : Cat(" and ", json);
}

// "sound", or the oracles that are not content.
std::string VerdictOf(const StateImage& image) {
  std::string text = image.json["sound"] ? "metadata sound" : "metadata not sound";
  for (const auto& [oracle, findings] : image.json["verdicts"].items()) {
    if (!findings.empty()) text += Cat(", ", oracle);
  }
  return text;
}

}  // namespace

absl::Status CheckIsOurImage(const std::string& path) {
  // The first half of every image's UUID, and where it is.
  return CheckIsOurs(path, "crashdep", 1024 + 0x68, "an image");
}

ExitCode ImageCommand(const ImageArguments& arguments, const Backend& backend, Console console) {
  const auto trace = LoadTraceDocument(arguments.trace);
  if (!trace.ok()) return Refuse(trace.status(), console);
  absl::Status written;  // whose message names a file already
  const auto sink = [&](const StateImage& image) {
    written = WriteFiles(arguments.image, image);
    if (!written.ok()) return written;
    console.out << "scenario  " << std::string(image.json["scenario"]) << "\n"
                << "power cut at " << int64_t{image.json["at_ns"]} << " ns, one of "
                << std::string(image.json["states"]) << " states\n";
    for (const auto& [oracle, findings] : image.json["verdicts"].items()) {
      for (const auto& finding : findings) {
        console.out << "  " << oracle << ": " << std::string(finding) << "\n";
      }
    }
    console.out << VerdictOf(image) << "\n\nwritten: " << arguments.image
                << Others(arguments.image, image) << "\n";
    return absl::OkStatus();
  };
  const absl::Status status = backend.image(*trace, arguments.state, sink);
  if (!written.ok()) return Refuse(written, console);
  return status.ok() ? ExitCode::kAsExpected : Refuse(InFile(arguments.trace, status), console);
}

ExitCode ImagesCommand(const ImagesArguments& arguments, const Backend& backend, Console console) {
  const auto scenario = LoadScenario(arguments.path, backend);
  if (!scenario.ok()) return Refuse(scenario.status(), console);
  const absl::Status made = MakeDirectory(arguments.directory);
  if (!made.ok()) return Refuse(made, console);
  int64_t number = 0;
  absl::Status written;  // whose message names a file already
  const auto sink = [&](const StateImage& image) {
    const std::string path =
        absl::StrFormat("%s/%s-%04d.img", arguments.directory, scenario->name, ++number);
    written = WriteFiles(path, image);
    if (written.ok()) console.out << path << "  " << VerdictOf(image) << "\n";
    return written;
  };
  const auto images = backend.images(*scenario, arguments.options, arguments.count, sink);
  if (!written.ok()) return Refuse(written, console);
  if (!images.ok()) return Refuse(InFile(arguments.path, images.status()), console);
  console.out << "\n" << *images << " images\n";
  return ExitCode::kAsExpected;
}

}  // namespace tools
