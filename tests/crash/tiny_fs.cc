#include "tests/crash/tiny_fs.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/check.h"

namespace model {

TinyFs::TinyFs(const TinyRules& rules, const CrashOptions& options, uint64_t seed,
               FileContract contract, sim::DeviceConfig device)
    : rules_(rules), contract_(contract), world_({.seed = seed}, strategy_, pool_, stacks_) {
  if (!rules.journal_has_checksums) geometry_.journal_checksum = JournalChecksum::kNone;
  if (rules.journal_is_external) {
    geometry_.external_journal = true;
    geometry_.blocks -= geometry_.journal_blocks;
    device.second_device = geometry_.first_sector(geometry_.journal());
  }
  device.size_sectors = geometry_.first_sector(geometry_.end());
  device_ = std::make_unique<sim::BlockDevice>(world_, device, Mkfs());
  checker_ =
      std::make_unique<CrashChecker>(world_, *device_, geometry_, images_, history_, options);
}

void TinyFs::Run(std::function<void()> story) {
  (void)world_.Spawn("story", sim::TaskKind::kUser, [this, story] {
    story();
    Settle();
  });
  SIM_CHECK(world_.Run() == sim::ExecutionEnd::kFinished);
}

std::vector<std::string> TinyFs::Findings() const {
  std::vector<std::string> all;
  for (const sim::Finding& finding : world_.findings()) {
    all.push_back(absl::StrCat(finding.kind, ": ", finding.message));
  }
  return all;
}

// --- Layout --------------------------------------------------------------------------------------

std::vector<SectorContent> TinyFs::Mkfs() {
  Bitmap blocks(geometry_.blocks);
  for (Pblk pblk = 0; pblk < geometry_.first_data(); ++pblk) blocks.Set(pblk);
  blocks.Clear(geometry_.lost_found());  // there is none, and nobody is given the block
  Bitmap inodes(geometry_.inodes);
  for (Ino ino = 1; ino < kFirstIno; ++ino) inodes.Set(ino - 1);
  for (Pblk pblk = geometry_.blocks; pblk > geometry_.first_data(); --pblk)
    free_.push_back(pblk - 1);
  metadata_[geometry_.superblock()] = DiskSuperBlock{};
  metadata_[geometry_.group_descriptors()] =
      GroupDescriptors{.bg_free_blocks_count = static_cast<uint32_t>(free_.size() + 1),
                       .bg_free_inodes_count = geometry_.inodes - kFirstIno + 1};
  metadata_[geometry_.block_bitmap()] = blocks;
  metadata_[geometry_.inode_bitmap()] = inodes;
  for (uint32_t i = 0; i < geometry_.inode_table_blocks(); ++i) {
    metadata_[geometry_.inode_table() + i] =
        InodeTableBlock{std::vector<DiskInode>(geometry_.inodes_per_block())};
  }
  metadata_[geometry_.root_directory()] = DirectoryBlock{};
  DiskInode& root = std::get<InodeTableBlock>(metadata_[geometry_.inode_table_block(kRootIno)])
                        .inodes[geometry_.inode_slot(kRootIno)];
  root = {.type = FileType::kDirectory,
          .i_links_count = 2,
          .i_size_bytes = geometry_.block_bytes,
          .i_blocks = 1};
  root.i_block.extents = {{0, 1, geometry_.root_directory(), false}};
  committed_[0] = metadata_;

  const uint32_t sectors = geometry_.sectors_per_block();
  std::vector<SectorContent> disk(geometry_.first_sector(geometry_.end()));
  for (size_t sector = 0; sector < disk.size(); ++sector) disk[sector] = StaleContent(sector);
  const auto put = [&](Pblk pblk, const BlockContent& content) {
    const ImageId image = images_.Add(content, pblk);
    for (uint32_t i = 0; i < sectors; ++i) {
      disk[geometry_.first_sector(pblk) + i] = ImageContent(image, i);
    }
  };
  for (const auto& [pblk, content] : metadata_) put(pblk, content);
  put(geometry_.journal(), JournalSuperblock{});
  return disk;
}

BlockContent& TinyFs::Dirty(Pblk pblk) {
  dirty_.insert(pblk);
  return metadata_[pblk];
}

DiskInode& TinyFs::Inode(Ino ino) {
  return std::get<InodeTableBlock>(Dirty(geometry_.inode_table_block(ino)))
      .inodes[geometry_.inode_slot(ino)];
}

void TinyFs::Mark(Pblk pblk, bool used) {
  auto& bitmap = std::get<Bitmap>(Dirty(geometry_.block_bitmap()));
  auto& group = std::get<GroupDescriptors>(Dirty(geometry_.group_descriptors()));
  used ? bitmap.Set(pblk) : bitmap.Clear(pblk);
  used ? --group.bg_free_blocks_count : ++group.bg_free_blocks_count;
}

Pblk TinyFs::Allocate() {
  SIM_CHECK(!free_.empty());
  const Pblk pblk = free_.back();
  free_.pop_back();
  Mark(pblk, true);
  return pblk;
}

void TinyFs::Free(Pblk pblk, bool metadata) {
  Mark(pblk, false);
  if (metadata) {
    dirty_.erase(pblk);
    metadata_.erase(pblk);
    forgotten_.push_back(pblk);
    if (rules_.writes_revokes) revokes_.push_back(pblk);
  }
  if (rules_.reuse_after_commit) {
    freed_.push_back(pblk);
  } else {
    free_.push_back(pblk);
  }
}

// More than one extent goes to a node of its own.
void TinyFs::WriteInode(File& file) {
  std::vector<Extent> extents;
  for (const auto& [lblk, pblk] : file.blocks) {
    if (!extents.empty() && extents.back().end() == lblk &&
        extents.back().ee_start + extents.back().ee_len == pblk) {
      ++extents.back().ee_len;
    } else {
      extents.push_back({lblk, 1, pblk, false});
    }
  }
  ExtentNode root;
  if (extents.size() > 1) {
    if (file.node == 0) {
      file.node = Allocate();
      std::erase(revokes_, file.node);  // jbd2_journal_cancel_revoke()
    }
    Dirty(file.node) = ExtentNode{.extents = extents};
    root = {.eh_depth = 1, .indexes = {{extents[0].ee_block, file.node}}};
  } else {
    root.extents = extents;
    if (file.node != 0) Free(std::exchange(file.node, 0), /*metadata=*/true);
  }
  DiskInode& inode = Inode(file.key.ino);
  inode.i_size_bytes = file.size;
  inode.i_blocks = static_cast<uint32_t>(file.blocks.size()) + (file.node != 0 ? 1 : 0);
  inode.i_block = root;
}

// --- Operations ----------------------------------------------------------------------------------

void TinyFs::Create(const std::string& name) {
  auto& bitmap = std::get<Bitmap>(Dirty(geometry_.inode_bitmap()));
  Ino ino = kFirstIno;
  while (bitmap.Test(ino - 1)) ++ino;
  bitmap.Set(ino - 1);
  --std::get<GroupDescriptors>(Dirty(geometry_.group_descriptors())).bg_free_inodes_count;
  const FileKey key{ino, ++generations_};
  files_[name] = {.key = key};
  Inode(ino) = {.type = FileType::kRegular, .i_links_count = 1, .i_generation = key.generation};
  std::get<DirectoryBlock>(Dirty(geometry_.root_directory())).entries[name] = ino;
  history_.Created(key, name, contract_, running_);
  events_.push_back(
      {.kind = TinyEvent::Kind::kCreated, .file = key, .tid = running_, .name = name});
}

void TinyFs::Unlink(const std::string& name) {
  File file = files_.extract(name).mapped();
  history_.Unlinked(file.key, running_);
  events_.push_back({.kind = TinyEvent::Kind::kUnlinked, .file = file.key, .tid = running_});
  std::get<DirectoryBlock>(Dirty(geometry_.root_directory())).entries.erase(name);
  FreeFile(std::move(file));
}

void TinyFs::FreeFile(File file) {
  for (const auto& [lblk, pblk] : std::exchange(file.blocks, {})) Free(pblk, false);
  WriteInode(file);
  Inode(file.key.ino) = DiskInode{};
  std::get<Bitmap>(Dirty(geometry_.inode_bitmap())).Clear(file.key.ino - 1);
  ++std::get<GroupDescriptors>(Dirty(geometry_.group_descriptors())).bg_free_inodes_count;
}

void TinyFs::Rename(const std::string& from, const std::string& to) {
  const auto entries = [&]() -> auto& {
    return std::get<DirectoryBlock>(Dirty(geometry_.root_directory())).entries;
  };
  const File file = files_.extract(from).mapped();
  auto replaced = files_.extract(to);
  entries()[to] = file.key.ino;
  if (!replaced.empty()) FreeFile(replaced.mapped());
  if (!rules_.renames_at_once) {
    Inode(file.key.ino).i_links_count = 2;
    Commit();
    Inode(file.key.ino).i_links_count = 1;
  }
  entries().erase(from);
  if (!replaced.empty()) {
    const FileKey gone = replaced.mapped().key;
    history_.Unlinked(gone, running_);
    events_.push_back({.kind = TinyEvent::Kind::kUnlinked, .file = gone, .tid = running_});
    history_.EndReplace(file.key, history_.BeginReplace(file.key, {{0, file.size}}), running_);
  }
  history_.Renamed(file.key, to, running_);
  events_.push_back({.kind = TinyEvent::Kind::kRenamed,
                     .file = file.key,
                     .replaces = !replaced.empty(),
                     .tid = running_,
                     .name = to});
  files_[to] = file;
}

void TinyFs::Write(const std::string& name, uint64_t pos, uint64_t len, bool data) {
  File& file = files_.at(name);
  const WriteId write = history_.BeginWrite(file.key, pos, len);
  history_.Copied(write, pos, len);
  events_.push_back({TinyEvent::Kind::kCopied, file.key, write, pos, len});
  file.size = std::max(file.size, pos + len);
  const auto first = static_cast<Lblk>(pos / geometry_.block_bytes);
  const auto last = static_cast<Lblk>((pos + len - 1) / geometry_.block_bytes);
  for (Lblk lblk = first; data && lblk <= last; ++lblk) {
    if (!file.blocks.contains(lblk)) file.blocks[lblk] = Allocate();
  }
  WriteInode(file);
  for (Lblk lblk = first; data && lblk <= last; ++lblk) WriteData(file, lblk);
}

void TinyFs::Truncate(const std::string& name, uint64_t size) {
  File& file = files_.at(name);
  history_.Truncated(file.key, size, running_);
  events_.push_back(
      {.kind = TinyEvent::Kind::kTruncated, .file = file.key, .pos = size, .tid = running_});
  const bool down = size < file.size;
  file.size = size;
  const auto end = static_cast<Lblk>((size + geometry_.block_bytes - 1) / geometry_.block_bytes);
  while (down && !file.blocks.empty() && file.blocks.rbegin()->first >= end) {
    Free(file.blocks.rbegin()->second, false);
    file.blocks.erase(std::prev(file.blocks.end()));
  }
  WriteInode(file);
  const bool tail = rules_.zeroes_tail && down && size % geometry_.block_bytes != 0 &&
                    file.blocks.contains(end - 1);
  if (tail) WriteData(file, end - 1);
}

void TinyFs::Punch(const std::string& name, uint64_t pos, uint64_t len) {
  File& file = files_.at(name);
  const uint64_t bs = geometry_.block_bytes;
  const uint64_t end = std::min(pos + len, (file.size + bs - 1) / bs * bs);
  if (pos >= end) return;
  const auto first = static_cast<Lblk>((pos + bs - 1) / bs);
  const auto last = static_cast<Lblk>(end / bs);
  history_.BeginZero(file.key, pos, end);
  history_.EndZero(file.key, first * bs, std::max(first, last) * bs, running_);
  events_.push_back({.kind = TinyEvent::Kind::kPunched,
                     .file = file.key,
                     .pos = pos,
                     .len = end - pos,
                     .tid = running_});
  for (Lblk lblk = first; rules_.punches_blocks && lblk < last; ++lblk) {
    if (!file.blocks.contains(lblk)) continue;
    Free(file.blocks.at(lblk), false);
    file.blocks.erase(lblk);
  }
  WriteInode(file);
  for (const Lblk lblk : {static_cast<Lblk>(pos / bs), last}) {
    if ((lblk >= first && lblk < last) || !file.blocks.contains(lblk)) continue;
    WriteData(file, lblk);
    if (first > last) return;  // both ends in one block
  }
}

void TinyFs::Fsync(const std::string& name) {
  const FileKey key = files_.at(name).key;
  const SyncId sync = history_.BeginSync(SyncKind::kFsync, key);
  events_.push_back({.kind = TinyEvent::Kind::kSyncBegin, .file = key, .sync = sync});
  if (rules_.fsync_commits) {
    Commit();
    Flush();
  }
  events_.push_back({.kind = TinyEvent::Kind::kSyncOk, .file = key, .sync = sync});
  history_.EndSync(sync, true);
}

// --- Input and output ----------------------------------------------------------------------------

// Waits for the block's writeback before it writes it again, as PG_writeback makes everybody do.
void TinyFs::WriteData(const File& file, Lblk lblk) {
  const Pblk pblk = file.blocks.at(lblk);
  while (writeback_.contains(pblk)) Sleep(1000);
  const uint32_t sectors = geometry_.sectors_per_block();
  absl::InlinedVector<SectorContent, 8> contents;
  for (uint32_t i = 0; i < sectors; ++i) {
    contents.push_back(history_.ReferenceContent(file.key, lblk * sectors + i));
  }
  if (rules_.data_before_commit) {
    Submit(pblk, std::move(contents), "file data", false, false, true);
  } else {
    late_data_[pblk] = std::move(contents);
  }
}

void TinyFs::Submit(Pblk pblk, absl::InlinedVector<SectorContent, 8> contents, const char* what,
                    bool preflush, bool fua, bool is_data) {
  auto bio = std::make_unique<sim::Bio>();
  bio->sector = geometry_.first_sector(pblk);
  bio->contents = std::move(contents);
  bio->what = what;
  bio->preflush = preflush;
  bio->fua = fua;
  bio->is_data = is_data;
  ++in_flight_;
  if (is_data) writeback_.insert(pblk);
  bio->end_io = [this, pblk, is_data](sim::Bio&, sim::BioStatus) {
    --in_flight_;
    if (is_data) writeback_.erase(pblk);
  };
  (void)device_->submit_bio(std::move(bio));
}

void TinyFs::SubmitImage(Pblk pblk, ImageId image, const char* what, bool preflush, bool fua) {
  absl::InlinedVector<SectorContent, 8> contents;
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    contents.push_back(ImageContent(image, i));
  }
  Submit(pblk, std::move(contents), what, preflush, fua, false);
}

ImageId TinyFs::SubmitBlock(Pblk pblk, const BlockContent& content, const char* what) {
  const ImageId image = images_.Add(content, pblk);
  SubmitImage(pblk, image, what);
  return image;
}

// Of the file system's device.
void TinyFs::Flush() {
  auto bio = std::make_unique<sim::Bio>();
  bio->op = sim::Bio::Op::kFlush;
  bio->what = "flush";
  int flushes = 1;
  bio->end_io = [&flushes](sim::Bio&, sim::BioStatus) { --flushes; };
  (void)device_->submit_bio(std::move(bio));
  WaitFor(flushes);
}

void TinyFs::WaitFor(const int& in_flight) {
  while (in_flight > 0) world_.SleepFor(1000);
}

// --- The journal ---------------------------------------------------------------------------------

void TinyFs::WriteJournalSuperblock(const JournalSuperblock& sb) {
  SubmitImage(geometry_.journal(), images_.Add(sb, geometry_.journal()), "journal superblock",
              false, true);
  Settle();
}

Pblk TinyFs::TakeLogBlock() {
  const Pblk pblk = geometry_.journal() + log_head_;
  if (++log_head_ == geometry_.journal_blocks) log_head_ = 1;
  ++log_used_;
  return pblk;
}

void TinyFs::Commit() {
  if (log_used_ + dirty_.size() + 3 > geometry_.journal_blocks - 1) Checkpoint();
  if (!std::exchange(log_started_, true)) {
    WriteJournalSuperblock({.s_start = log_head_, .s_sequence = running_});
  }
  if (!revokes_.empty()) {
    (void)SubmitBlock(TakeLogBlock(), JournalRevoke{running_, revokes_}, "journal revoke");
  }
  JournalDescriptor descriptor{.h_sequence = running_};
  for (const Pblk pblk : dirty_)
    descriptor.tags.push_back({pblk, images_.Add(metadata_[pblk], pblk)});
  if (!rules_.home_after_commit && !descriptor.tags.empty()) {
    SubmitImage(descriptor.tags[0].blocknr, descriptor.tags[0].checksum, "home write");
  }
  (void)SubmitBlock(TakeLogBlock(), descriptor, "journal descriptor");
  for (const JournalTag& tag : descriptor.tags) {
    SubmitImage(TakeLogBlock(), tag.checksum, "journal copy");
    to_write_home_[tag.blocknr] = tag.checksum;
  }
  committed_[running_] = metadata_;
  Settle();
  if (rules_.journal_is_external && rules_.flushes_data_device) Flush();
  const Pblk commit_pblk = TakeLogBlock();
  const ImageId commit = images_.Add(JournalCommit{running_}, commit_pblk);
  SubmitImage(commit_pblk, commit, "journal commit", rules_.flush_before_commit, true);
  Settle();
  for (const Pblk pblk : std::exchange(forgotten_, {})) {
    if (!dirty_.contains(pblk)) to_write_home_.erase(pblk);
  }
  ++running_;
  dirty_.clear();
  revokes_.clear();
  free_.insert(free_.end(), freed_.begin(), freed_.end());
  freed_.clear();
  for (auto& [pblk, contents] : std::exchange(late_data_, {})) {
    Submit(pblk, std::move(contents), "file data", false, false, true);
  }
}

void TinyFs::Checkpoint() {
  for (const auto& [pblk, image] : std::exchange(to_write_home_, {})) {
    SubmitImage(pblk, image, "home write");
  }
  if (rules_.home_before_tail) Settle();
  if (rules_.flush_before_tail) Flush();
  WriteJournalSuperblock({.s_start = log_head_, .s_sequence = running_});
  log_used_ = 0;
}

}  // namespace model
