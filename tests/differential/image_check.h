// What others say of an image: e2fsck, libext2fs, and the running kernel. `journal` is the image
// of the journal's device; empty: it has none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/image/state_report.h"

namespace differential {

struct FileOnDisk {
  uint64_t size_bytes = 0;
  std::string bytes;
  std::vector<model::Extent> extents;  // not of inline data; empty if the reader cannot tell
};

// A file as it must be.
struct WantedFile {
  std::string name;
  FileOnDisk file;
  bool has_extents = true;
};

// What e2fsck -fy says beyond replaying the journal and cleaning up orphans: nothing if the
// metadata is sound. The image is repaired.
std::vector<std::string> RunE2fsck(const std::string& image, const std::string& journal = "");
// What a second e2fsck -fn says: nothing, if all is well now.
std::vector<std::string> RunE2fsckAgain(const std::string& image, const std::string& journal = "");

// How the files of `image` differ from `wanted`, in one line; "" if they do not.
std::string CompareThroughLibext2fs(const std::string& image,
                                    const std::vector<WantedFile>& wanted);

// Whether this machine lets us mount images; if not, why.
std::optional<std::string> WhyNoKernel(const std::string& image, const std::string& journal,
                                       const std::string& mount_point);
// Mounts `image`, which replays the journal, and compares. The images are changed.
std::string CompareThroughKernel(const std::string& image, const std::string& journal,
                                 const std::string& mount_point,
                                 const std::vector<WantedFile>& wanted);

}  // namespace differential
