// A small mounted file system, tasks that use it, and what its metadata says.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/crash/metadata_check.h"
#include "model/ext4/ext4.h"
#include "model/ext4/mkfs.h"
#include "sim/explore/random.h"
#include "sim/explore/timed.h"

namespace model {

// First block, blocks, unwritten.
MATCHER_P3(IsExtent, lblk, len, unwritten, "") {
  return arg.ee_block == static_cast<Lblk>(lblk) && arg.ee_len == static_cast<uint32_t>(len) &&
         arg.unwritten == unwritten;
}

struct Ext4RigOptions {
  Ext4Options ext4;
  std::vector<MkfsFile> files = {{.name = "a"}, {.name = "b"}};
  Policy policy;
  bool random = false;  // strategy; else timed
  uint64_t seed = 0;

  Ext4RigOptions() {
    ext4.geometry = {.block_bytes = 1024, .blocks = 1024, .inodes = 32, .journal_blocks = 64};
  }
};

class Ext4Rig {
 public:
  explicit Ext4Rig(Ext4RigOptions o = {})
      : options(std::move(o)),
        random_(options.seed),
        world_(std::make_unique<sim::World>(
            sim::WorldOptions{.seed = options.seed, .max_turns = 2'000'000},
            options.random ? static_cast<sim::Strategy&>(random_) : timed_, pool_, stacks_)),
        tracker_(*world_, validator_),
        history_(granules_),
        device_(*world_, DeviceConfig(), Format()),
        sbi_(std::in_place, *world_, device_, images_, granules_, history_, options.ext4,
             options.policy) {}
  // The tasks' stacks refer to everything else.
  ~Ext4Rig() { world_.reset(); }

  sim::World& world() { return *world_; }
  Ext4SbInfo& sbi() { return *sbi_; }
  sim::BlockDevice& device() { return device_; }
  History& history() { return history_; }
  const Geometry& geometry() const { return options.ext4.geometry; }
  sim::Validator& validator() { return validator_; }

  void Task(std::string name, absl::AnyInvocable<void()> body) {
    world_->Spawn(std::move(name), sim::TaskKind::kUser, std::move(body));
  }
  void RunToTheEnd() { ASSERT_EQ(world_->Run(), sim::ExecutionEnd::kFinished) << Waiting(); }
  // Runs one task to its end; once per rig.
  void Story(absl::AnyInvocable<void()> body) {
    Task("story", std::move(body));
    RunToTheEnd();
  }

  // --- In tasks ---------------------------------------------------------------------------------
  Ext4Inode& Open(const std::string& name) { return EXT4_I(*sbi_->lookup(name)); }
  Errno Commit() { return jbd2_journal_force_commit(sbi_->s_journal); }

  // --- Anywhere ---------------------------------------------------------------------------------
  // What the metadata in memory says. Requires: no handle is open.
  RecoveredTree Metadata() {
    MetadataImages state;
    for (Pblk pblk = 0; pblk < geometry().blocks; ++pblk) {
      const BufferHead& bh = sbi_->buffers.sb_getblk(pblk);
      const SectorContent on_disk = device_.current(geometry().first_sector(pblk));
      if (bh.uptodate) {
        state[pblk] = images_.Add(bh.content, pblk);
      } else if (KindOf(on_disk) == ContentKind::kImage) {
        state[pblk] = ImageOf(on_disk);
      }
    }
    return CheckMetadata(geometry(), images_, state);
  }
  std::vector<std::string> Faults() {
    std::vector<std::string> faults;
    for (const MetadataFault& fault : Metadata().faults) {
      faults.push_back(fault.message + ": " + fault.detail);
    }
    return faults;
  }
  std::vector<std::string> Findings() const {
    std::vector<std::string> findings;
    for (const sim::Finding& finding : world_->findings()) {
      findings.push_back(finding.kind + ": " + finding.message);
    }
    return findings;
  }
  std::string Waiting() const {
    std::string text;
    for (const auto& task : world_->tasks()) {
      if (task->waiting_on() == nullptr) continue;
      text += task->name() + " waits for " + task->waiting_on()->Describe() + "\n";
    }
    return text;
  }
  // A metadata block as it is in memory.
  template <class Content>
  const Content& Block(Pblk pblk) {
    return std::get<Content>(sbi_->buffers.sb_getblk(pblk).content);
  }

  const Ext4RigOptions options;

 private:
  sim::DeviceConfig DeviceConfig() const {
    sim::DeviceConfig config;
    config.size_sectors = geometry().first_sector(geometry().blocks);
    return config;
  }
  std::vector<SectorContent> Format() {
    auto contents = MakeFilesystem(geometry(), options.files, images_, granules_, history_);
    EXPECT_TRUE(contents.ok()) << contents.status();
    return *std::move(contents);
  }

  sim::StackPool pool_;
  sim::StackTable stacks_;
  sim::TimedStrategy timed_;
  sim::RandomStrategy random_;
  std::unique_ptr<sim::World> world_;
  sim::Validator validator_;
  sim::LockTracker tracker_;
  GranuleTable granules_;
  History history_;
  ImageStore images_;
  sim::BlockDevice device_;
  std::optional<Ext4SbInfo> sbi_;
};

}  // namespace model
