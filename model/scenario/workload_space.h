// All small workloads of a kind: what ACE, the workload generator of CrashMonkey, enumerates of
// data operations [github.com/utsaslab/crashmonkey, ace/].
//
// A workload is N operations on small files, each followed by a persistence point or by none; after
// the last there is one. Every file is created, and written from 4 to 16 KiB, before; nothing of
// that is durable yet. Choices of an operation, and with several files one of them each time:
//
//   append   write 16 KiB to 20 KiB
//   overlap  write 8,000 to 12,096
//   extend   write 12 KiB to 20 KiB
//   dappend, doverlap
//            direct writes, 16 KiB to 20 KiB and 8 KiB to 12 KiB
//   map      store through a mapping, 4 KiB to 8 KiB
//   falloc, falloc_keep, punch, zero, zero_keep
//            the modes of fallocate, from 2,000 bytes before the end of the file as it was made to
//            3,000 behind it
//   cut      truncate to 8 KiB
//   cut_odd  truncate to 10,000
//
// Persistence points: fsync and fdatasync of a file, sync. With one file, these are 13 * 3,
// then 13 * 4 times as many for each operation more: 39, 2,028 and 105,456, as ACE's are.
//
// ACE's metadata part is not here: directories, links, rename, extended attributes.
#pragma once

#include <cstdint>

#include "model/scenario/scenario.h"

namespace scenario {

struct WorkloadSpace {
  int operations = 1;  // 1 to 3
  int files = 1;       // 1 or 2

  // How many workloads there are.
  uint64_t Count() const;

  // Number `number`, from 0 on; its name says what it does. File system, device, policy and search
  // are those of `like`; it expects to find nothing.
  // Requires: number < Count().
  Scenario Make(uint64_t number, const Scenario& like) const;
};

}  // namespace scenario
