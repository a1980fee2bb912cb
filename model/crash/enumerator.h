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

  void JudgeState(const DiskState& disk);
  bool Holds(const DiskState& disk, Pblk pblk, uint32_t sectors, ImageId image) const;
  ImageId ImageAt(const DiskState& disk, Pblk pblk) const;
  bool CannotRead(const DiskState& disk, Pblk pblk) const;
  Recovery Read(const DiskState& disk) const;
  void Write(const HomeWrite& write, uint32_t sectors, DiskState& disk) const;
  DiskState After(const Recovery& recovery, DiskState disk) const;
  bool MayBeCut(const DiskState& disk, const DiskState& want, int depth) const;

  const sim::BlockDevice& device_;
  const Geometry& geometry_;
  const ImageStore& images_;
  RecoveryRules rules_;
  StateOracle& oracle_;
  FamilyVerdict verdict_;
  // The recoveries that have been cut short: superblock found, last transaction found.
  std::set<std::pair<ImageId, Tid>> cut_;
};

}  // namespace model
