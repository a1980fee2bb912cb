// The checker's twin: builds every state of a small crash family, one by one, recovers each as a
// mount would, reads every file, and applies the rules byte by byte from the raw list of events.
//
// Nothing here uses the checker's code: it knows the on-disk formats and what TinyFs says it did.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/crash/tiny_fs.h"

namespace model {

// What is wrong, coarsely: "stale_data a", "lost_data a", "home 8", "copy 8".
using Verdict = std::set<std::string>;

class Enumerator {
 public:
  explicit Enumerator(TinyFs& fs) : fs_(fs) {}

  // The number of states, or `limit` + 1 if there are more.
  uint64_t States(uint64_t limit) const;
  // Of all states of the device's family, now.
  Verdict JudgeAllStates();

 private:
  using Disk = std::vector<SectorContent>;

  void JudgeState(Disk& disk);
  Tid Recover(Disk& disk);
  void JudgeMetadata(const Disk& disk, Tid recovered);
  void JudgeFiles(const Disk& disk, Tid recovered);
  void JudgeFile(const Disk& disk, Tid recovered, const std::string& name, FileKey key);
  // "", "stale_data" or "lost_data" of the byte.
  const std::string& JudgeByte(FileKey key, Tid recovered, uint64_t size, uint64_t pos,
                               SectorContent content);
  std::string JudgeByteSlowly(FileKey key, Tid recovered, uint64_t size, uint64_t pos,
                              SectorContent content) const;
  std::string JudgePromise(FileKey key, uint64_t pos, SectorContent content) const;
  bool OnceZero(FileKey key, uint64_t pos) const;
  // The write that the byte holds before event `end`; 0 for zero or beyond the size.
  WriteId ByteBefore(FileKey key, uint64_t pos, size_t end) const;
  uint64_t SizeBefore(FileKey key, size_t end) const;
  bool Removes(const TinyEvent& event, FileKey key, uint64_t pos) const;

  bool Holds(const Disk& disk, Pblk pblk, uint32_t i, ImageId image) const;
  bool LooksLike(SectorContent is, Pblk pblk, uint32_t i, const BlockContent& content) const;
  ImageId ImageAt(const Disk& disk, Pblk pblk) const;
  const DiskInode* InodeAt(const TinyFs::MetadataBlocks& metadata, Ino ino) const;

  TinyFs& fs_;
  Verdict verdict_;
  std::map<std::tuple<FileKey, Tid, uint64_t, SectorContent>, std::string> judged_;
};

}  // namespace model
