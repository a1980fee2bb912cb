#include "model/recorded/ext2_source.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

namespace model {
namespace {

// A manager is given nothing but a name when it opens a device; so the name says where the source
// is.
std::string NameOf(BlockSource& source) {
  return std::to_string(reinterpret_cast<uintptr_t>(&source));
}

BlockSource* SourceNamed(const char* name) {
  uintptr_t address = 0;
  std::from_chars(name, name + std::strlen(name), address);
  return reinterpret_cast<BlockSource*>(address);
}

io_manager SourceManager();

errcode_t Open(const char* name, int, io_channel* channel) {
  // Freed with free() by ext2fs_free_mem() and by Close().
  auto* const opened = static_cast<io_channel>(std::calloc(1, sizeof(struct_io_channel)));
  if (opened == nullptr) return EXT2_ET_NO_MEMORY;
  opened->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  opened->manager = SourceManager();
  opened->name = strdup(name);
  opened->block_size = 1024;
  opened->refcount = 1;
  opened->private_data = SourceNamed(name);
  *channel = opened;
  return 0;
}

errcode_t Close(io_channel channel) {
  if (--channel->refcount > 0) return 0;
  std::free(channel->name);
  std::free(channel);
  return 0;
}

errcode_t SetBlockSize(io_channel channel, int block_bytes) {
  channel->block_size = block_bytes;
  return 0;
}

// A negative count is one of bytes.
errcode_t ReadBlocks64(io_channel channel, unsigned long long block, int count, void* data) {
  const auto block_bytes = static_cast<uint64_t>(channel->block_size);
  const size_t size =
      count < 0 ? static_cast<size_t>(-static_cast<int64_t>(count)) : count * block_bytes;
  static_cast<BlockSource*>(channel->private_data)
      ->Read(block * block_bytes, absl::MakeSpan(static_cast<char*>(data), size));
  return 0;
}

errcode_t ReadBlocks(io_channel channel, unsigned long block, int count, void* data) {
  return ReadBlocks64(channel, block, count, data);
}

errcode_t WriteBlocks64(io_channel, unsigned long long, int, const void*) {
  return EXT2_ET_RO_FILSYS;
}

errcode_t WriteBlocks(io_channel, unsigned long, int, const void*) { return EXT2_ET_RO_FILSYS; }

errcode_t Flush(io_channel) { return 0; }

constexpr struct_io_manager kSourceManager = [] {
  struct_io_manager manager = {};
  manager.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager.name = "crashdep";
  manager.open = Open;
  manager.close = Close;
  manager.set_blksize = SetBlockSize;
  manager.read_blk = ReadBlocks;
  manager.write_blk = WriteBlocks;
  manager.flush = Flush;
  manager.read_blk64 = ReadBlocks64;
  manager.write_blk64 = WriteBlocks64;
  return manager;
}();

// libext2fs does not write to it.
io_manager SourceManager() { return const_cast<io_manager>(&kSourceManager); }

}  // namespace

void BytesSource::Read(uint64_t offset_bytes, absl::Span<char> bytes) {
  std::fill(bytes.begin(), bytes.end(), 0);
  if (offset_bytes >= bytes_.size()) return;
  const size_t size = std::min<uint64_t>(bytes.size(), bytes_.size() - offset_bytes);
  std::memcpy(bytes.data(), bytes_.data() + offset_bytes, size);
}

Ext2 OpenExt2(BlockSource& source, errcode_t& error) {
  ext2_filsys fs = nullptr;
  error = ext2fs_open(NameOf(source).c_str(), EXT2_FLAG_64BITS, 0, 0, SourceManager(), &fs);
  return Ext2(error == 0 ? fs : nullptr);
}

}  // namespace model
