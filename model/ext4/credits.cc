#include "model/ext4/credits.h"

#include <algorithm>

namespace model {

CreditsResult ext4_journal_ensure_credits(Handle& handle, int credits, int revoke_credits,
                                          absl::FunctionRef<void()> before_restart) {
  SIM_FRAME("__ext4_journal_ensure_credits");
  if (is_handle_aborted(handle)) return {Errno::kRoFs, false};
  const int missing = std::max(0, credits - jbd2_handle_buffer_credits(handle));
  const int missing_revoke = std::max(0, revoke_credits - handle.h_revoke_credits);
  if (missing == 0 && missing_revoke == 0) return {};
  if (jbd2_journal_extend(handle, missing, missing_revoke)) return {};
  before_restart();
  return {jbd2_journal_restart(handle, credits, revoke_credits), true};
}

}  // namespace model
