// The design decisions that the paths depend on, one field each. False, the default, is what the
// kernel that we follow does; true is the other way: an old bug, or a rule that a design relies on
// broken on purpose; or, of one that there still is, as it would be right. Path code asks the
// policy at the one line where the decision is made.
//
// `source` is where the rule is laid down: a kernel commit, a patch of the iomap buffered-write
// series of 2026-02-03 ("v2 patch NN"), or a function whose comment says so.
#pragma once

#include <array>
#include <string_view>

namespace model {

// clang-format off
#define MODEL_POLICY_FIELDS(FIELD)                                                                 \
  /* Handles and folios */                                                                         \
  FIELD(handle_across_bdp,                                                                         \
        "iomap without delalloc: the handle stays open over the copy and balance_dirty_pages()",   \
        "v2 patch 12, ext4_iomap_get_blocks()")                                                    \
  FIELD(folio_lock_under_handle,                                                                   \
        "iomap: partial blocks are zeroed, folio locked, inside the truncate handle",              \
        "v2 patches 05 to 07 and 17")                                                              \
  FIELD(order_iomap_inode,                                                                         \
        "iomap inodes go on the transaction's ordered-data list",                                  \
        "v2 patch 18, ext4_should_order_data()")                                                   \
  FIELD(no_reserved_handle,                                                                        \
        "buffer_head conversion of unwritten extents starts an ordinary handle",                   \
        "b0857d309fae")                                                                            \
  /* Data before metadata */                                                                       \
  FIELD(iomap_nodelalloc_written,                                                                  \
        "iomap without delalloc allocates written extents",                                        \
        "v2 patch 12, key note 1")                                                                 \
  FIELD(skip_ordered_add,                                                                          \
        "blocks allocated written are not put on the ordered-data list",                           \
        "06bd3c36a733")                                                                            \
  FIELD(no_order_tail_zero,                                                                        \
        "truncate down does not order the zeroed tail before its transaction",                     \
        "v2 patch 17; ext4_block_zero_eof()")                                                      \
  FIELD(disksize_at_submit,                                                                        \
        "iomap writeback raises i_disksize when it submits, not when the data is there",           \
        "v2 patch 13; 20230324092907.1341457-1-cccheng@synology.com")                              \
  FIELD(ioend_beyond_eof,                                                                          \
        "an iomap ioend covers its last block whole, beyond the end of file that it was made for", \
        "51d20d1dacbe")                                                                            \
  FIELD(convert_on_io_error,                                                                       \
        "unwritten extents become written although the write failed",                              \
        "e856f93e0fb2")                                                                            \
  /* Mappings and reservations */                                                                  \
  FIELD(skip_delalloc_punch,                                                                       \
        "what a short write reserved and did not use stays delayed",                               \
        "v2 patch 12, key note 2")                                                                 \
  FIELD(punch_without_invalidate_lock,                                                             \
        "the punch after a short write does not take invalidate_lock",                             \
        "v2 patch 12, ext4_iomap_buffered_da_write_end()")                                         \
  FIELD(punch_ignoring_dirty,                                                                      \
        "the punch after a short write removes ranges under dirty folios too",                     \
        "v2 patch 12; iomap_write_delalloc_release()")                                             \
  FIELD(ignore_validity_cookie,                                                                    \
        "a mapping is used although the extent status has changed since the look-up",              \
        "dd064d5101ea; v2 patch 12, ext4_iomap_valid()")                                           \
  FIELD(sample_cookie_late,                                                                        \
        "the validity cookie is read after the look-up, not with it",                              \
        "7da5565cab40; v2 patch 11")                                                               \
  FIELD(wb_no_relookup,                                                                            \
        "iomap writeback allocates what it looked up before it took i_data_sem",                   \
        "v2 patch 13; RFC v3 change log")                                                          \
  FIELD(no_es_recheck_under_write_sem,                                                             \
        "a delayed extent is inserted without looking again under i_data_sem",                     \
        "0ea6560abb3b")                                                                            \
  /* Truncate and orphans */                                                                       \
  FIELD(orphan_after_first_free,                                                                   \
        "truncate puts the inode on the orphan list after it has freed blocks",                    \
        "ext4_setattr(), ext4_truncate()")                                                         \
  FIELD(free_reusable_before_commit,                                                               \
        "freed blocks may be allocated again before the freeing transaction commits",              \
        "ext4_process_freed_data()")                                                               \
  FIELD(fallocate_written,                                                                         \
        "fallocate allocates written extents ahead of the data",                                   \
        "ext4_do_fallocate(), EXT4_GET_BLOCKS_CREATE_UNWRIT_EXT")                                  \
  FIELD(hole_without_invalidate_lock,                                                              \
        "holes are punched and ranges zeroed without invalidate_lock, so that faults go on",       \
        "ea3d7209ca01")                                                                            \
  FIELD(punch_leaves_disksize,                                                                     \
        "punching a hole over delayed blocks does not raise i_disksize first",                     \
        "ext4_update_disksize_before_punch(); 20250911133024.1841027-1-sunyongjian@huaweicloud.com") \
  /* Direct I/O */                                                                                 \
  FIELD(dio_extends_without_orphan,                                                                \
        "a direct write that makes the file grow does not put it on the orphan list first",        \
        "ext4_dio_write_iter()")                                                                   \
  FIELD(orphan_del_on_short_extend,                                                                \
        "a direct write that fails half way keeps what it has allocated, and leaves the orphan list", \
        "59efe53e380e, dda898d7ffe8")                                                              \
  FIELD(dio_disksize_by_i_size,                                                                    \
        "a direct write below i_size does not raise i_disksize",                                   \
        "45d8ec4d9fd5")                                                                            \
  FIELD(dio_done_before_convert,                                                                   \
        "direct I/O counts as over before its blocks are converted",                               \
        "iomap_dio_complete(); 3889fd57ea3c")                                                      \
  FIELD(dio_unaligned_shared,                                                                      \
        "direct writes of parts of unwritten blocks share i_rwsem",                                \
        "ext4_dio_write_checks()")                                                                 \
  FIELD(dio_keeps_page_cache,                                                                      \
        "what was read into the page cache during a direct write stays there",                     \
        "iomap_dio_complete(), kiocb_invalidate_post_direct_write()")                              \
  /* Renames */                                                                                    \
  FIELD(rename_flush_under_handle,                                                                 \
        "a rename over a file starts to write the new one inside its handle",                      \
        "ext4_rename(), ext4_alloc_da_blocks()")                                                   \
  FIELD(rename_without_flush,                                                                      \
        "a rename over a file does not start to write what is delayed of the new one",             \
        "ext4_rename(), auto_da_alloc")                                                            \
  FIELD(rename_restarts_handle,                                                                    \
        "a rename restarts its handle between the new entry and the removal of the old one",       \
        "ext4_rename(): one handle")                                                               \
  /* Who guards what */                                                                            \
  FIELD(disksize_without_i_data_sem,                                                               \
        "i_disksize is raised without i_data_sem",                                                 \
        "ext4_update_i_disksize()")                                                                \
  FIELD(orphan_list_without_lock,                                                                  \
        "an inode goes on the orphan list without s_orphan_lock",                                  \
        "ext4_orphan_add(), s_orphan_lock")                                                        \
  /* Journal and device */                                                                         \
  FIELD(skip_revoke_record,                                                                        \
        "freeing a metadata block writes no revoke record",                                        \
        "jbd2_journal_revoke()")                                                                   \
  FIELD(commit_without_flush,                                                                      \
        "the commit record is written without a flush of the cache before it",                     \
        "journal_submit_commit_record()")                                                          \
  FIELD(no_t_need_data_flush,                                                                      \
        "external journal: a sync leaves the flush to the running transaction, and does not tell it", \
        "aac45075f6d7")                                                                            \
  FIELD(flush_data_device_always,                                                                  \
        "external journal: every commit flushes the other device first, for more than ordered data", \
        "jbd2_journal_commit_transaction(), t_need_data_flush; cc3e1bea5d87")                      \
  FIELD(tail_advance_without_flush,                                                                \
        "the log's tail moves on before the blocks written home are durable",                      \
        "jbd2_cleanup_journal_tail(); a0851ea9cd55")                                               \
  FIELD(hold_cp_mutex_in_wait_commit,                                                              \
        "j_checkpoint_mutex stays held while log space waits for a commit",                        \
        "0ef54180e018, 53cf97845732")                                                              \
  FIELD(intwrite_under_handle,                                                                     \
        "eviction asks for the freeze lock sb_internal with its handle open",                      \
        "20201216101844.22917-7-jack@suse.cz")
// clang-format on

// Counts how often it is asked for.
class PolicyFlag {
 public:
  constexpr PolicyFlag(bool value = false) : value_(value) {}  // as in {.skip_ordered_add = true}
  operator bool() const {
    ++asked_;
    return value_;
  }
  bool value() const { return value_; }
  uint64_t asked() const { return asked_; }

 private:
  bool value_ = false;
  mutable uint64_t asked_ = 0;
};

struct Policy {
#define MODEL_POLICY_MEMBER(name, about, source) PolicyFlag name;
  MODEL_POLICY_FIELDS(MODEL_POLICY_MEMBER)
#undef MODEL_POLICY_MEMBER
};

struct PolicyEntry {
  std::string_view name;
  std::string_view about;
  std::string_view source;
  PolicyFlag Policy::*member;
};

inline constexpr auto kPolicyEntries = std::to_array<PolicyEntry>({
#define MODEL_POLICY_ENTRY(name, about, source) {#name, about, source, &Policy::name},
    MODEL_POLICY_FIELDS(MODEL_POLICY_ENTRY)
#undef MODEL_POLICY_ENTRY
});

}  // namespace model
