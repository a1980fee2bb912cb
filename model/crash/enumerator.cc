#include "model/crash/enumerator.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/ondisk/render.h"

namespace model {
namespace {

// How often one recovery is cut short before it is let through.
constexpr int kCuts = 2;

std::set<SectorContent> ContentsOf(const sim::BlockDevice& device, uint64_t sector) {
  std::set<SectorContent> contents = {device.durable(sector)};
  for (const sim::PendingVersion& version : device.pending(sector)) {
    contents.insert(version.content);
  }
  return contents;
}

}  // namespace

// --- Verdicts ------------------------------------------------------------------------------------

void FamilyVerdict::AddBytes(const FileDamage& damage, uint64_t begin, uint64_t end) {
  Ranges& ranges = bytes_[damage];
  auto next = ranges.upper_bound(begin);
  if (next != ranges.begin() && std::prev(next)->second >= begin) next = std::prev(next);
  while (next != ranges.end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    next = ranges.erase(next);
  }
  ranges.emplace(begin, end);
}

std::string FamilyVerdict::FirstNotIn(const FamilyVerdict& other) const {
  for (const std::string& fact : facts_) {
    if (!other.facts_.contains(fact)) return fact;
  }
  for (const auto& [what, ranges] : bytes_) {
    const auto found = other.bytes_.find(what);
    for (const auto& [begin, end] : ranges) {
      if (found != other.bytes_.end()) {
        const auto range = found->second.find(begin);
        if (range != found->second.end() && range->second == end) continue;
      }
      const auto& [file, damage, whose] = what;
      return absl::StrFormat("inode %d [%d,%d): damage %d of inode %d", file.ino, begin, end,
                             static_cast<int>(damage), whose.ino);
    }
  }
  return "";
}

// --- Disks ---------------------------------------------------------------------------------------

void ScratchDisk::Write(uint64_t sector, SectorContent content) {
  overwritten_.emplace_back(sector, contents_[sector]);
  contents_[sector] = content;
}

void ScratchDisk::TakeBackTo(size_t writes) {
  for (; overwritten_.size() > writes; overwritten_.pop_back()) {
    contents_[overwritten_.back().first] = overwritten_.back().second;
  }
}

bool ScratchDisk::SameAs(const ScratchDisk& other) const {
  const auto is_same = [&](const auto& overwritten) {
    return contents_[overwritten.first] == other.contents_[overwritten.first];
  };
  return std::all_of(overwritten_.begin(), overwritten_.end(), is_same) &&
         std::all_of(other.overwritten_.begin(), other.overwritten_.end(), is_same);
}

// --- States --------------------------------------------------------------------------------------

std::optional<uint64_t> StateEnumerator::States(uint64_t limit) const {
  uint64_t states = 1;
  for (const uint64_t sector : device_.pending_sectors()) {
    const uint64_t contents = ContentsOf(device_, sector).size();
    if (states > limit / contents) return std::nullopt;
    states *= contents;
  }
  return states;
}

FamilyVerdict StateEnumerator::JudgeAllStates() {
  verdict_ = {};
  cut_.clear();
  DiskState durable(device_.size_sectors());
  for (uint64_t i = 0; i < durable.size(); ++i) durable[i] = device_.durable(i);
  disk_ = recovered_ = ScratchDisk(std::move(durable));
  const std::vector<uint64_t>& pending = device_.pending_sectors();
  std::vector<std::set<SectorContent>> contents;
  for (const uint64_t sector : pending) contents.push_back(ContentsOf(device_, sector));
  const std::function<void(size_t)> choose = [&](size_t i) {
    if (i == pending.size()) return JudgeState();
    for (const SectorContent content : contents[i]) {
      disk_.Put(pending[i], content);
      recovered_.Put(pending[i], content);
      choose(i + 1);
    }
  };
  choose(0);
  return std::move(verdict_);
}

void StateEnumerator::JudgeState() {
  const Recovery recovery = Read();
  if (recovery.fails_at != 0) return verdict_.Add(absl::StrCat("home ", recovery.fails_at));
  for (const Pblk home : recovery.torn) verdict_.Add(absl::StrCat("copy ", home));
  WriteAll(recovery, recovered_);
  oracle_.Judge(recovered_.contents(), recovery.recovered, verdict_);
  if (!recovery.writes.empty()) {
    // What the disk has at home makes no difference as long as the log outlives the home writes.
    const bool is_new = cut_.emplace(recovery.superblock, recovery.recovered).second;
    const bool may_differ = is_new || !rules_.flush_before_superblock;
    if (may_differ && !MayBeCut(kCuts)) verdict_.Add("recovery");
  }
  disk_.TakeBackTo(0);
  recovered_.TakeBackTo(0);
}

// --- Recovery ------------------------------------------------------------------------------------

// The first sectors of the block hold the bytes that the image has there.
bool StateEnumerator::Holds(Pblk pblk, uint32_t sectors, ImageId image) {
  for (uint32_t i = 0; i < sectors; ++i) {
    const SectorContent is = disk_[geometry_.first_sector(pblk) + i];
    const SectorContent want = ImageContent(image, i);
    if (is == want) continue;
    const auto [same, is_new] = same_bytes_.try_emplace({is, want}, false);
    if (is_new) same->second = SameBytes(geometry_, images_, is, want);
    if (!same->second) return false;
  }
  return true;
}

ImageId StateEnumerator::ImageAt(Pblk pblk) {
  const SectorContent first = disk_[geometry_.first_sector(pblk)];
  if (KindOf(first) != ContentKind::kImage) return 0;
  const ImageId image = ImageOf(first);
  return Holds(pblk, SectorsThatTell(geometry_, images_.Get(image)), image) ? image : 0;
}

bool StateEnumerator::CannotRead(Pblk pblk) const {
  const auto first =
      disk_.contents().begin() + static_cast<ptrdiff_t>(geometry_.first_sector(pblk));
  const auto end = first + geometry_.sectors_per_block();
  return std::find(first, end, sim::kUnreadable) != end;
}

StateEnumerator::Recovery StateEnumerator::Read() {
  Recovery recovery;
  const SectorContent super = disk_[geometry_.first_sector(geometry_.journal())];
  recovery.superblock = ImageOf(super);
  if (KindOf(super) != ContentKind::kImage || CannotRead(geometry_.journal()) ||
      !std::holds_alternative<JournalSuperblock>(images_.Get(recovery.superblock))) {
    recovery.fails_at = geometry_.journal();
    return recovery;
  }
  const auto& sb = std::get<JournalSuperblock>(images_.Get(recovery.superblock));
  recovery.recovered = sb.s_sequence - 1;
  if (sb.s_start == 0) return recovery;
  struct Copy {
    Tid tid = 0;
    Pblk home = 0;
    ImageId image = 0;
    Pblk log = 0;
  };
  std::vector<Copy> copies, open;
  std::map<Pblk, Tid> revoked, open_revoked;
  uint32_t block = sb.s_start;
  uint32_t read = 0;
  const auto next = [&] {
    const Pblk pblk = geometry_.journal() + block;
    block = block + 1 == geometry_.journal_blocks ? 1 : block + 1;
    ++read;
    return pblk;
  };
  for (Tid tid = sb.s_sequence; read < geometry_.journal_blocks - 1;) {
    const Pblk pblk = next();
    if (CannotRead(pblk)) {
      recovery.fails_at = pblk;
      return recovery;
    }
    const ImageId image = ImageAt(pblk);
    if (image == 0) break;
    const BlockContent& content = images_.Get(image);
    if (const auto* d = std::get_if<JournalDescriptor>(&content); d && d->h_sequence == tid) {
      for (const JournalTag& tag : d->tags)
        open.push_back({tid, tag.blocknr, tag.checksum, next()});
    } else if (const auto* r = std::get_if<JournalRevoke>(&content); r && r->h_sequence == tid) {
      for (const Pblk pblk : r->blocks) open_revoked[pblk] = tid;
    } else if (const auto* c = std::get_if<JournalCommit>(&content); c && c->h_sequence == tid) {
      copies.insert(copies.end(), open.begin(), open.end());
      for (const auto& [pblk, at] : open_revoked) revoked[pblk] = at;
      open.clear();
      open_revoked.clear();
      recovery.recovered = tid++;
    } else {
      break;
    }
  }
  const bool checks = geometry_.journal_checksum != JournalChecksum::kNone;
  std::map<Pblk, HomeWrite> newest;  // home blocks stay in the buffer cache until all is read
  for (const Copy& copy : copies) {
    const auto revoke = revoked.find(copy.home);
    if (revoke != revoked.end() && revoke->second >= copy.tid) continue;
    if (checks ? !Holds(copy.log, geometry_.sectors_per_block(), copy.image)
               : CannotRead(copy.log)) {
      recovery.torn.push_back(copy.home);
    }
    newest[copy.home] = {copy.home, copy.image, copy.log};
  }
  for (const auto& [home, write] : newest) recovery.writes.push_back(write);
  return recovery;
}

void StateEnumerator::Write(const HomeWrite& write, uint32_t sectors, ScratchDisk& disk) const {
  for (uint32_t i = 0; i < sectors; ++i) {
    const uint64_t home = geometry_.first_sector(write.home) + i;
    if (disk[home] == sim::kUnreadable) continue;
    const SectorContent in_log = disk[geometry_.first_sector(write.log) + i];
    const bool as_found =
        geometry_.journal_checksum == JournalChecksum::kNone && in_log != sim::kUnreadable;
    disk.Write(home, as_found ? in_log : ImageContent(write.image, i));
  }
}

void StateEnumerator::WriteAll(const Recovery& recovery, ScratchDisk& disk) const {
  for (const HomeWrite& write : recovery.writes) {
    Write(write, geometry_.sectors_per_block(), disk);
  }
}

// Recovery of the disk as it is now, cut short up to `depth` times, gives the recovered one in the
// end. If so, the disk is left as it was.
bool StateEnumerator::MayBeCut(int depth) {
  const Recovery recovery = Read();
  const size_t writes = disk_.writes();
  WriteAll(recovery, disk_);
  if (!disk_.SameAs(recovered_)) return false;
  disk_.TakeBackTo(writes);
  if (depth == 0) return true;
  const uint32_t sectors = geometry_.sectors_per_block();
  for (const HomeWrite& write : recovery.writes) {
    // The log is marked empty before all is at home: nothing is done again.
    if (!rules_.flush_before_superblock && !disk_.SameAs(recovered_)) return false;
    for (const uint32_t written : {sectors / 2, sectors}) {
      Write(write, written, disk_);
      if (!MayBeCut(depth - 1)) return false;
    }
  }
  disk_.TakeBackTo(writes);
  return true;
}

}  // namespace model
