// Credits of a handle in the middle of a long operation [fs/ext4/ext4_jbd2.c].
#pragma once

#include "absl/functional/function_ref.h"
#include "model/ext4/ext4.h"

namespace model {

struct CreditsResult {
  Errno error = Errno::kOk;
  // The handle is in another transaction now, with these credits.
  bool restarted = false;
};

// __ext4_journal_ensure_credits() and its users: extends the handle if it has fewer credits, or, if
// the transaction has no room, calls `before_restart` and restarts it. What was done so far must be
// fit to be committed by itself then. Parks.
CreditsResult ext4_journal_ensure_credits(
    Handle& handle, int credits, int revoke_credits,
    absl::FunctionRef<void()> before_restart = [] {});

}  // namespace model
