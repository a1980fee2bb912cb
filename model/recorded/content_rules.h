// What bytes a file of a recorded workload may show.
//
// Two ways to tell, together or alone:
//   - a pattern that free blocks were filled with before mkfs, and that nobody writes: it must not
//   be
//     seen in any file;
//   - tags: the workload writes "tttt:oooooooooo\n" every 16 bytes from the start of each write,
//   with
//     tag and file offset in hexadecimal, cut off at the write's end. Each byte of a file must be
//     zero or one that some write put at this place of it, so what another file or offset had is
//     noticed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model {

struct TaggedWrite {
  uint64_t offset_bytes = 0;  // in the file
  uint64_t size_bytes = 0;
  uint32_t tag = 0;
};

// What `write` has in the range [begin, end) of its file.
std::string WrittenIn(const TaggedWrite& write, uint64_t begin, uint64_t end);

struct WrongBytes {
  enum class Kind : uint8_t {
    kStalePattern,  // what free blocks were filled with
    kForeignTag,    // of another file, or of no write of this one
    kMisplacedTag,  // of this file, and not of this place
    kUnknown,       // none of these
  };
  Kind kind = Kind::kUnknown;
  uint64_t begin = 0;  // in the file
  uint64_t end = 0;
  std::string shown;  // the first bytes of it, printable
};

const char* NameOf(WrongBytes::Kind kind);

struct ContentRules {
  std::string stale_pattern;  // empty: there is none
  // By path, all that the workload writes with tags; files that are not there are never written to.
  std::optional<std::map<std::string, std::vector<TaggedWrite>>> writes;

  // `bytes` of the file at `offset`, those below its size. From the first wrong byte to the last; a
  // range that ends less than 16 bytes from an end of `bytes` goes up to there, since a few bytes
  // may be equal by chance.
  std::optional<WrongBytes> Judge(const std::string& path, uint64_t offset,
                                  std::string_view bytes) const;
};

}  // namespace model
