#include "model/crash/crash_checker.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "model/crash/family.h"
#include "model/crash/fault_text.h"
#include "model/crash/story.h"

namespace model {
namespace {

// Who promises something reads it; what makes states impossible writes it. A promise is judged by
// what is possible when it is given, so that which of the two comes first is seen. The number that
// no object has: a checker takes none from the others.
constexpr sim::ObjectId kPromises{0};

}  // namespace

struct CrashChecker::Impl {
  Impl(sim::World& w, sim::BlockDevice& d, const Geometry& g, const ImageStore& i, History& h,
       const CrashOptions& o)
      : world(w),
        device(d),
        geometry(g),
        images(i),
        history(h),
        options(o),
        view(d),
        states(d, g, i),
        submissions(o.lock_tracker),
        judge(view, g, i, h, states, o.recovery) {}

  bool InLog(uint64_t sector) const { return geometry.InJournal(geometry.block_of_sector(sector)); }

  void ReadLogBlocks(const sim::Bio& bio);
  void CountSector(size_t contents, int change);
  void CountWrite(const sim::Landing& landing);
  void CountAgain();
  void Rescan();
  CrashScene Scene() {
    return {world, device, geometry, images, history, states, submissions, options.recovery};
  }
  void ConsiderFamily();
  void JudgeWrite(const sim::Landing& landing);
  void JudgeFamily();
  void Report(const PossibleRecovery& recovery, const std::vector<CrashFault>& faults);

  sim::World& world;
  sim::BlockDevice& device;
  const Geometry& geometry;
  const ImageStore& images;
  History& history;
  CrashOptions options;
  DeviceView view;
  CommittedStates states;
  Submissions submissions;
  FamilyJudge judge;

  // The recoveries that are possible now, unless the log has changed since.
  std::vector<PossibleRecovery> recoveries;
  size_t judged = 0;  // of these, those that were there at the scan before
  bool scan_is_old = true;

  StateCount count;
  StateCount::Signature signature;  // of the family as it is now
  absl::btree_set<std::string> reported;
};

CrashChecker::CrashChecker(sim::World& world, sim::BlockDevice& device, const Geometry& geometry,
                           const ImageStore& images, History& history, const CrashOptions& options)
    : impl_(std::make_unique<Impl>(world, device, geometry, images, history, options)) {
  if (options.crash_at == CrashAt::kNone) return;
  device.set_listener(this);
  history.set_listener(this);
}

CrashChecker::~CrashChecker() {
  if (impl_->options.crash_at == CrashAt::kNone) return;
  impl_->device.set_listener(nullptr);
  impl_->history.set_listener(nullptr);
}

void CrashChecker::End() {
  if (impl_->options.watcher != nullptr) impl_->options.watcher->OnEnd(impl_->Scene());
}

const StateCount& CrashChecker::count() const { return impl_->count; }

// --- Changes -------------------------------------------------------------------------------------

void CrashChecker::OnSubmit(const sim::BlockDevice&, const sim::Bio& bio) {
  impl_->submissions.OnSubmit(bio);
}

void CrashChecker::OnWritePossible(const sim::BlockDevice& device, const sim::Bio& bio) {
  const sim::Landing landing = device.LandingOf(bio.id);
  impl_->ReadLogBlocks(bio);
  impl_->CountWrite(landing);
  if (impl_->options.crash_at == CrashAt::kEachChange) {
    impl_->JudgeWrite(landing);
  } else if (bio.fua) {
    impl_->JudgeFamily();
  }
}

void CrashChecker::OnDurable(const sim::BlockDevice&) {
  impl_->world.Touch(kPromises, sim::Access::kWrite);
  impl_->scan_is_old = true;
  impl_->CountAgain();
  if (impl_->options.crash_at == CrashAt::kEachFlush) impl_->JudgeFamily();
}

void CrashChecker::OnPromise(FileKey file) {
  impl_->world.Touch(kPromises, sim::Access::kRead);
  impl_->ConsiderFamily();
  for (const PossibleRecovery& recovery : impl_->recoveries) {
    impl_->Report(recovery, impl_->judge.JudgeFile(recovery, file));
  }
}

// --- Keeping up ----------------------------------------------------------------------------------

// Transactions are what the file system writes, whatever the device makes of it.
void CrashChecker::Impl::ReadLogBlocks(const sim::Bio& bio) {
  for (size_t i = 0; i < bio.contents.size(); ++i) {
    if (!InLog(bio.sector + i)) continue;
    const SectorContent content = bio.contents[i];
    if (KindOf(content) == ContentKind::kImage && ImageSectorOf(content) == 0) {
      states.OnLogBlock(ImageOf(content));
    }
  }
}

void CrashChecker::Impl::CountSector(size_t contents, int change) {
  if (contents < 2) return;
  if (signature.size() < contents - 1) signature.resize(contents - 1);
  signature[contents - 2] += static_cast<uint32_t>(change);
}

// The newest version of each of the sectors is the write's.
void CrashChecker::Impl::CountWrite(const sim::Landing& landing) {
  for (size_t i = 0; i < landing.contents.size(); ++i) {
    const uint64_t sector = landing.sector + i;
    scan_is_old |= InLog(sector);
    const absl::Span<const sim::PendingVersion> versions = device.pending(sector);
    const bool had = device.durable(sector) == landing.contents[i] ||
                     std::any_of(versions.begin(), versions.end() - 1, [&](const auto& version) {
                       return version.content == landing.contents[i];
                     });
    if (had) continue;
    const size_t contents = view.At(sector).size();
    CountSector(contents - 1, -1);
    CountSector(contents, +1);
  }
}

void CrashChecker::Impl::CountAgain() {
  signature.clear();
  for (const uint64_t sector : device.pending_sectors()) CountSector(view.At(sector).size(), +1);
}

// Those that were there before come first.
void CrashChecker::Impl::Rescan() {
  judged = recoveries.size();
  if (!std::exchange(scan_is_old, false)) return;
  std::vector<PossibleRecovery> old = std::exchange(recoveries, {});
  std::vector<Outcome> fresh;
  for (Outcome& outcome : ScanJournal(view, geometry, images)) {
    const auto known = absl::c_find_if(
        old, [&](const PossibleRecovery& recovery) { return recovery.outcome.SameAs(outcome); });
    if (known == old.end()) {
      fresh.push_back(std::move(outcome));
      continue;
    }
    known->outcome = std::move(outcome);
    recoveries.push_back(std::move(*known));
  }
  judged = recoveries.size();
  for (Outcome& outcome : fresh) recoveries.emplace_back(geometry, std::move(outcome));
}

// --- Judging -------------------------------------------------------------------------------------

void CrashChecker::Impl::ConsiderFamily() {
  Rescan();
  count.AddFamily(signature);
  if (options.watcher != nullptr) options.watcher->OnFamily(Scene(), recoveries);
}

void CrashChecker::Impl::JudgeWrite(const sim::Landing& landing) {
  ConsiderFamily();
  for (size_t i = 0; i < recoveries.size(); ++i) {
    Report(recoveries[i], i < judged
                              ? judge.JudgeSectors(recoveries[i], landing.sector, landing.contents)
                              : judge.JudgeAll(recoveries[i]));
  }
}

void CrashChecker::Impl::JudgeFamily() {
  ConsiderFamily();
  for (const PossibleRecovery& recovery : recoveries) Report(recovery, judge.JudgeAll(recovery));
}

void CrashChecker::Impl::Report(const PossibleRecovery& recovery,
                                const std::vector<CrashFault>& faults) {
  if (faults.empty()) return;
  const CrashScene scene = Scene();
  for (const CrashFault& fault : faults) {
    const bool within_contract = options.data_writeback && WithinWritebackContract(fault);
    if (within_contract || !reported.insert(IdentityOf(scene, fault)).second) continue;
    sim::Finding finding{.kind = FindingKindOf(fault),
                         .message = MessageOf(scene, fault),
                         .step = world.turns(),
                         .at = world.now()};
    if (options.tells_stories || options.watcher != nullptr) {
      const MinimalState minimal = FindMinimalState(scene, recovery, fault);
      finding.detail = DetailOf(scene, fault, minimal);
      if (options.watcher != nullptr) options.watcher->OnFault(scene, fault, minimal, finding);
    }
    world.Report(std::move(finding));
  }
}

}  // namespace model
