#include "tools/crash_command.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "model/recorded/recording_check.h"
#include "model/scenario/text.h"
#include "nlohmann/json.hpp"
#include "tools/bad_input.h"
#include "tools/import/log_writes.h"
#include "tools/import/recording.h"
#include "tools/output_file.h"
#include "tools/tag_file.h"
#include "tools/text_report.h"

namespace tools {
namespace {

using model::RecordingFinding;
using scenario::Cat;

constexpr size_t kMaxBytes = size_t{4} << 30;  // of a log or a device, unpacked
constexpr size_t kTold = 20;                   // findings in the text
constexpr size_t kNamedEntries = 8;

// What the command works on.
struct Inputs {
  std::string log, base;
  model::Recording recording;  // of the log
  model::RecordingOptions options;
};

absl::Status Read(const CrashArguments& arguments, Inputs& inputs) {
  auto log = ReadUnpacked(arguments.log, kMaxBytes);
  if (!log.ok()) return log.status();
  inputs.log = *std::move(log);
  auto recording = ParseLogWrites(inputs.log);
  if (!recording.ok()) return InFile(arguments.log, recording.status());
  inputs.recording = *std::move(recording);
  auto base = ReadUnpacked(arguments.base, kMaxBytes);
  if (!base.ok()) return base.status();
  inputs.base = *std::move(base);
  inputs.options.unit_bytes = arguments.unit_bytes;
  inputs.options.rules.stale_pattern = arguments.stale_pattern;
  if (!arguments.tags) return absl::OkStatus();
  const auto text = ReadUnpacked(*arguments.tags, kMaxBytes);
  if (!text.ok()) return text.status();
  auto tags = ParseTags(*arguments.tags, *text);
  if (!tags.ok()) return tags.status();
  inputs.options.rules.writes = *std::move(tags);
  return absl::OkStatus();
}

std::string Entries(const std::vector<uint32_t>& entries) {
  const size_t named = std::min(entries.size(), kNamedEntries);
  std::string text = entries.size() == 1 ? "entry " : "entries ";
  text += scenario::Join(std::vector<uint32_t>(entries.begin(), entries.begin() + named), ", ");
  if (named < entries.size()) text += Cat(" and ", entries.size() - named, " more");
  return text;
}

std::string Describe(const model::CrashPoint& point) {
  return Cat(point.entries, point.fua_in_flight ? " (in flight)" : "");
}

// The story of one finding, as for its first crash point.
std::string Story(const RecordingFinding& finding) {
  const bool replays = finding.last_transaction + 1 != finding.first_transaction;
  std::string text = Cat("After ", Describe(finding.crash_points.front()), " entries, recovery ",
                         replays ? Cat("replays transactions ", finding.first_transaction, " to ",
                                       finding.last_transaction)
                                 : "has nothing to replay",
                         "\n");
  if (finding.commit_entry) text += Cat("  there: entry ", *finding.commit_entry, ", the commit\n");
  if (!finding.there.empty()) text += Cat("  there: ", Entries(finding.there), ", the bytes\n");
  if (!finding.lost.empty()) text += Cat("  lost, or torn: ", Entries(finding.lost), "\n");
  if (!finding.later.empty()) text += Cat("  not yet written: ", Entries(finding.later), "\n");
  if (finding.shows) {
    text += Cat("  block ", finding.device_block, " shows \"", finding.shown, "\"\n");
  }
  return text;
}

std::string Text(const CrashArguments& arguments, const model::RecordingResult& result) {
  std::string text =
      Cat("recording  ", arguments.log, ": ", result.entries, " entries, ", result.writes,
          " writes, ", result.flushes, " flushes, ", result.marks, " marks\n", "base       ",
          arguments.base, ": ", result.blocks, " blocks of ", result.block_bytes, " bytes, ",
          result.journal_blocks, " of them the journal\n", "judged     ", result.states.families(),
          " crash points, ", Grouped(result.states.States()), " states, ", result.file_systems,
          " recovered file systems; ", result.promises, " files promised by marks\n");
  for (size_t i = 0; i < std::min(result.findings.size(), kTold); ++i) {
    const RecordingFinding& finding = result.findings[i];
    text += Cat("\n", finding.kind, ", at ", finding.crash_points.size(), " crash points, ",
                Describe(finding.crash_points.front()), " to ",
                Describe(finding.crash_points.back()), ": ", finding.message,
                finding.mark.empty() ? "" : Cat(" at mark \"", finding.mark, "\""), "\n",
                Story(finding));
  }
  if (result.findings.size() > kTold) {
    text += Cat("\n", result.findings.size() - kTold, " more findings; --json has all\n");
  }
  return text + Cat("\n", result.findings.size(), " findings\n");
}

nlohmann::ordered_json ToJson(const RecordingFinding& finding) {
  nlohmann::ordered_json json = {{"kind", finding.kind}, {"message", finding.message}};
  if (!finding.path.empty()) json["path"] = finding.path;
  if (finding.ino != 0) json["inode"] = finding.ino;
  if (finding.end != 0) json["range_bytes"] = {finding.begin, finding.end};
  if (finding.shows) {
    json["block"] = finding.device_block;
    json["shows"] = finding.shown;
  }
  if (!finding.mark.empty()) json["mark"] = finding.mark;
  json["transactions"] = {finding.first_transaction, finding.last_transaction};
  if (finding.commit_entry) json["commit_entry"] = *finding.commit_entry;
  json["there_entries"] = finding.there;
  json["lost_entries"] = finding.lost;
  json["later_entries"] = finding.later;
  for (const model::CrashPoint& point : finding.crash_points) {
    if (point.fua_in_flight) {
      json["in_flight"].push_back(point.entries);
    } else {
      json["after_entries"].push_back(point.entries);
    }
  }
  return json;
}

nlohmann::ordered_json ToJson(const CrashArguments& arguments,
                              const model::RecordingResult& result) {
  nlohmann::ordered_json json = {{"recording", arguments.log},
                                 {"base", arguments.base},
                                 {"unit_bytes", arguments.unit_bytes},
                                 {"entries", result.entries},
                                 {"writes", result.writes},
                                 {"flushes", result.flushes},
                                 {"marks", result.marks},
                                 {"promises", result.promises},
                                 {"crash_points", result.states.families()},
                                 {"states", result.states.States()},
                                 {"file_systems", result.file_systems},
                                 {"findings", nlohmann::ordered_json::array()}};
  for (const RecordingFinding& finding : result.findings) {
    json["findings"].push_back(ToJson(finding));
  }
  return json;
}

// DIR/finding-1.img and so on, none of which is there.
absl::Status WriteImages(const std::string& directory, const Inputs& inputs,
                         const std::vector<RecordingFinding>& findings, Console console) {
  if (absl::Status status = MakeDirectory(directory); !status.ok()) return status;
  for (size_t i = 0; i < findings.size(); ++i) {
    const std::string path = Cat(directory, "/finding-", i + 1, ".img");
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
      return absl::AlreadyExistsError(Cat(path, ": is there already; it is left alone"));
    }
    const absl::Status written = WriteOutput(
        path, model::StateBytes(inputs.base, inputs.recording, inputs.options, findings[i]));
    if (!written.ok()) return written;
    console.out << "written: " << path << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

ExitCode CrashCommand(const CrashArguments& arguments, Console console) {
  auto json = OutputFile::OpenIfAsked(arguments.json);
  if (!json.ok()) return Refuse(json.status(), console);
  Inputs inputs;
  if (absl::Status status = Read(arguments, inputs); !status.ok()) return Refuse(status, console);
  const auto result = model::CheckRecording(inputs.base, inputs.recording, inputs.options);
  if (!result.ok()) {
    const bool is_log = result.status().message().substr(0, 6) == "entry ";
    return Refuse(InFile(is_log ? arguments.log : arguments.base, result.status()), console);
  }
  console.out << Text(arguments, *result);
  if (json->has_value()) {
    const absl::Status written = (*json)->Write(ToJson(arguments, *result).dump(1) + "\n");
    if (!written.ok()) return Refuse(written, console);
  }
  if (arguments.images) {
    const absl::Status written = WriteImages(*arguments.images, inputs, result->findings, console);
    if (!written.ok()) return Refuse(written, console);
  }
  return result->findings.empty() ? ExitCode::kAsExpected : ExitCode::kNotAsExpected;
}

}  // namespace tools
