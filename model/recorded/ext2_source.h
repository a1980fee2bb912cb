// libext2fs reading something that is no file.
#pragma once

#include <ext2fs/ext2fs.h>

#include <memory>
#include <string_view>

#include "absl/types/span.h"

namespace model {

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // Bytes behind the end are zero.
  virtual void Read(uint64_t offset_bytes, absl::Span<char> bytes) = 0;
};

class BytesSource : public BlockSource {
 public:
  // `bytes` outlive this.
  explicit BytesSource(std::string_view bytes) : bytes_(bytes) {}
  void Read(uint64_t offset_bytes, absl::Span<char> bytes) override;

 private:
  std::string_view bytes_;
};

struct FreeExt2 {
  void operator()(ext2_filsys fs) const { ext2fs_free(fs); }
};
using Ext2 = std::unique_ptr<struct_ext2_filsys, FreeExt2>;

// Opens the file system of `source`, read-only; null, and `error` set, if libext2fs refuses it.
// `source` outlives the result.
Ext2 OpenExt2(BlockSource& source, errcode_t& error);

}  // namespace model
