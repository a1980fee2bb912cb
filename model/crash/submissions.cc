#include "model/crash/submissions.h"

#include "absl/strings/str_cat.h"
#include "sim/lockdep/report.h"

namespace model {

void Submissions::OnSubmit(const sim::Bio& bio) {
  holds_.resize(bio.id.value + 1);
  if (tracker_ == nullptr || !bio.submitter.valid()) return;
  for (const sim::HeldLock& held : tracker_->held().locks()) {
    const sim::Acquisition& lock = held.acquisition;
    if (lock.event) continue;  // owed, not held
    holds_.back().push_back(
        {lock.lock_class, lock.subclass, lock.read != sim::ReadMode::kExclusive});
  }
}

std::string Submissions::HeldBy(sim::BioId bio) const {
  std::string text;
  if (bio.value >= holds_.size()) return text;
  for (const Hold& hold : holds_[bio.value]) {
    const sim::LockName name{.name = tracker_->validator().ClassName(hold.lock_class),
                             .subclass = hold.subclass};
    absl::StrAppend(&text, text.empty() ? "" : ", ", name.Text(), hold.shared ? " (shared)" : "");
  }
  return text;
}

}  // namespace model
