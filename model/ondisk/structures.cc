#include "model/ondisk/structures.h"

namespace model {

const char* BlockContentName(const BlockContent& content) {
  // In the order of the variant's alternatives.
  static constexpr std::array<const char*, std::variant_size_v<BlockContent>> kNames = {
      "empty block",          "superblock",           "group descriptor block",
      "bitmap block",         "inode table block",    "extent node",
      "directory block",      "journal superblock",   "journal descriptor block",
      "journal revoke block", "journal commit block",
  };
  return kNames.at(content.index());
}

}  // namespace model
