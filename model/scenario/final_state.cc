#include "model/scenario/final_state.h"

#include "model/scenario/end_checks.h"

namespace scenario {
namespace {

sim::Digest128 HowItEnded(const sim::World& world, sim::ExecutionEnd end) {
  sim::Digest128 state;
  state.Add(static_cast<uint64_t>(end));
  for (const sim::Task* const task : world.tasks()) {
    if (task->kind() != sim::TaskKind::kUser) continue;
    state.Add(static_cast<uint64_t>(task->state()));
    if (task->state() == sim::Task::State::kParked) {
      state.AddString(task->waiting_on()->Describe());
    }
  }
  return state;
}

void AddContents(model::Ext4Inode& inode, sim::Digest128& state) {
  const uint64_t granules = (inode.i_size.peek() + model::kGranuleBytes - 1) / model::kGranuleBytes;
  for (uint32_t granule = 0; granule < granules; ++granule) {
    for (const model::GranuleRun& run : inode.sbi.granules.Runs(ReadGranule(inode, granule))) {
      state.Add(static_cast<uint64_t>(model::KindOf(run.content)));
      const bool is_data = model::KindOf(run.content) == model::ContentKind::kData;
      state.Add(is_data ? inode.sbi.history.WriteOfFile(model::WriteOf(run.content)) : run.content);
      if (is_data) state.Add(model::GranuleIndexOf(run.content));
      state.Add(run.end_byte);
    }
  }
}

void AddInode(model::Ext4Inode& inode, sim::Digest128& state) {
  state.AddString(inode.name);
  for (const uint64_t word : {uint64_t{inode.i_nlink.peek()}, uint64_t{inode.i_size.peek()},
                              uint64_t{inode.i_disksize.peek()}}) {
    state.Add(word);
  }
  for (const model::ExtentStatus& extent : inode.i_es_tree.peek().extents()) {
    state.Add(uint64_t{extent.es_lblk} << 32 | extent.es_len);
    state.Add(uint64_t{extent.es_pblk} << 8 | static_cast<uint64_t>(extent.status));
  }
  if (inode.type == model::FileType::kRegular && !inode.inline_data) AddContents(inode, state);
}

}  // namespace

uint64_t FinalState(const sim::World& world, sim::ExecutionEnd end, model::Ext4SbInfo& sbi) {
  sim::Digest128 state = HowItEnded(world, end);
  for (const auto& [ino, inode] : sbi.inodes) AddInode(*inode, state);
  return state.Value().low;
}

uint64_t FinalState(const sim::World& world, sim::ExecutionEnd end, model::Machine& machine) {
  sim::Digest128 state = HowItEnded(world, end);
  model::Objects& objects = machine.objects();
  for (const model::AnyLock& lock : objects.locks) {
    for (const sim::TaskId owner : lock.lock().Owners()) state.Add(owner.value);
    state.Add(UINT64_MAX);
  }
  for (const model::ProgramEvent& event : objects.events) state.Add(event.count());
  for (const model::Variable& variable : objects.variables) state.Add(variable.value());
  return state.Value().low;
}

}  // namespace scenario
