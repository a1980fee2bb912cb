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
// Not modelled: fast commits, journal checksum v1 and asynchronous commit records.
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

// What recovery writes home: by block, 0 for none.
class ReplayMap {
 public:
  ReplayMap(const Geometry& geometry, const Outcome& outcome);
  ImageId ImageAt(Pblk pblk) const { return images_[pblk]; }
  // The copies that recovery reads: all that are not revoked, superseded ones included.
  const std::vector<LogCopy>& copies_read() const { return copies_read_; }

 private:
  std::vector<ImageId> images_;
  std::vector<LogCopy> copies_read_;
};

}  // namespace model
