// The states of a crash family built one by one, each recovered as a mount would and looked at: the
// twin of family.h and journal_scan.h, of which nothing is used here.
//
// Recovery is that of one disk: the log is read block by block until one is not what the sequence
// wants, its copies are written home. It is cut short as well: after each of its writes, and half
// way through it, power fails, recovery runs again, is cut again, and runs a third time; the file
// system must be the same each time. What is right is for a StateOracle to say.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "model/crash/disk_view.h"
#include "model/crash/file_rules.h"
#include "model/crash/recovery.h"

namespace model {

// Everything that is wrong in some state of a family.
class FamilyVerdict {
 public:
  // Of a file, and what it shows; of kOtherFile, whose.
  using FileDamage = std::tuple<FileKey, Damage, FileKey>;
  using Ranges = std::map<uint64_t, uint64_t>;  // begin to end: disjoint, not adjacent

  void Add(std::string fact) { facts_.insert(std::move(fact)); }
  void AddBytes(const FileDamage& damage, uint64_t begin, uint64_t end);

  const std::set<std::string>& facts() const { return facts_; }
  const std::map<FileDamage, Ranges>& bytes() const { return bytes_; }
  // One that is only in this verdict, or another range of the same bytes; empty: there is none.
  std::string FirstNotIn(const FamilyVerdict& other) const;

 private:
  std::set<std::string> facts_;
  std::map<FileDamage, Ranges> bytes_;
};

class StateOracle {
 public:
  virtual ~StateOracle() = default;
  // Adds what is wrong with a disk after recovery, up to transaction `recovered`.
  virtual void Judge(const DiskState& disk, Tid recovered, FamilyVerdict& verdict) = 0;
};

// A disk whose writes can be taken back.
class ScratchDisk {
 public:
  explicit ScratchDisk(DiskState contents) : contents_(std::move(contents)) {}

  const DiskState& contents() const { return contents_; }
  SectorContent operator[](uint64_t sector) const { return contents_[sector]; }
  // For good. Requires: writes() is 0.
  void Put(uint64_t sector, SectorContent content) { contents_[sector] = content; }
  void Write(uint64_t sector, SectorContent content);
  size_t writes() const { return overwritten_.size(); }
  // Only the first `writes` are left.
  void TakeBackTo(size_t writes);
  // Requires: without their writes they are the same.
  bool SameAs(const ScratchDisk& other) const;

 private:
  DiskState contents_;
  std::vector<std::pair<uint64_t, SectorContent>> overwritten_;  // sector, what it held
};

class StateEnumerator {
 public:
  // All must outlive the enumerator.
  StateEnumerator(const sim::BlockDevice& device, const Geometry& geometry,
                  const ImageStore& images, const RecoveryRules& rules, StateOracle& oracle)
      : device_(device), geometry_(geometry), images_(images), rules_(rules), oracle_(oracle) {}

  // How many states the family has now; none: more than `limit`.
  std::optional<uint64_t> States(uint64_t limit) const;
  // Of all of them. Facts are the oracle's and, of recovery's own: "copy N" (a copy in the log is
  // not what the tag of home block N wants), "home N" (it fails at block N of the log) and
  // "recovery" (run again after a power cut, it gives something else).
  FamilyVerdict JudgeAllStates();

 private:
  struct HomeWrite {
    Pblk home = 0;
    ImageId image = 0;
    Pblk log = 0;
  };
  struct Recovery {
    ImageId superblock = 0;
    Tid recovered = 0;
    std::vector<HomeWrite> writes;  // ascending, each block's newest copy
    std::vector<Pblk> torn;         // home blocks of copies that are not what their tags want
    Pblk fails_at = 0;              // a log block that is none, or cannot be read; 0: it does not
  };

  void JudgeState();
  bool Holds(Pblk pblk, uint32_t sectors, ImageId image);
  ImageId ImageAt(Pblk pblk);
  bool CannotRead(Pblk pblk) const;
  Recovery Read();
  void Write(const HomeWrite& write, uint32_t sectors, ScratchDisk& disk) const;
  void WriteAll(const Recovery& recovery, ScratchDisk& disk) const;
  bool MayBeCut(int depth);

  const sim::BlockDevice& device_;
  const Geometry& geometry_;
  const ImageStore& images_;
  RecoveryRules rules_;
  StateOracle& oracle_;
  FamilyVerdict verdict_;
  ScratchDisk disk_{{}};       // the state that is recovered
  ScratchDisk recovered_{{}};  // it, after recovery
  // The recoveries that have been cut short: superblock found, last transaction found.
  std::set<std::pair<ImageId, Tid>> cut_;
  // Sectors whose bytes had to be compared: look-up only.
  absl::flat_hash_map<std::pair<SectorContent, SectorContent>, bool> same_bytes_;
};

}  // namespace model
