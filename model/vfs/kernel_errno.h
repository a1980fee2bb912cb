// What a modelled call fails with.
#pragma once

#include <cstdint>

namespace model {

enum class Errno : uint8_t {
  kOk = 0,
  kNoEnt,       // ENOENT
  kIo,          // EIO
  kAgain,       // EAGAIN
  kNoMem,       // ENOMEM
  kFault,       // EFAULT: user memory
  kExist,       // EEXIST
  kInval,       // EINVAL
  kNoSpc,       // ENOSPC
  kRoFs,        // EROFS
  kRange,       // ERANGE
  kBusy,        // EBUSY
  kNotBlk,      // ENOTBLK: not by direct I/O, then
  kShutdown,    // ESHUTDOWN: why a journal was aborted; calls fail with EIO then
  kIocbQueued,  // EIOCBQUEUED: no failure; ki_complete will tell
};

// "ENOSPC"; "0" for kOk.
const char* ErrnoName(Errno error);

// The first that is not kOk, in the order given.
template <class... Errnos>
Errno FirstError(Errnos... errors) {
  Errno first = Errno::kOk;
  ((first = first != Errno::kOk ? first : errors), ...);
  return first;
}

}  // namespace model
