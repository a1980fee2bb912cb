// Which transactions recovery may find in the log [fs/jbd2/recovery.c, do_one_pass()].
//
// PASS_SCAN starts where the journal superblock says and follows the sequence of transactions:
// descriptor blocks, each followed by the copies that its tags name, and revoke blocks, until the
// commit block; it ends at the first block that is not what the sequence wants. PASS_REVOKE and
// PASS_REPLAY then give, for each block, the newest copy that no later or equal transaction
// revokes. All that on a disk of which only the sets of possible contents are known: so there are
// several outcomes, told apart by the superblock found and the last transaction found.
//
// A block that cannot be read makes recovery fail, and with it the mount; so does a journal
// superblock that is not one.
//
// Without checksums PASS_SCAN goes by magic number, type and sequence, and PASS_REPLAY writes home
// whatever is where a copy should be: a transaction of which only the commit record has arrived is
// replayed with what these blocks of the log held before.
//
// Not modelled: fast commits, journal checksum v1 and asynchronous commit records. Without
// checksums, what a descriptor (of more than 40 tags) or revoke block (of more than 62 records)
// says when its header has arrived and later sectors have not: the log ends there, as it does with
// checksums. What is read instead would be tags of an older transaction.
#pragma once

#include <vector>

#include "model/crash/disk_view.h"

namespace model {

// A block's copy in the log.
struct LogCopy {
  Tid tid = 0;
  Pblk blocknr = 0;      // whose copy
  ImageId checksum = 0;  // what it must be
  Pblk log_pblk = 0;     // where on the device the copy is

  bool operator==(const LogCopy&) const = default;
};

struct LogRevoke {
  Tid tid = 0;
  Pblk blocknr = 0;

  bool operator==(const LogRevoke&) const = default;
};

struct LogBlock {
  Pblk pblk = 0;
  ImageId image = 0;
};

// Of a descriptor, revoke or commit block; 0: not a block that PASS_SCAN knows.
Tid SequenceOf(const BlockContent& content);

// Whether a block that begins with this is a journal superblock.
bool IsJournalSuperblock(const ImageStore& images, SectorContent first);

struct Outcome {
  ImageId superblock = 0;  // the journal superblock that is found
  Tid first = 0;           // the log's first transaction, if there is one
  Tid recovered = 0;       // the last: the state is that of this transaction, first - 1 if none
  std::vector<LogCopy> copies;     // of first..recovered, in log order
  std::vector<LogRevoke> revokes;  // likewise
  // The blocks (superblock, descriptors, revokes, commits) that are found although they might not
  // be there, and the one that is not although it might; its pblk is 0 if there is no such block.
  std::vector<LogBlock> found;
  LogBlock missing;
  // The block at which recovery fails, after `recovered`; 0: it does not.
  Pblk fails_at = 0;

  bool SameAs(const Outcome& other) const {
    return superblock == other.superblock && recovered == other.recovered &&
           fails_at == other.fails_at;
  }
};

// At least one, ascending by superblock image, then by `recovered`; 0 is a superblock that is none.
std::vector<Outcome> ScanJournal(const DiskView& disk, const Geometry& geometry,
                                 const ImageStore& images);

// What recovery writes home.
class ReplayMap {
 public:
  ReplayMap(const Geometry& geometry, const Outcome& outcome);
  // The copy that ends up at block `pblk`; null if there is none.
  const LogCopy* CopyFor(Pblk pblk) const {
    return newest_.empty() || newest_[pblk] == 0 ? nullptr : &copies_read_[newest_[pblk] - 1];
  }
  // The copies that recovery reads: all that are not revoked, superseded ones included.
  const std::vector<LogCopy>& copies_read() const { return copies_read_; }

 private:
  std::vector<LogCopy> copies_read_;
  std::vector<size_t> newest_;  // by block: 1 + index of its last copy, 0 if none; empty: no copies
};

// What sector `index` of the home block may hold once `copy` has been written to it: the image that
// its tag wants, as anything else makes recovery fail; without checksums whatever the log may hold.
Possible ReplayedContents(const DiskView& disk, const Geometry& geometry, const LogCopy& copy,
                          uint32_t index);

}  // namespace model
