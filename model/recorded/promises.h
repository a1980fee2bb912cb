// What the marks of a recording say: which files a sync has made durable, and until when.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/recorded/file_system.h"
#include "model/recorded/recording.h"

namespace model {

struct RecordedMark {
  uint32_t entry = 0;
  std::string text;
};

// All marks, in order. `end_bytes`: of the file system; writes behind it may be marks.
std::vector<RecordedMark> FindMarks(const Recording& recording, uint64_t end_bytes);

// What a mark promises of one file.
struct Promise {
  std::string path;
  std::optional<std::string> bytes;  // its contents; none: only that it is there
  std::string mark;                  // the text
  uint32_t from = 0;                 // holds when this many entries have been submitted ...
  uint32_t to = 0;                   // ... up to when this many have
};

// What mark `number` says is durable.
class PromisedFiles {
 public:
  explicit PromisedFiles(const RecordedMark& mark);

  bool any() const { return what_ != What::kNothing; }
  bool Covers(const std::string& path) const;
  bool with_contents() const { return what_ != What::kNames; }
  // The one file that must be there now; empty: whichever are.
  const std::string& path() const { return path_; }
  std::optional<uint64_t> size_bytes() const { return size_bytes_; }

 private:
  enum class What : uint8_t { kNothing, kFile, kAll, kNames };

  What what_ = What::kNothing;
  std::string path_;  // of the file, or of the directory without slashes around it
  std::optional<uint64_t> size_bytes_;
};

// Until when a promise that marks[number] makes on `path` holds: as many entries. That is the next
// mark with `path` in it, if it has a word that ends in "-begin"; else the mark before that one,
// since what it tells of may have begun by then.
uint32_t EndOfPromise(const std::vector<RecordedMark>& marks, size_t number,
                      const std::string& path, uint32_t entries);

}  // namespace model
