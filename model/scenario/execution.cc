#include "model/scenario/execution.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "model/ext4/mkfs.h"
#include "model/scenario/end_checks.h"
#include "model/scenario/final_state.h"
#include "model/scenario/program_execution.h"
#include "model/scenario/runner.h"
#include "sim/explore/choice_watch.h"
#include "sim/race/race_checker.h"
#include "sim/waitfor/liveness.h"

namespace scenario {
namespace {

model::Geometry GeometryOf(const Scenario& scenario) {
  model::Geometry geometry;
  geometry.block_bytes = static_cast<uint32_t>(scenario.fs.block_bytes);
  geometry.blocks =
      static_cast<uint32_t>(scenario.device.size_sectors / geometry.sectors_per_block());
  const uint32_t per_block = std::max(geometry.inodes_per_block(), 8u);  // whole bytes of bitmap
  const auto inodes = static_cast<uint32_t>(scenario.fs.inodes) + model::kLostFoundIno;
  geometry.inodes = (inodes + per_block - 1) / per_block * per_block;
  geometry.journal_blocks = static_cast<uint32_t>(scenario.fs.journal_blocks);
  geometry.external_journal = scenario.fs.journal_device == JournalDevice::kExternal;
  geometry.journal_checksum = static_cast<model::JournalChecksum>(scenario.fs.journal_checksum);
  return geometry;
}

std::vector<model::MkfsFile> FilesOf(const Scenario& scenario) {
  std::vector<model::MkfsFile> files;
  for (const FileConfig& file : scenario.files) {
    if (!file.exists) continue;
    model::MkfsFile made;
    made.name = file.name;
    made.size_bytes = static_cast<uint64_t>(file.size_bytes);
    made.content = static_cast<model::InitialContent>(file.content);
    made.inline_data = file.inline_data;
    made.contract.zero_tail_allowed = file.buffered == BufferedPath::kBufferHead;
    made.contract.kept_until_unlinked = scenario.fs.data == DataMode::kOrdered;
    files.push_back(std::move(made));
  }
  return files;
}

model::Ext4Options OptionsOf(const Scenario& scenario) {
  const FsConfig& fs = scenario.fs;
  model::Ext4Options options;
  options.geometry = GeometryOf(scenario);
  options.folio_bytes = static_cast<uint32_t>(fs.folio_bytes);
  options.data_ordered = fs.data == DataMode::kOrdered;
  options.delalloc = fs.delalloc;
  options.dioread_nolock = fs.dioread_nolock;
  options.auto_da_alloc = fs.auto_da_alloc;
  options.data_err_abort = fs.data_err_abort;
  options.barrier = fs.barrier;
  options.commit_interval = fs.commit_interval_ns;
  options.dirty_background_bytes = fs.dirty_background_bytes;
  options.dirty_limit_bytes = fs.dirty_limit_bytes;
  for (const FileConfig& file : scenario.files) {
    if (file.buffered == BufferedPath::kIomap) options.iomap_files.insert(file.name);
  }
  return options;
}

sim::DeviceConfig DeviceOf(const Scenario& scenario) {
  const DeviceConfig& from = scenario.device;
  const model::Geometry geometry = GeometryOf(scenario);
  sim::DeviceConfig device;
  device.size_sectors = geometry.first_sector(geometry.end());
  if (geometry.external_journal) device.second_device = geometry.first_sector(geometry.journal());
  device.volatile_cache = from.volatile_cache;
  device.ignore_flush = from.ignore_flush;
  device.ignore_fua = from.ignore_fua;
  const auto copy = [](const LatencyRange& range, sim::Nanos(&to)[2]) {
    to[0] = range.lo_ns;
    to[1] = range.hi_ns;
  };
  copy(from.write_latency_ns, device.write_latency);
  copy(from.read_latency_ns, device.read_latency);
  copy(from.flush_latency_ns, device.flush_latency);
  for (const DeviceFault& fault : from.faults) {
    sim::DeviceFault made;
    made.kind = static_cast<sim::DeviceFault::Kind>(fault.kind);  // in the same order
    made.nth = static_cast<uint64_t>(fault.nth.value_or(0));
    made.sector = static_cast<uint64_t>(fault.sector.value_or(0));
    made.lands_at = static_cast<uint64_t>(fault.lands_at.value_or(0));
    device.faults.push_back(made);
  }
  return device;
}

model::CrashOptions CrashOf(const Scenario& scenario, const ExecutionOptions& options,
                            sim::LockTracker& tracker) {
  model::CrashOptions crash;
  crash.lock_tracker = &tracker;
  crash.crash_at = static_cast<model::CrashAt>(scenario.search.crash_at);
  crash.data_writeback = scenario.fs.data == DataMode::kWriteback;
  crash.watcher = options.watcher;
  crash.tells_stories = options.tells_stories;
  return crash;
}

sim::WorldOptions WorldOf(const Scenario& scenario, const ExecutionOptions& options) {
  sim::WorldOptions world;
  world.seed = options.seed;
  world.max_turns = static_cast<uint64_t>(scenario.search.max_steps);
  world.max_time = scenario.search.max_time_ns;
  world.keeps_schedule = options.keeps_schedule;
  return world;
}

}  // namespace

model::Policy PolicyOf(const Scenario& scenario) {
  model::Policy policy;
  for (const auto& [name, value] : scenario.policy) {
    for (const model::PolicyEntry& entry : model::kPolicyEntries) {
      if (entry.name == name) policy.*entry.member = value;
    }
  }
  return policy;
}

// Everything of one execution. The world goes first, so that tasks which are unwound still find
// what they refer to.
class Execution {
 public:
  Execution(Workbench& bench, const ExecutionOptions& options, sim::Strategy& strategy,
            sim::Validator& locks)
      : bench_(bench),
        recorder_(options.recorder),
        covers_(options.covers),
        images_(&bench.images_),
        granules_(bench.granules_),
        history_(bench.history_, granules_),
        world_(std::make_unique<sim::World>(WorldWithRest(bench, options), strategy, bench.stacks_,
                                            bench.stack_table_)),
        tracker_(*world_, locks, options.checks_locks),
        device_(*world_, bench.device_, bench.disk_) {
    world_->set_event_log(options.log);
    device_.set_bio_listener(recorder_);
    if (options.lock_stat != nullptr) tracker_.set_stat(*options.lock_stat);
    if (options.guards != nullptr) races_.emplace(*world_, *options.guards);
    if (bench.scenario_.search.crash_at != CrashAt::kNone) {
      crash_ = std::make_unique<model::CrashChecker>(*world_, device_, bench.fs_.geometry, images_,
                                                     history_,
                                                     CrashOf(bench.scenario_, options, tracker_));
    }
    sbi_ = std::make_unique<model::Ext4SbInfo>(*world_, device_, images_, granules_, history_,
                                               bench.fs_, bench.policy_);
    sbi_->s_bdi.StartFlusher();
    uint64_t number = 0;
    for (const ThreadConfig& thread : bench.scenario_.threads) {
      const std::vector<std::string>& calls = bench.calls_[number];
      threads_.push_back(std::make_unique<ThreadBody>(thread, calls, ++number, *sbi_, recorder_));
      ThreadBody& body = *threads_.back();
      world_->Spawn(thread.name, sim::TaskKind::kUser, [&body] { body.Run(); });
    }
  }
  ~Execution() {
    races_.reset();
    world_ = nullptr;
  }

  ExecutionResult Run() {
    const sim::ExecutionEnd end = world_->Run();
    if (end == sim::ExecutionEnd::kFinished) {
      CheckAtEnd(*sbi_);
    } else if (end != sim::ExecutionEnd::kAbandoned) {
      world_->Report(sim::ExplainEnd(*world_, end, liveness_));
    }
    if (crash_ != nullptr) crash_->End();
    if (recorder_ != nullptr) {
      recorder_->OnEnd(bench_.fs_.geometry, images_, history_, *bench_.disk_);
    }
    ExecutionResult result = ResultOf(*world_, end);
    if (covers_) {
      result.coverage.final_states = {FinalState(*world_, end, *sbi_)};
      for (size_t i = 0; i < model::kPolicyEntries.size(); ++i) {
        const model::PolicyFlag& policy = sbi_->policy.*model::kPolicyEntries[i].member;
        result.coverage.policies_asked[i] = policy.asked();
      }
    }
    if (crash_ != nullptr) result.crash_states = crash_->count();
    return result;
  }

 private:
  sim::WorldOptions WorldWithRest(const Workbench& bench, const ExecutionOptions& options) {
    sim::WorldOptions world = WorldOf(bench.scenario_, options);
    world.beyond_limit = &fair_;
    return world;
  }

  const Workbench& bench_;
  ExecutionRecorder* recorder_ = nullptr;
  bool covers_ = false;
  model::ImageStore images_;
  model::GranuleTable granules_;
  model::History history_;
  sim::LivenessWatch liveness_;
  sim::FairStrategy fair_{liveness_};
  std::unique_ptr<sim::World> world_;
  sim::LockTracker tracker_;
  std::optional<sim::RaceChecker> races_;
  sim::BlockDevice device_;
  std::unique_ptr<model::CrashChecker> crash_;
  std::unique_ptr<model::Ext4SbInfo> sbi_;
  std::vector<std::unique_ptr<ThreadBody>> threads_;
};

Workbench::Workbench(const Scenario& scenario, const model::LockProgram* program)
    : scenario_(scenario),
      program_(program),
      fs_(OptionsOf(scenario)),
      policy_(PolicyOf(scenario)),
      device_(DeviceOf(scenario)) {
  if (program != nullptr) return;
  auto disk = model::MakeFilesystem(fs_.geometry, FilesOf(scenario), images_, granules_, history_);
  SIM_CHECK(disk.ok());
  disk_ = std::make_shared<const std::vector<model::SectorContent>>(*std::move(disk));
  for (const ThreadConfig& thread : scenario.threads) {
    std::vector<std::string>& calls = calls_.emplace_back();
    for (const Op& op : thread.ops) calls.push_back(CallText(op));
  }
}

namespace {

// A file system of which the mount cannot read these is not mounted, and has no execution.
absl::Status CheckMounts(const Scenario& scenario) {
  const model::Geometry geometry = GeometryOf(scenario);
  for (const DeviceFault& fault : scenario.device.faults) {
    const auto landed = static_cast<uint64_t>(fault.lands_at.value_or(0));
    if (fault.kind == FaultKind::kMisdirectedWrite &&
        geometry.block_of_sector(landed) < geometry.root_directory()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a write that lands at sector ", landed,
                       " hits what a mount reads before it recovers: want one from ",
                       geometry.first_sector(geometry.root_directory()), " on"));
    }
    if (fault.kind != FaultKind::kFailingSector) continue;
    const model::Pblk pblk = geometry.block_of_sector(static_cast<uint64_t>(*fault.sector));
    for (const model::Pblk read :
         {geometry.superblock(), geometry.group_descriptors(), geometry.block_bitmap(),
          geometry.inode_table_block(model::kRootIno), geometry.root_directory(),
          geometry.journal()}) {
      if (pblk != read) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "sector ", *fault.sector, " cannot be read, and block ", pblk, " is read by the mount"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFits(const Scenario& scenario) {
  if (scenario.program) return absl::OkStatus();
  if (absl::Status mounts = CheckMounts(scenario); !mounts.ok()) return mounts;
  model::ImageStore images;
  model::GranuleTable granules;
  model::History history(granules);
  return model::MakeFilesystem(GeometryOf(scenario), FilesOf(scenario), images, granules, history)
      .status();
}

absl::Status CheckIsReadable(const Scenario& scenario) {
  for (const DeviceFault& fault : scenario.device.faults) {
    if (fault.kind != FaultKind::kFailingSector) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("sector ", *fault.sector,
                     " of the device cannot be read: no file of bytes "
                     "can be like that"));
  }
  return absl::OkStatus();
}

ExecutionResult ResultOf(const sim::World& world, sim::ExecutionEnd end) {
  ExecutionResult result;
  result.findings = world.findings();
  result.schedule = world.schedule();
  result.digest = world.digest().Value();
  result.turns = world.turns();
  result.actors = world.actors();
  result.clock_read = world.clock_read();
  result.beyond_limit = world.beyond_limit();
  result.abandoned = end == sim::ExecutionEnd::kAbandoned;
  if (end == sim::ExecutionEnd::kDeadlock) result.deadlocked = sim::FindHoldAndWait(world);
  return result;
}

ExecutionResult RunExecution(Workbench& bench, const ExecutionOptions& options,
                             sim::Strategy& strategy, sim::Validator& locks) {
  locks.set_execution(options.number);
  if (options.guards != nullptr) {
    options.guards->set_execution(bench.scenario_.name, options.number);
  }
  sim::ChoiceWatch watch(strategy);
  sim::Strategy& chooser = options.covers ? watch : strategy;
  ExecutionResult result;
  if (bench.program_ != nullptr) {
    result = RunProgram(*bench.program_, WorldOf(bench.scenario_, options), options, chooser, locks,
                        bench.stacks_, bench.stack_table_);
  } else {
    result = Execution(bench, options, chooser, locks).Run();
  }
  if (options.covers) result.coverage.choice_points = watch.Seen();
  if (result.abandoned) result.coverage.final_states.clear();  // it had not come to its end
  return result;
}

}  // namespace scenario
