#include "model/crash/history.h"

#include <algorithm>

#include "sim/check.h"

namespace model {
namespace {

auto DataOf(WriteId id) {
  return [id](uint32_t granule) { return DataContent(id, granule); };
}

size_t GranulesOfSize(uint64_t size_bytes) {
  return static_cast<size_t>((size_bytes + kGranuleBytes - 1) / kGranuleBytes);
}

}  // namespace

// --- What happens --------------------------------------------------------------------------------

History::History(const History& from, GranuleTable& granules)
    : granules_(granules),
      seq_(from.seq_),
      files_(from.files_),
      name_changes_(from.name_changes_),
      writes_(from.writes_),
      syncs_(from.syncs_),
      last_direct_(from.last_direct_),
      directs_(from.directs_) {}

void History::Created(FileKey file, std::string name, FileContract contract, Tid tid) {
  ++seq_;
  name_changes_.push_back({tid, name, file});
  File created{.key = file, .name = std::move(name), .named = tid, .contract = contract};
  SIM_CHECK(files_.emplace(file, std::move(created)).second);
}

void History::BeginCall(FileKey key) {
  File& file = Get(key);
  if (file.calls++ == 0) file.settled = file.contents;
}

void History::EndCall(FileKey key) {
  ++seq_;
  File& file = Get(key);
  SIM_CHECK(file.calls > 0);
  if (--file.calls == 0) file.settled = {};
}

WriteId History::BeginWrite(FileKey file, uint64_t pos_bytes, uint64_t len_bytes) {
  ++seq_;
  SIM_CHECK(files_.contains(file));
  writes_.push_back({file, pos_bytes, len_bytes});
  return last_write();
}

uint64_t History::WriteOfFile(WriteId id) const {
  const auto end = writes_.begin() + (id - 1);
  return static_cast<uint64_t>(std::count_if(
      writes_.begin(), end, [&](const Write& other) { return other.file == write(id).file; }));
}

void History::Copied(WriteId id, uint64_t pos_bytes, uint64_t len_bytes) {
  ++seq_;
  const Write& write = writes_[id - 1];
  const uint64_t end = pos_bytes + len_bytes;
  SIM_CHECK(pos_bytes >= write.pos_bytes && end <= write.pos_bytes + write.len_bytes);
  if (len_bytes == 0) return;
  File& file = Get(write.file);
  file.changed = seq_;
  FileContents& contents = file.contents;
  if (pos_bytes > contents.size_bytes) AddOnceZero(file, contents.size_bytes, pos_bytes);
  contents.Grow(end);
  contents.Put(pos_bytes, end, DataOf(id), granules_);
}

void History::Stored(WriteId id, uint64_t pos_bytes, uint64_t len_bytes) {
  Copied(id, pos_bytes, len_bytes);
  FileContents& settled = Get(writes_[id - 1].file).settled;
  const uint64_t end = std::min(pos_bytes + len_bytes, settled.size_bytes);
  settled.Put(pos_bytes, end, DataOf(id), granules_);
}

void History::Truncated(FileKey key, uint64_t new_size_bytes, Tid tid) {
  ++seq_;
  File& file = Get(key);
  file.changed = seq_;
  const uint64_t old_size_bytes = file.contents.size_bytes;
  if (new_size_bytes >= old_size_bytes) {
    if (new_size_bytes > old_size_bytes) AddOnceZero(file, old_size_bytes, new_size_bytes);
    file.contents.Grow(new_size_bytes);
    return;
  }
  file.removals.push_back({.began = seq_,
                           .done = seq_,
                           .begin = new_size_bytes,
                           .tid = tid,
                           .unmapped_begin = new_size_bytes,
                           .unmapped_end = UINT64_MAX,
                           .next_write = last_write() + 1});
  SizeSet(key, new_size_bytes, tid);
  file.contents.Shrink(new_size_bytes, granules_);
  file.settled.Shrink(new_size_bytes, granules_);
}

void History::BeginZero(FileKey key, uint64_t begin_bytes, uint64_t end_bytes) {
  ++seq_;
  File& file = Get(key);
  file.removals.push_back({.began = seq_, .begin = begin_bytes, .end = end_bytes});
  const uint64_t end = std::min(end_bytes, file.contents.size_bytes);
  if (begin_bytes < end) AddOnceZero(file, begin_bytes, end);
}

void History::EndZero(FileKey key, uint64_t unmapped_begin, uint64_t unmapped_end, Tid tid) {
  ++seq_;
  File& file = Get(key);
  Removal& removal = file.removals.back();
  SIM_CHECK(removal.done == UINT32_MAX);
  file.changed = seq_;
  removal.done = seq_;
  removal.tid = tid;
  removal.unmapped_begin = unmapped_begin;
  removal.unmapped_end = unmapped_end;
  removal.next_write = last_write() + 1;
  for (FileContents* contents : {&file.contents, &file.settled}) {
    contents->Put(
        removal.begin, std::min(removal.end, contents->size_bytes),
        [](uint32_t) { return kZeroContent; }, granules_);
  }
}

void History::Unlinked(FileKey key, Tid tid) {
  ++seq_;
  File& file = Get(key);
  SIM_CHECK(!file.unlinked.has_value());
  file.unlinked = Unlink{seq_, tid};
  name_changes_.push_back({tid, file.last_name(), std::nullopt});
}

void History::Renamed(FileKey key, std::string name, Tid tid) {
  ++seq_;
  File& file = Get(key);
  name_changes_.push_back({tid, file.last_name(), std::nullopt});
  name_changes_.push_back({tid, name, key});
  file.later_names.push_back(std::move(name));
  file.named = tid;
}

// --- Past the page cache -------------------------------------------------------------------------

DirectId History::BeginDirect(FileKey file, uint64_t begin_bytes, uint64_t end_bytes,
                              uint32_t block_bytes) {
  for (const auto& [id, other] : directs_) {
    if (other.file == file) ContestCommon(file, {begin_bytes, end_bytes}, {other.begin, other.end});
  }
  directs_[++last_direct_] = {file, begin_bytes, end_bytes, block_bytes};
  return last_direct_;
}

void History::EndDirect(DirectId id, bool ok) {
  const auto node = directs_.extract(id);
  SIM_CHECK(!node.empty());
  const Direct& direct = node.mapped();
  if (!ok) Contest(direct.file, {direct.begin, direct.end});
}

void History::Dirtied(FileKey file, uint64_t begin_bytes, uint64_t end_bytes) {
  for (const auto& [id, direct] : directs_) {
    if (direct.file != file) continue;
    const uint64_t bs = direct.block_bytes;
    ContestCommon(file, {begin_bytes, end_bytes},
                  {direct.begin / bs * bs, (direct.end + bs - 1) / bs * bs});
  }
}

void History::ContestCommon(FileKey file, FileRange a, FileRange b) {
  const FileRange common = {std::max(a.first, b.first), std::min(a.second, b.second)};
  if (common.first < common.second) Contest(file, common);
}

void History::Contest(FileKey key, FileRange range) {
  ++seq_;
  File& file = Get(key);
  file.changed = seq_;
  file.contested.push_back(range);
}

// --- What is promised ----------------------------------------------------------------------------

SyncId History::BeginSync(SyncKind kind, FileKey file) {
  ++seq_;
  syncs_.emplace_back();
  Promise(syncs_.back(), kind, Get(file));
  return static_cast<SyncId>(syncs_.size() - 1);
}

SyncId History::BeginSyncAll() {
  ++seq_;
  syncs_.emplace_back();
  for (const auto& [key, file] : files_) Promise(syncs_.back(), SyncKind::kSync, file);
  return static_cast<SyncId>(syncs_.size() - 1);
}

// A file without a name is nothing that a power cut could leave.
void History::Promise(Sync& sync, SyncKind kind, const File& file) const {
  if (file.unlinked.has_value()) return;
  const Tid named = kind == SyncKind::kFdatasync ? 0 : file.named;
  const auto& [size_bytes, granules] = file.Settled();
  sync.promises.push_back({file.key, {kind, seq_, 0, size_bytes, granules, named}});
}

ReplacePromise History::BeginReplace(FileKey key, std::vector<FileRange> delayed) const {
  const File* file = Find(key);
  SIM_CHECK(file != nullptr);
  const auto& [size_bytes, granules] = file->Settled();
  ReplacePromise promise{.began = seq_, .granules = granules, .ranges = std::move(delayed)};
  for (auto& [begin, end] : promise.ranges) {
    end = std::min(end, size_bytes);
    promise.size_bytes = std::max(promise.size_bytes, end);
  }
  return promise;
}

void History::EndReplace(FileKey key, ReplacePromise promise, Tid tid) {
  ++seq_;
  File& file = Get(key);
  promise.tid = tid;
  if (!file.write_failed) file.replacements.push_back(std::move(promise));
}

SyncId History::BeginSyncRange(SyncKind kind, FileKey key, uint64_t begin_bytes,
                               uint64_t end_bytes) {
  ++seq_;
  Sync& sync = syncs_.emplace_back();
  const File& file = Get(key);
  const FileContents& contents = file.Settled();
  end_bytes = std::min(end_bytes, contents.size_bytes);
  if (!file.unlinked.has_value() && begin_bytes < end_bytes) {
    sync.range = {key,
                  {.began = seq_,
                   .begin = begin_bytes,
                   .end = end_bytes,
                   .size_bytes = EndOfData(contents, begin_bytes, end_bytes),
                   .granules = contents.granules,
                   .named = kind == SyncKind::kFdatasync ? 0 : file.named}};
  }
  return static_cast<SyncId>(syncs_.size() - 1);
}

// 0: [begin, end) has zeros only.
uint64_t History::EndOfData(const FileContents& contents, uint64_t begin, uint64_t end) const {
  uint64_t last = 0;
  for (uint64_t granule = begin / kGranuleBytes; granule * kGranuleBytes < end; ++granule) {
    uint64_t pos = granule * kGranuleBytes;
    for (const GranuleRun& run : granules_.Runs(contents.granules[granule])) {
      const uint64_t run_end = std::min(end, granule * kGranuleBytes + run.end_byte);
      if (run.content != kZeroContent && std::max(pos, begin) < run_end) last = run_end;
      pos = run_end;
    }
  }
  return last;
}

void History::EndSync(SyncId id, bool ok) {
  ++seq_;
  Sync sync = std::exchange(syncs_[id], {});
  if (!ok) return;
  if (sync.range.has_value()) EndSyncRange(sync.range->first, std::move(sync.range->second));
  for (auto& [key, promise] : sync.promises) {
    File& file = Get(key);
    if (file.write_failed) continue;
    promise.ended = seq_;
    if (file.promise.has_value() && file.promise->began > promise.began) continue;
    std::erase_if(file.range_promises,
                  [began = promise.began](const auto& range) { return range.began < began; });
    file.promise = std::move(promise);
    if (listener_ != nullptr) listener_->OnPromise(key);
  }
}

void History::EndSyncRange(FileKey key, RangePromise promise) {
  File& file = Get(key);
  const bool is_implied = file.promise.has_value() && file.promise->began > promise.began;
  if (file.write_failed || is_implied) return;
  promise.ended = seq_;
  file.range_promises.push_back(std::move(promise));
  if (listener_ != nullptr) listener_->OnPromise(key);
}

// --- The reference -------------------------------------------------------------------------------

SectorContent History::ReferenceContent(FileKey key, uint32_t granule) const {
  const File* file = Find(key);
  SIM_CHECK(file != nullptr);
  const std::vector<SectorContent>& granules = file->contents.granules;
  return granule < granules.size() ? granules[granule] : kZeroContent;
}

uint64_t History::ReferenceSize(FileKey key) const {
  const File* file = Find(key);
  SIM_CHECK(file != nullptr);
  return file->contents.size_bytes;
}

std::map<std::string, FileKey> History::NamesAt(Tid recovered) const {
  std::map<std::string, FileKey> names;
  for (const NameChange& change : name_changes_) {
    if (change.tid > recovered) break;
    if (change.file.has_value()) {
      names.insert_or_assign(change.name, *change.file);
    } else {
      names.erase(change.name);
    }
  }
  return names;
}

const History::File* History::Find(FileKey key) const {
  const auto it = files_.find(key);
  return it != files_.end() ? &it->second : nullptr;
}

History::File& History::Get(FileKey key) {
  const auto it = files_.find(key);
  SIM_CHECK(it != files_.end());
  return it->second;
}

void History::AddOnceZero(File& file, uint64_t begin, uint64_t end) {
  auto& ranges = file.once_zero;
  auto first = std::find_if(ranges.begin(), ranges.end(),
                            [&](const auto& range) { return range.second >= begin; });
  auto last = first;
  for (; last != ranges.end() && last->first <= end; ++last) {
    begin = std::min(begin, last->first);
    end = std::max(end, last->second);
  }
  first = ranges.erase(first, last);
  ranges.insert(first, {begin, end});
}

// --- Contents ------------------------------------------------------------------------------------

void FileContents::Grow(uint64_t new_size_bytes) {
  if (new_size_bytes <= size_bytes) return;
  size_bytes = new_size_bytes;
  granules.resize(GranulesOfSize(size_bytes), kZeroContent);
}

void FileContents::Shrink(uint64_t new_size_bytes, GranuleTable& table) {
  if (new_size_bytes >= size_bytes) return;
  size_bytes = new_size_bytes;
  granules.resize(GranulesOfSize(size_bytes));
  if (const uint32_t tail = size_bytes % kGranuleBytes; tail != 0) {
    granules.back() = table.Overlay(granules.back(), tail, kGranuleBytes, kZeroContent);
  }
}

void FileContents::Put(uint64_t begin, uint64_t end,
                       absl::FunctionRef<SectorContent(uint32_t)> content_of, GranuleTable& table) {
  for (uint64_t pos = begin; pos < end;) {
    const auto granule = static_cast<uint32_t>(pos / kGranuleBytes);
    const uint64_t granule_end = std::min<uint64_t>(end, uint64_t{granule + 1} * kGranuleBytes);
    const auto begin_in = static_cast<uint32_t>(pos % kGranuleBytes);
    const auto end_in = static_cast<uint32_t>(begin_in + (granule_end - pos));
    SectorContent& content = granules[granule];
    const SectorContent put = content_of(granule);
    content =
        end_in - begin_in == kGranuleBytes ? put : table.Overlay(content, begin_in, end_in, put);
    pos = granule_end;
  }
}

// --- Questions -----------------------------------------------------------------------------------

bool ReplacePromise::Covers(uint64_t pos_bytes) const {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.first <= pos_bytes && pos_bytes < range.second;
  });
}

WriteId History::File::FirstWriteInPrefix(uint64_t pos_bytes, Tid recovered) const {
  WriteId first = 0;
  for (const Removal& removal : removals) {
    if (removal.tid <= recovered && removal.unmapped_begin <= pos_bytes &&
        pos_bytes < removal.unmapped_end) {
      first = removal.next_write;
    }
  }
  return first;
}

WriteId History::File::FirstWriteBefore(uint64_t pos_bytes, HistorySeq seq) const {
  WriteId first = 0;
  for (const Removal& removal : removals) {
    if (removal.Covers(pos_bytes) && removal.done < seq) first = removal.next_write;
  }
  return first;
}

bool History::File::SizeWasSet(uint64_t size, Tid recovered) const {
  return std::any_of(sizes.begin(), sizes.end(),
                     [&](const auto& set) { return set.first <= recovered && set.second == size; });
}

bool History::File::RemovedAfterPrefix(uint64_t pos_bytes, Tid recovered) const {
  return std::any_of(removals.begin(), removals.end(), [&](const Removal& removal) {
    return removal.tid > recovered && removal.Covers(pos_bytes);
  });
}

bool History::File::RemovedSince(uint64_t pos_bytes, HistorySeq seq, Tid recovered) const {
  const bool may_be_gone = UnlinkedInPrefix(recovered) || !contract.kept_until_unlinked;
  if (unlinked.has_value() && unlinked->seq > seq && may_be_gone) return true;
  return std::any_of(removals.begin(), removals.end(), [&](const Removal& removal) {
    return removal.done > seq && removal.Covers(pos_bytes);
  });
}

bool History::File::ZeroedMeanwhile(uint64_t pos_bytes, HistorySeq began, HistorySeq ended) const {
  return std::any_of(removals.begin(), removals.end(), [&](const Removal& removal) {
    return !removal.is_truncate() && removal.Covers(pos_bytes) && removal.began < ended &&
           removal.done > began;
  });
}

bool History::File::Contested(uint64_t begin_bytes, uint64_t end_bytes) const {
  return std::any_of(contested.begin(), contested.end(), [&](const auto& range) {
    return range.first < end_bytes && begin_bytes < range.second;
  });
}

bool History::File::OnceZero(uint64_t pos_bytes) const {
  return std::any_of(once_zero.begin(), once_zero.end(), [&](const auto& range) {
    return range.first <= pos_bytes && pos_bytes < range.second;
  });
}

}  // namespace model
