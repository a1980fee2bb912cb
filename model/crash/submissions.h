// What the submitter of each bio held then, for stories.
//
// The device knows who submitted a bio, in which functions and for which operation; locks it does
// not know.
#pragma once

#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "sim/block/block_device.h"
#include "sim/locking/lock_tracker.h"

namespace model {

class Submissions {
 public:
  // `tracker`: the world's; null: nothing is known of locks. It must outlive this.
  explicit Submissions(sim::LockTracker* tracker) : tracker_(tracker) {}

  // The running context submits `bio`. Requires: ids in order.
  void OnSubmit(const sim::Bio& bio);
  // "i_rwsem, jbd2_handle (shared)", outermost first; empty: none, or not known.
  std::string HeldBy(sim::BioId bio) const;

 private:
  struct Hold {
    sim::LockClassId lock_class;
    uint32_t subclass = 0;
    bool shared = false;
  };

  sim::LockTracker* tracker_;
  std::vector<absl::InlinedVector<Hold, 4>> holds_;  // by bio
};

}  // namespace model
