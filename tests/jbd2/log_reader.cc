#include "tests/jbd2/log_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace model {

void LogReader::OnSubmit(const sim::BlockDevice&, const sim::Bio& bio) {
  if (bio.op == sim::Bio::Op::kFlush) writes_.push_back("flush");
}

void LogReader::OnWritePossible(const sim::BlockDevice&, const sim::Bio& bio) {
  writes_.push_back(absl::StrCat(bio.what, bio.preflush ? " FLUSH" : "", bio.fua ? " FUA" : ""));
  const ImageId image = ImageOf(bio.contents.front());
  const Pblk pblk = geometry_.block_of_sector(bio.sector);
  if (!geometry_.InJournal(pblk)) return;
  const uint32_t log_block = pblk - geometry_.journal();
  const BlockContent& content = images_.Get(image);
  if (const auto* superblock = std::get_if<JournalSuperblock>(&content)) {
    CheckTail(*superblock);
  } else if (const auto* revoke = std::get_if<JournalRevoke>(&content)) {
    Use(revoke->h_sequence, log_block, image);
    std::vector<Pblk>& revoked = transactions_[revoke->h_sequence].revoked;
    revoked.insert(revoked.end(), revoke->blocks.begin(), revoke->blocks.end());
  } else if (const auto* descriptor = std::get_if<JournalDescriptor>(&content)) {
    Use(descriptor->h_sequence, log_block, image);
    uint32_t copy = log_block;
    for (const JournalTag& tag : descriptor->tags) {
      copy = Next(copy);
      Use(descriptor->h_sequence, copy, tag.checksum);
      transactions_[descriptor->h_sequence].blocks[tag.blocknr] = tag.checksum;
    }
  } else if (const auto* commit = std::get_if<JournalCommit>(&content)) {
    CheckCommit(commit->h_sequence);
    Use(commit->h_sequence, log_block, image);
    transactions_[commit->h_sequence].committed = true;
  }
}

void LogReader::Use(Tid tid, uint32_t log_block, ImageId image) {
  const JournalSuperblock superblock = DurableSuperblock();
  const auto used = used_by_.find(log_block);
  if (used != used_by_.end() && superblock.s_start != 0 && used->second >= superblock.s_sequence &&
      used->second != tid) {
    breaches_.push_back(absl::StrCat("transaction ", tid, " overwrites ", used->second));
  }
  used_by_[log_block] = tid;
  transactions_[tid].log.push_back({log_block, image});
}

void LogReader::CheckCommit(Tid tid) {
  for (const auto& [log_block, image] : transactions_[tid].log) {
    if (!IsDurable(geometry_.journal() + log_block, image)) {
      breaches_.push_back(absl::StrCat("commit of ", tid, " before its log is durable"));
      return;
    }
  }
}

void LogReader::CheckTail(const JournalSuperblock& superblock) {
  const Tid tail = superblock.s_sequence;
  std::map<Pblk, ImageId> wanted;
  for (const auto& [tid, transaction] : transactions_) {
    if (tid >= tail) break;
    for (const Pblk pblk : transaction.revoked) wanted.erase(pblk);
    for (const auto& [pblk, image] : transaction.blocks) wanted[pblk] = image;
  }
  for (const auto& [pblk, image] : wanted) {
    if (!IsDurable(pblk, image) && !CommittedFrom(tail, pblk)) {
      breaches_.push_back(absl::StrCat("tail ", tail, " before block ", pblk, " is durable"));
    }
  }
}

// Does a committed transaction from `tid` on have a copy of the block, or revoke it?
bool LogReader::CommittedFrom(Tid tid, Pblk pblk) const {
  for (auto it = transactions_.lower_bound(tid); it != transactions_.end(); ++it) {
    const LogTransaction& transaction = it->second;
    if (!transaction.committed) continue;
    const std::vector<Pblk>& revoked = transaction.revoked;
    if (transaction.blocks.contains(pblk) ||
        std::find(revoked.begin(), revoked.end(), pblk) != revoked.end()) {
      return true;
    }
  }
  return false;
}

bool LogReader::IsDurable(Pblk pblk, ImageId image) const {
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    if (device_.durable(geometry_.first_sector(pblk) + i) != ImageContent(image, i)) return false;
  }
  return true;
}

template <class Block>
const Block* LogReader::DurableLog(uint32_t log_block) const {
  const ImageId image = DurableImage(geometry_.journal() + log_block);
  if (image == 0 || !IsDurable(geometry_.journal() + log_block, image)) return nullptr;
  return std::get_if<Block>(&images_.Get(image));
}

JournalSuperblock LogReader::DurableSuperblock() const { return *DurableLog<JournalSuperblock>(0); }

std::map<Pblk, ImageId> LogReader::Replay() const {
  const JournalSuperblock superblock = DurableSuperblock();
  struct Copy {
    Tid tid;
    Pblk pblk;
    ImageId image;
  };
  std::vector<Copy> copies, tentative;
  std::map<Pblk, Tid> revoked, tentative_revoked;
  Tid tid = superblock.s_sequence;
  uint32_t at = superblock.s_start;
  for (uint32_t seen = 0; superblock.s_start != 0 && seen < geometry_.journal_blocks; ++seen) {
    if (const auto* revoke = DurableLog<JournalRevoke>(at);
        revoke != nullptr && revoke->h_sequence == tid) {
      for (const Pblk pblk : revoke->blocks) tentative_revoked[pblk] = tid;
    } else if (const auto* descriptor = DurableLog<JournalDescriptor>(at);
               descriptor != nullptr && descriptor->h_sequence == tid) {
      for (const JournalTag& tag : descriptor->tags) {
        at = Next(at);
        if (!IsDurable(geometry_.journal() + at, tag.checksum)) return {};
        tentative.push_back({tid, tag.blocknr, tag.checksum});
      }
    } else if (const auto* commit = DurableLog<JournalCommit>(at);
               commit != nullptr && commit->h_sequence == tid) {
      copies.insert(copies.end(), tentative.begin(), tentative.end());
      for (const auto& [pblk, by] : tentative_revoked) revoked[pblk] = by;
      tentative.clear();
      tentative_revoked.clear();
      ++tid;
    } else {
      break;
    }
    at = Next(at);
  }
  std::map<Pblk, ImageId> replayed;
  for (const Copy& copy : copies) {
    const auto by = revoked.find(copy.pblk);
    if (by == revoked.end() || by->second < copy.tid) replayed[copy.pblk] = copy.image;
  }
  return replayed;
}

const BlockContent& LogReader::Recovered(Pblk pblk) const {
  const std::map<Pblk, ImageId> replayed = Replay();
  const auto it = replayed.find(pblk);
  return images_.Get(it != replayed.end() ? it->second : DurableImage(pblk));
}

}  // namespace model
