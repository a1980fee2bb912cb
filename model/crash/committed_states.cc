#include "model/crash/committed_states.h"

#include "sim/check.h"

namespace model {

CommittedStates::CommittedStates(const sim::BlockDevice& device, const Geometry& geometry,
                                 const ImageStore& images)
    : geometry_(geometry), images_(images) {
  CommittedState& initial = states_.emplace_back();
  for (Pblk pblk = 0; pblk < geometry.blocks; ++pblk) {
    const SectorContent first = device.initial(geometry.first_sector(pblk));
    if (geometry.InJournal(pblk) || KindOf(first) != ContentKind::kImage) continue;
    initial.images.emplace(pblk, ImageOf(first));
  }
  open_ = initial.images;
}

void CommittedStates::OnLogBlock(ImageId image) {
  const BlockContent& content = images_.Get(image);
  if (const auto* descriptor = std::get_if<JournalDescriptor>(&content)) {
    SIM_CHECK(descriptor->h_sequence == last() + 1);
    for (const JournalTag& tag : descriptor->tags) open_[tag.blocknr] = tag.checksum;
  } else if (const auto* revoke = std::get_if<JournalRevoke>(&content)) {
    SIM_CHECK(revoke->h_sequence == last() + 1);
    open_revokes_.insert(open_revokes_.end(), revoke->blocks.begin(), revoke->blocks.end());
  } else if (const auto* commit = std::get_if<JournalCommit>(&content)) {
    SIM_CHECK(commit->h_sequence == last() + 1);
    for (const Pblk pblk : open_revokes_) open_.erase(pblk);
    open_revokes_.clear();
    states_.push_back({open_, nullptr});
  }
}

const RecoveredTree& CommittedStates::Tree(Tid tid) {
  SIM_CHECK(tid <= last());
  CommittedState& state = states_[tid];
  if (state.tree == nullptr) {
    state.tree = std::make_unique<RecoveredTree>(CheckMetadata(geometry_, images_, state.images));
  }
  return *state.tree;
}

Tid CommittedStates::LastTidOf(Pblk pblk, ImageId image) const {
  for (Tid tid = last() + 1; tid-- > 0;) {
    const auto it = states_[tid].images.find(pblk);
    if (it != states_[tid].images.end() && it->second == image) return tid;
  }
  return kNever;
}

}  // namespace model
