// An execution as a recording of writes (model/image/write_log.h), with marks for its system calls.
//
//   OP-begin PATH    a call that changes the file begins; of a rename, with both names
//   OP-done PATH     it has returned
//   fsync-done PATH  fsync or fdatasync have returned 0: from here on the file is there, as it is
//   sync-done        sync has: all files are
//   OP-return        any other call has returned that may reach the disk, or one of these that
//                    promises nothing
//
// model/recorded/promises.h reads them so. A sync promises nothing of a file that another thread
// was changing meanwhile, since what is there then may be part of that; nor of a file whose name
// has been removed or changed. Of O_SYNC nothing is said: it is about a part of a file.
#pragma once

#include "absl/status/status.h"
#include "model/image/write_log.h"
#include "model/scenario/scenario.h"
#include "nlohmann/json_fwd.hpp"

namespace scenario {

// Fails for a lock program, for a journal on a device of its own, and for a device with sectors
// that cannot be read.
absl::Status CheckIsLoggable(const Scenario& scenario);

// The execution of a trace, of several runs the last, into `log`, which is empty. Fails if the
// trace is not one of ours or its scenario not loggable, or the execution does not come again.
absl::Status LogTrace(const nlohmann::ordered_json& trace, model::ExecutionLog& log);

}  // namespace scenario
