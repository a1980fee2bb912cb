// What a modelled call fails with.
#pragma once

#include <cstdint>

namespace model {

enum class Errno : uint8_t {
  kOk = 0,
  kNoEnt,     // ENOENT
  kIo,        // EIO
  kAgain,     // EAGAIN
  kNoMem,     // ENOMEM
  kFault,     // EFAULT: user memory
  kExist,     // EEXIST
  kInval,     // EINVAL
  kNoSpc,     // ENOSPC
  kRoFs,      // EROFS
  kRange,     // ERANGE
  kShutdown,  // EIO of a file system that was shut down or is in emergency state
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
