// A small device with a journal, tasks that use it, and a reader of what they left there.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/jbd2/transaction.h"
#include "sim/explore/random.h"
#include "sim/explore/timed.h"
#include "tests/jbd2/log_reader.h"

namespace model {

inline constexpr sim::Nanos kMs = 1'000'000;

// The value that tests keep in a block of metadata.
inline BlockContent ValueBlock(Ino value) { return DirectoryBlock{{{"value", value}}}; }
inline Ino ValueOf(const BlockContent& content) {
  return std::get<DirectoryBlock>(content).entries.at("value");
}

struct RigOptions {
  uint32_t journal_blocks = 64;
  bool external_journal = false;
  bool random = false;  // strategy; else timed
  uint64_t seed = 0;
  Policy policy;
  JournalOptions journal;
  std::vector<sim::DeviceFault> faults;
};

// Blocks from first() on hold the value 0. The verbs are for tasks.
class JournalRig {
 public:
  explicit JournalRig(RigOptions options = {})
      : options(std::move(options)),
        random_(this->options.seed),
        world_(std::make_unique<sim::World>(
            sim::WorldOptions{.seed = this->options.seed, .max_turns = 200'000},
            this->options.random ? static_cast<sim::Strategy&>(random_) : timed_, pool_, stacks_)),
        tracker_(*world_, validator_),
        geometry_{.block_bytes = 1024,
                  .blocks = 256,
                  .inodes = 32,
                  .journal_blocks = this->options.journal_blocks,
                  .external_journal = this->options.external_journal},
        device_(*world_, Config(), Initial()),
        buffers_(*world_, device_, geometry_, images_),
        log_(device_, geometry_, images_),
        journal_(*world_, buffers_, this->options.policy, WithCallbacks()) {
    device_.set_listener(&log_);
  }
  // The tasks' stacks refer to everything else.
  ~JournalRig() { world_.reset(); }

  sim::World& world() { return *world_; }
  Journal& journal() { return journal_; }
  BufferCache& buffers() { return buffers_; }
  sim::BlockDevice& device() { return device_; }
  const Geometry& geometry() const { return geometry_; }
  ImageStore& images() { return images_; }
  sim::LockTracker& tracker() { return tracker_; }
  Pblk first() const { return geometry_.first_data(); }

  void Task(std::string name, absl::AnyInvocable<void()> body) {
    world_->Spawn(std::move(name), sim::TaskKind::kUser, std::move(body));
  }
  sim::ExecutionEnd Run() { return world_->Run(); }
  void RunToTheEnd() { ASSERT_EQ(Run(), sim::ExecutionEnd::kFinished) << Waiting(); }
  // Runs one task to its end.
  void Story(absl::AnyInvocable<void()> body) {
    Task("story", std::move(body));
    RunToTheEnd();
  }

  void Sleep(sim::Nanos duration) { world_->SleepFor(duration); }
  // Notes what happened; done() is the story so far.
  void Note(std::string what) { done_.push_back(std::move(what)); }
  const std::vector<std::string>& done() const { return done_; }

  Handle& Start(int nblocks, int rsv_blocks = 0, int revoke_records = 0) {
    const HandleOrError started = jbd2_journal_start(journal_, nblocks, rsv_blocks, revoke_records);
    EXPECT_EQ(started.error, Errno::kOk);
    return *started.handle;
  }
  void Set(Handle& handle, Pblk pblk, Ino value) {
    BufferHead* const bh = buffers_.sb_bread(pblk);
    ASSERT_NE(bh, nullptr);
    ASSERT_EQ(jbd2_journal_get_write_access(handle, *bh), Errno::kOk);
    bh->content = ValueBlock(value);
    ASSERT_EQ(jbd2_journal_dirty_metadata(handle, *bh), Errno::kOk);
  }
  // The same for a block that was free.
  void Create(Handle& handle, Pblk pblk, Ino value) {
    BufferHead& bh = buffers_.sb_getblk(pblk);
    ASSERT_EQ(jbd2_journal_get_create_access(handle, bh), Errno::kOk);
    bh.content = ValueBlock(value);
    bh.uptodate = true;
    ASSERT_EQ(jbd2_journal_dirty_metadata(handle, bh), Errno::kOk);
  }
  // One handle that sets one block.
  Tid SetAlone(Pblk pblk, Ino value) {
    Handle& handle = Start(1);
    const Tid tid = HandleTid(handle);
    Set(handle, pblk, value);
    EXPECT_EQ(jbd2_journal_stop(handle), Errno::kOk);
    return tid;
  }
  void Free(Handle& handle, Pblk pblk) {
    ASSERT_EQ(jbd2_journal_revoke(handle, pblk, &buffers_.sb_getblk(pblk)), Errno::kOk);
  }
  Errno Commit() { return jbd2_journal_force_commit(journal_); }

  LogReader& log() { return log_; }
  std::string Waiting() const {
    std::string text;
    for (const auto& task : world_->tasks()) {
      if (task->waiting_on() == nullptr) continue;
      text += task->name() + " waits for " + task->waiting_on()->Describe() + "\n";
    }
    return text;
  }
  size_t LockReports() const { return validator_.reports().size(); }
  std::string LockReportTexts() const {
    std::string text;
    for (const sim::LockReport& report : validator_.reports()) text += RenderText(report) + "\n";
    return text;
  }

  const RigOptions options;
  // What the file system does for the journal; may be empty.
  std::function<void(Tid)> on_commit;
  std::function<void(JournalInode&)> on_submit_data;
  std::function<void(JournalInode&)> on_finish_data;

 private:
  JournalOptions WithCallbacks() {
    JournalOptions journal = options.journal;
    journal.j_commit_callback = [this](Tid tid) {
      if (on_commit) on_commit(tid);
    };
    journal.j_submit_inode_data_buffers = [this](JournalInode& jinode) {
      if (on_submit_data) on_submit_data(jinode);
    };
    journal.j_finish_inode_data_buffers = [this](JournalInode& jinode) {
      if (on_finish_data) on_finish_data(jinode);
    };
    return journal;
  }
  sim::DeviceConfig Config() const {
    sim::DeviceConfig config;
    config.size_sectors = geometry_.first_sector(geometry_.end());
    if (geometry_.external_journal) {
      config.second_device = geometry_.first_sector(geometry_.journal());
    }
    config.faults = options.faults;
    return config;
  }
  std::vector<sim::SectorContent> Initial() {
    std::vector<sim::SectorContent> sectors(Config().size_sectors);
    const auto put = [&](Pblk pblk, BlockContent content) {
      const ImageId image = images_.Add(std::move(content), pblk);
      for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
        sectors[geometry_.first_sector(pblk) + i] = ImageContent(image, i);
      }
    };
    put(geometry_.journal(), JournalSuperblock{});
    for (Pblk pblk = first(); pblk < geometry_.blocks; ++pblk) put(pblk, ValueBlock(0));
    return sectors;
  }

  sim::RandomStrategy random_;
  sim::TimedStrategy timed_;
  sim::StackPool pool_;
  sim::StackTable stacks_;
  sim::Validator validator_;
  std::unique_ptr<sim::World> world_;
  sim::LockTracker tracker_;
  Geometry geometry_;
  ImageStore images_;
  sim::BlockDevice device_;
  BufferCache buffers_;
  LogReader log_;
  Journal journal_;
  std::vector<std::string> done_;
};

}  // namespace model
