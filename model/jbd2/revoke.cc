// fs/jbd2/revoke.c
#include <algorithm>

#include "model/jbd2/transaction.h"

namespace model {

Errno jbd2_journal_revoke(Handle& handle, Pblk blocknr, BufferHead* bh) {
  SIM_FRAME("jbd2_journal_revoke");
  if (is_handle_aborted(handle)) return Errno::kRoFs;
  Journal& journal = *handle.h_journal;
  std::vector<Pblk>& table = journal.j_revoke_table[journal.j_revoke];
  if (handle.h_revoke_credits <= 0) {
    Violated(journal, "jbd2_journal_revoke: the handle has no revoke credits left");
    return Errno::kIo;
  }
  if (std::find(table.begin(), table.end(), blocknr) != table.end()) {
    Violated(journal, "jbd2_journal_revoke: the block is revoked already");
    return Errno::kIo;
  }
  if (bh != nullptr) jbd2_journal_forget(handle, *bh);
  --handle.h_revoke_credits;
  if (!journal.policy.skip_revoke_record) table.push_back(blocknr);
  return Errno::kOk;
}

void jbd2_journal_cancel_revoke(Journal& journal, Pblk blocknr) {
  std::erase(journal.j_revoke_table[journal.j_revoke], blocknr);
}

void jbd2_journal_switch_revoke_table(Journal& journal) { journal.j_revoke ^= 1; }

// jbd2_journal_write_revoke_records() without the writing.
std::vector<JournalRevoke> TakeRevokeRecords(Journal& journal, Tid tid) {
  std::vector<Pblk>& table = journal.j_revoke_table[journal.j_revoke ^ 1];
  std::vector<JournalRevoke> records;
  const auto per_block = static_cast<size_t>(journal.j_revoke_records_per_block);
  for (size_t begin = 0; begin < table.size(); begin += per_block) {
    const size_t end = std::min(begin + per_block, table.size());
    records.push_back({tid, {table.data() + begin, table.data() + end}});
  }
  table.clear();
  return records;
}

}  // namespace model
