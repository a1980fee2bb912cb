// The recordings of a real kernel that come with the program.
#pragma once

#include <string>

#include "gtest/gtest.h"
#include "model/recorded/recording_check.h"
#include "tools/import/log_writes.h"
#include "tools/import/recording.h"
#include "tools/tag_file.h"

namespace model {

inline std::string ReadData(const std::string& name) {
  auto bytes = tools::ReadUnpacked(RECORDINGS "/" + name, size_t{1} << 30);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *std::move(bytes) : "";
}

// "1k-extend-ordered" and the device that it was recorded on.
struct RecordedRun {
  explicit RecordedRun(const std::string& name)
      : RecordedRun(name, "base-" + name.substr(0, 2) + ".img.zst") {}
  RecordedRun(const std::string& name, const std::string& base_name)
      : log(ReadData(name + ".log.zst")), base(ReadData(base_name)) {
    auto parsed = tools::ParseLogWrites(log);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    if (parsed.ok()) recording = *std::move(parsed);
    const size_t workload = name.find('-') + 1;
    const std::string tags = name.substr(workload, name.find('-', workload) - workload) + ".tags";
    auto writes = tools::ParseTags(tags, ReadData(tags));
    EXPECT_TRUE(writes.ok()) << writes.status();
    if (writes.ok()) options.rules.writes = *std::move(writes);
    options.rules.stale_pattern = "STALE!";
  }
  RecordedRun(const RecordedRun&) = delete;
  RecordedRun& operator=(const RecordedRun&) = delete;

  RecordingResult Check() const {
    auto result = CheckRecording(base, recording, options);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : RecordingResult();
  }

  std::string log, base;
  Recording recording;  // of the log
  RecordingOptions options;
};

}  // namespace model
