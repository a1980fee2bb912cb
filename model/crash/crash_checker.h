// What a power cut may show, at every change of what the device may hold.
//
// All states that the device may be left in are one family: for each sector a set of contents,
// chosen independently. The journal's sectors decide which transactions recovery finds (usually one
// or two possibilities, "outcomes"); for each of these, every other sector is judged for itself,
// all its contents one after the other. So all states are covered without building any.
//
// Kinds of findings:
//   stale_data      a file shows what was never written there, or what was truncated away
//   lost_data       a file lacks what a sync promised, or covers with its size what is not there
//   torn_operation  recovery gives a state between two transactions: a committed block is missing
//                   in the log, or a block at home is older or newer than the recovered state
//   metadata        a committed state is wrong in itself (see metadata_check.h), or file data lies
//                   where it has metadata; the journal superblock is none
//   unreadable      recovery, or who reads a file or metadata, comes to a sector that fails
//
// Each is reported once per kind and message, and of each kind of damage to a file only the first
// range found. The detail tells the smallest state that shows it (minimal_state.h).
//
// Only what a change may have made possible is judged: the sectors of the new write against the
// outcomes there already are, and everything against a new outcome. What a flush makes impossible
// needs no judging.
//
// Not modelled: data journalling, fast commits; contents of inline-data files.
#pragma once

#include <memory>
#include <vector>

#include "model/crash/history.h"
#include "model/crash/minimal_state.h"
#include "model/crash/recovery.h"
#include "model/crash/state_count.h"
#include "model/ondisk/geometry.h"
#include "model/ondisk/image_store.h"
#include "sim/block/block_device.h"

namespace model {

enum class CrashAt : uint8_t {
  kEachChange,  // every write that becomes possible, every sync that returns
  kEachFlush,   // when an FUA write becomes possible, after a flush or FUA write, sync returns
  kNone,
};

// Sees what the checker sees, at the time; for those who build states of the families. Whatever it
// refers to lives on to the end of the execution, and changes.
class CrashWatcher {
 public:
  virtual ~CrashWatcher() = default;
  // A family is about to be judged; these are the recoveries that are possible in it.
  virtual void OnFamily(const CrashScene& scene,
                        const std::vector<PossibleRecovery>& recoveries) = 0;
  // A finding that is being reported.
  virtual void OnFault(const CrashScene& scene, const CrashFault& fault,
                       const MinimalState& minimal, const sim::Finding& finding) = 0;
  // The execution has ended.
  virtual void OnEnd(const CrashScene& scene) = 0;
};

struct CrashOptions {
  CrashAt crash_at = CrashAt::kEachChange;
  // data=writeback: that a file shows what its blocks held before is within the contract.
  bool data_writeback = false;
  RecoveryRules recovery;
  sim::LockTracker* lock_tracker = nullptr;  // the world's; null: stories tell of no locks
  CrashWatcher* watcher = nullptr;           // may be null
  // False, without a watcher: findings have no detail, which is what takes time.
  bool tells_stories = true;
};

class CrashChecker : public sim::DeviceListener, public HistoryListener {
 public:
  // The device holds a file system with an empty log: its state is transaction 0's. Registers
  // itself with `device` and `history`. All must outlive the checker.
  CrashChecker(sim::World& world, sim::BlockDevice& device, const Geometry& geometry,
               const ImageStore& images, History& history, const CrashOptions& options);
  ~CrashChecker() override;

  void OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnWritePossible(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnDurable(const sim::BlockDevice& device) override;
  void OnPromise(FileKey file) override;

  // For the watcher: nothing happens any more.
  void End();
  // Of all families considered so far.
  const StateCount& count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace model
