// A file system of a few blocks that writes file data and a jbd2 journal straight to a device, in
// the right order or, on demand, in a wrong one: histories for the crash checker without the model.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/crash/crash_checker.h"
#include "sim/explore/timed.h"

namespace model {

// What it gets right. Each false is a known way to go wrong.
struct TinyRules {
  bool journal_has_checksums = true;  // wrong only along with another
  bool journal_is_external = false;   // right, too
  bool flushes_data_device = true;    // before a commit to another device
  bool data_before_commit = true;
  bool flush_before_commit = true;
  bool flush_before_tail = true;
  bool home_before_tail = true;
  bool home_after_commit = true;
  bool writes_revokes = true;
  bool reuse_after_commit = true;
  bool fsync_commits = true;
  bool zeroes_tail = true;
  bool renames_at_once = true;
  bool punches_blocks = true;
};

// What happened to a file, for an oracle of its own.
struct TinyEvent {
  enum class Kind {
    kCreated,
    kCopied,
    kTruncated,
    kPunched,
    kUnlinked,
    kRenamed,
    kSyncBegin,
    kSyncOk
  };
  Kind kind = Kind::kCopied;
  FileKey file;
  WriteId write = 0;
  uint64_t pos = 0;  // kTruncated: the new size
  uint64_t len = 0;
  bool replaces = false;  // kRenamed: over another file
  Tid tid = 0;
  SyncId sync = 0;
  std::string name;  // kCreated, kRenamed: from now on
};

class TinyFs {
 public:
  using MetadataBlocks = std::map<Pblk, BlockContent>;
  static constexpr Geometry kGeometry{
      .block_bytes = 1024, .blocks = 80, .inodes = 12, .journal_blocks = 36};

  // `device`: but for its size, which is the file system's.
  TinyFs(const TinyRules& rules, const CrashOptions& options, uint64_t seed,
         FileContract contract = {}, sim::DeviceConfig device = {});

  // Runs `story` as a task; in it, the verbs below.
  void Run(std::function<void()> story);

  void Create(const std::string& name);
  void Unlink(const std::string& name);
  // Over the file that has the name `to`, if there is one: then all of the file is promised to be
  // there with the rename.
  void Rename(const std::string& from, const std::string& to);
  // `data`: written to the disk too, as opposed to just mapped (a hole, if not yet mapped).
  void Write(const std::string& name, uint64_t pos, uint64_t len, bool data = true);
  void Truncate(const std::string& name, uint64_t size);
  // Whole blocks are freed, parts of blocks zeroed in place.
  void Punch(const std::string& name, uint64_t pos, uint64_t len);
  void Fsync(const std::string& name);
  void Commit();
  void Checkpoint();
  void Flush();
  void Settle() { WaitFor(in_flight_); }
  void Sleep(sim::Nanos duration) { world_.SleepFor(duration); }
  // Damages the metadata that the next commit writes.
  template <class T>
  void Change(Pblk pblk, std::function<void(T&)> change) {
    change(std::get<T>(Dirty(pblk)));
  }
  void ChangeInode(const std::string& name, std::function<void(DiskInode&)> change) {
    change(Inode(files_.at(name).key.ino));
  }

  sim::World& world() { return world_; }
  sim::BlockDevice& device() { return *device_; }
  const Geometry& geometry() const { return geometry_; }
  const ImageStore& images() const { return images_; }
  History& history() { return history_; }
  CrashChecker& checker() { return *checker_; }
  const std::vector<TinyEvent>& events() const { return events_; }
  FileKey key(const std::string& name) const { return files_.at(name).key; }
  FileContract contract() const { return contract_; }
  // The metadata as of transaction `tid`.
  const MetadataBlocks& committed(Tid tid) const { return committed_.at(tid); }
  // "kind: message" of everything found.
  std::vector<std::string> Findings() const;

 private:
  struct File {
    FileKey key;
    uint64_t size = 0;
    std::map<Lblk, Pblk> blocks;
    Pblk node = 0;
  };

  std::vector<SectorContent> Mkfs();
  BlockContent& Dirty(Pblk pblk);
  DiskInode& Inode(Ino ino);
  Pblk Allocate();
  void Free(Pblk pblk, bool metadata);
  void Mark(Pblk pblk, bool used);
  void WriteInode(File& file);
  void FreeFile(File file);
  void WriteData(const File& file, Lblk lblk);
  void Submit(Pblk pblk, absl::InlinedVector<SectorContent, 8> contents, const char* what,
              bool preflush, bool fua, bool is_data);
  ImageId SubmitBlock(Pblk pblk, const BlockContent& content, const char* what);
  void SubmitImage(Pblk pblk, ImageId image, const char* what, bool preflush = false,
                   bool fua = false);
  void WriteJournalSuperblock(const JournalSuperblock& sb);
  Pblk TakeLogBlock();
  void WaitFor(const int& in_flight);

  TinyRules rules_;
  FileContract contract_;
  Geometry geometry_ = kGeometry;
  sim::StackPool pool_;
  sim::StackTable stacks_;
  sim::TimedStrategy strategy_;
  sim::World world_;
  ImageStore images_;
  GranuleTable granules_;
  History history_{granules_};
  std::unique_ptr<sim::BlockDevice> device_;
  std::unique_ptr<CrashChecker> checker_;
  std::vector<TinyEvent> events_;

  std::map<std::string, File> files_;
  uint32_t generations_ = 0;
  MetadataBlocks metadata_;
  std::set<Pblk> dirty_;
  std::vector<Pblk> revokes_;
  std::vector<Pblk> free_;   // the last is allocated next
  std::vector<Pblk> freed_;  // by the running transaction
  // Metadata freed by it: until it commits, the state before may still need them at home.
  std::vector<Pblk> forgotten_;
  std::map<Pblk, ImageId> to_write_home_;
  std::map<Tid, MetadataBlocks> committed_;
  Tid running_ = 1;
  uint32_t log_head_ = 1;
  uint32_t log_used_ = 0;
  bool log_started_ = false;
  int in_flight_ = 0;
  std::set<Pblk> writeback_;
  std::map<Pblk, absl::InlinedVector<SectorContent, 8>> late_data_;
};

}  // namespace model
