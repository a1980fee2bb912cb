// What is wrong with one recovered disk of a TinyFs: the rules applied byte by byte, from the raw
// list of events.
//
// Nothing here uses the checker's code: it knows the on-disk formats and what TinyFs says it did.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "model/crash/enumerator.h"
#include "tests/crash/tiny_fs.h"

namespace model {

class TinyOracle : public StateOracle {
 public:
  explicit TinyOracle(TinyFs& fs) : fs_(fs) {}

  // Facts, coarsely: "stale_data a", "lost_data a", "home 8", "names".
  void Judge(const DiskState& disk, Tid recovered, FamilyVerdict& verdict) override;

 private:
  void JudgeMetadata(const DiskState& disk, Tid recovered);
  void JudgeFiles(const DiskState& disk, Tid recovered);
  void JudgeFile(const DiskState& disk, Tid recovered, FileKey key);
  // What findings call the file.
  const std::string& FirstName(FileKey key) const;
  // "", "stale_data" or "lost_data" of the byte.
  const std::string& JudgeByte(FileKey key, Tid recovered, uint64_t size, uint64_t pos,
                               SectorContent content);
  std::string JudgeByteSlowly(FileKey key, Tid recovered, uint64_t size, uint64_t pos,
                              SectorContent content) const;
  // "lost_data" if the byte is older than event `s`, a promise, allows.
  std::string JudgePromise(FileKey key, Tid recovered, size_t s, uint64_t pos,
                           SectorContent content) const;
  std::string JudgePromises(FileKey key, Tid recovered, uint64_t pos, SectorContent content) const;
  // Is event `s` a promise that states up to `recovered` have to keep?
  bool Promises(size_t s, FileKey key, Tid recovered) const;
  void JudgeNames(Tid recovered);
  bool OnceZero(FileKey key, uint64_t pos) const;
  // The write that the byte holds before event `end`; 0 for zero or beyond the size.
  WriteId ByteBefore(FileKey key, uint64_t pos, size_t end) const;
  uint64_t SizeBefore(FileKey key, size_t end) const;
  bool Removes(const TinyEvent& event, FileKey key, uint64_t pos) const;
  // And takes its block off the file.
  bool Unmaps(const TinyEvent& event, FileKey key, uint64_t pos) const;

  bool LooksLike(SectorContent is, Pblk pblk, uint32_t i, const BlockContent& content) const;
  const DiskInode* InodeAt(const TinyFs::MetadataBlocks& metadata, Ino ino) const;

  TinyFs& fs_;
  FamilyVerdict* verdict_ = nullptr;  // while judging
  std::map<std::tuple<FileKey, Tid, uint64_t, SectorContent>, std::string> judged_;
};

}  // namespace model
