#include "model/vfs/kernel_errno.h"

namespace model {

const char* ErrnoName(Errno error) {
  switch (error) {
    case Errno::kOk:
      return "0";
    case Errno::kNoEnt:
      return "ENOENT";
    case Errno::kIo:
      return "EIO";
    case Errno::kAgain:
      return "EAGAIN";
    case Errno::kNoMem:
      return "ENOMEM";
    case Errno::kFault:
      return "EFAULT";
    case Errno::kExist:
      return "EEXIST";
    case Errno::kInval:
      return "EINVAL";
    case Errno::kNoSpc:
      return "ENOSPC";
    case Errno::kRoFs:
      return "EROFS";
    case Errno::kRange:
      return "ERANGE";
    case Errno::kBusy:
      return "EBUSY";
    case Errno::kNotBlk:
      return "ENOTBLK";
    case Errno::kShutdown:
      return "ESHUTDOWN";
    case Errno::kIocbQueued:
      return "EIOCBQUEUED";
  }
  return "?";
}

}  // namespace model
